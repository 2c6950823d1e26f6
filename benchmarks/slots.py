"""How fast and how truly 40 slots are offered: `python -m benchmarks.slots --json`.

Five days of 1000 stops (8 windows a day): one with plain vans, one with breaks, one with traffic and slow vans, one
with range, calls at the depot and returns, one with a mixed fleet at a price. Every offered slot that is taken is
driven by the independent checker on the whole plan; refused ones are tried at random places by it. Travel is
synthetic (asymmetric, with the triangle inequality), so that nothing but the planner is measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apps.routing.planner.check import violations
from apps.routing.planner.insertion import Insertion, Timetable, apply, best_insertion, merged
from apps.routing.planner.intervals import intersect
from apps.routing.planner.problem import Break, Load, Problem, Stop, Tariff, TrafficTable, Vehicle
from apps.routing.planner.slots import Offer, offers
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.travel import Travel

HOUR = 3600
SHIFT = 9 * HOUR
WINDOWS = [(hour * HOUR, (hour + 1) * HOUR) for hour in range(8)]
STOPS_PER_VAN = 70
KINDS = ("plain", "breaks", "traffic", "range", "mixed")
SPEEDS = (
    (1000, 1000, 950, 900, 900, 850, 850, 900, 950, 1000),
    (900, 800, 800, 850, 900, 850, 750, 700, 800, 900),
)
SPARE = 200
"""Places of shoppers who ask, behind those of the day's stops."""


@dataclass
class Tally:
    """What was measured."""

    cpu_ms: list[float] = field(default_factory=list)
    travel_ms: list[float] = field(default_factory=list)
    offered: int = 0
    refused: int = 0
    taken: int = 0
    mismatches: int = 0
    without_reason: int = 0
    proven: int = 0
    wrongly_refused: int = 0


def main() -> None:
    arguments = _arguments()
    rng = np.random.default_rng(arguments.seed)
    days = {f"day{n}": _day(rng, KINDS[n % len(KINDS)], arguments.stops) for n in range(arguments.days)}
    tally = Tally()
    while tally.taken < arguments.taken or len(tally.cpu_ms) < 50:
        _ask(rng, days, tally, arguments)
    report = _report(arguments, tally)
    print("\n".join(f"{k}: {v}" for k, v in report.items()) if arguments.table else json.dumps(report, indent=2))


def _ask(rng: np.random.Generator, days: dict[str, Timetable], tally: Tally, arguments: argparse.Namespace) -> None:
    """One shopper looks at every window of every day; some of the answers are put to the proof."""
    asked = _stop(rng, "shopper", arguments.stops + 1 + int(rng.integers(SPARE)))
    began = time.process_time()
    for plan in days.values():
        for travel in plan.problem.travel.values():  # what an answer would have to be asked for by the road network
            for matrix in (travel.seconds, travel.metres):
                matrix[:, asked.location].sum() + matrix[asked.location, :].sum()
    looked = time.process_time()
    found = offers(days, asked, dict.fromkeys(days, WINDOWS))
    tally.travel_ms.append((looked - began) * 1000)
    tally.cpu_ms.append((time.process_time() - looked) * 1000)
    tally.offered += sum(offer.feasible for offer in found)
    tally.refused += sum(not offer.feasible for offer in found)
    tally.without_reason += sum(not offer.feasible and offer.reason is None for offer in found)
    for number in rng.permutation(len(found)).tolist()[:20]:
        offer = found[number]
        wanted = asked.replace(windows=intersect(asked.windows, offer.window))
        if offer.feasible and tally.taken < arguments.taken:
            tally.taken += 1
            tally.mismatches += not _holds(days[offer.day], wanted, offer)
        elif not offer.feasible and tally.proven < arguments.proofs:
            tally.proven += 1
            tally.wrongly_refused += _fits_somewhere(rng, days[offer.day], wanted)


def _holds(plan: Timetable, wanted: Stop, offer: Offer) -> bool:
    """Whether the slot, taken, is a plan the checker accepts, with the stop where and when the offer said."""
    answer = best_insertion(plan, wanted)
    if not isinstance(answer, Insertion) or (answer.vehicle, answer.start) != (offer.vehicle, offer.arrival):
        return False
    after, whole = apply(plan.solution, answer, wanted), merged(plan.problem, answer, wanted)
    wrong = violations(whole, after, standing=plan.solution, standing_problem=plan.problem, strict={wanted.id})
    return not wrong and offer.window[0] <= offer.arrival <= offer.window[1]


def _fits_somewhere(rng: np.random.Generator, plan: Timetable, wanted: Stop) -> bool:
    """Whether the checker accepts the refused stop at any position of one van (breaks where they stand)."""
    whole = plan.problem.with_stop(wanted)
    van = plan.vans[int(rng.integers(len(plan.vans)))]
    table = plan.tables[van]
    own = {stop.id for stop in table.stops} | {wanted.id}
    small = whole.replace(vehicles=(table.vehicle,), stops=tuple(stop for stop in whole.stops if stop.id in own))
    bare = Solution((table.route,))
    before = small.without_stop(wanted.id)
    for position in range(table.route.frozen, len(table.route.stops) + 1):
        tried = Solution((table.route.inserted(position, wanted.id),))
        if not violations(small, tried, standing=bare, standing_problem=before, strict={wanted.id}):
            return True
    return False


# the days ---------------------------------------------------------------------------------------------------------


def _day(rng: np.random.Generator, kind: str, stops: int) -> Timetable:
    """A day's plan by sweep and insertion; what fits nowhere is left out of the day."""
    size = 1 + stops + SPARE
    at = (rng.random((size, 2)) - 0.5) * 3000
    at[0] = 0
    car = _travel(rng, at)
    travel = {"car": car, "bicycle": Travel((car.seconds * 2).astype(np.int32), car.metres, exact=True)}
    people = tuple(_demanding(rng, _stop(rng, f"s{n}", n + 1), kind) for n in range(stops))
    vans = _vans(kind, stops)
    calls = tuple(_call(van) for van in vans if kind == "range")
    traffic = {}
    if kind in ("traffic", "mixed"):
        zones = tuple((np.hypot(at[:, 0], at[:, 1]) < 700).astype(int).tolist())
        speeds = (
            (1000, 1000, 950, 900, 900, 850, 850, 900, 950, 1000),
            (900, 800, 800, 850, 900, 850, 750, 700, 800, 900),
        )
        traffic = {"car": TrafficTable(zones, speeds)}
    problem = Problem(0, vans, (*people, *calls), travel, traffic)
    return _planned(problem, at)


def _travel(rng: np.random.Generator, at: np.ndarray) -> Travel:
    crow = np.hypot(at[:, None, 0] - at[None, :, 0], at[:, None, 1] - at[None, :, 1])
    seconds = np.ceil(crow) + rng.integers(0, 20, len(at))[:, None] + rng.integers(0, 20, len(at))[None, :]
    np.fill_diagonal(seconds, 0)
    whole = seconds.astype(np.int32)
    return Travel(whole, whole * np.int32(10), exact=True)


def _stop(rng: np.random.Generator, name: str, location: int) -> Stop:
    kind = rng.random()
    window = (0, SHIFT)
    if kind < 0.45 and name != "shopper":
        length = (2 if kind < 0.25 else 4) * HOUR
        opens = int(rng.integers(0, (SHIFT - length) // HOUR + 1)) * HOUR
        window = (opens, opens + length)
    load = Load(int(rng.integers(200, 8000)), int(rng.integers(500, 60_000)), 1)
    return Stop(name, location, (window,), service=int(rng.integers(90, 211)), load=load)


def _demanding(rng: np.random.Generator, stop: Stop, kind: str) -> Stop:
    if kind in ("range", "mixed") and rng.random() < 0.1:
        return stop.replace(collects=True)
    return stop.replace(skills=frozenset({"two"})) if kind == "mixed" and rng.random() < 0.03 else stop


def _vans(kind: str, stops: int) -> tuple[Vehicle, ...]:
    count = max(2, -(-stops // STOPS_PER_VAN))
    plain = Vehicle("van", "car", 0, 0, 0, SHIFT, Load(900_000, 9_000_000, 140), grams_co2e_per_kilometre=257)
    vans = [plain.replace(id=f"van{n}") for n in range(count)]
    if kind == "breaks":
        rest = Break(3 * HOUR, 5 * HOUR, 1800)
        return tuple(van.replace(breaks=(rest,)) for van in vans)
    if kind == "traffic":
        return tuple(van.replace(slowdown_percent=110 if n % 3 == 0 else 100) for n, van in enumerate(vans))
    if kind == "range":
        small = Load(900_000, 9_000_000, 60)
        return tuple(van.replace(kind="electric_van", range_metres=90_000, capacity=small) for van in vans)
    return tuple(vans) if kind == "plain" else _mixed(vans)


def _mixed(vans: list[Vehicle]) -> tuple[Vehicle, ...]:
    hour, bike = Tariff(per_hour=3200, per_kilometre=25, per_overtime_hour=5000), Tariff(per_hour=2400)
    fleet = [
        van.replace(cost=hour, overtime=HOUR // 2, skills=frozenset({"two"} if n == 0 else ()))
        for n, van in enumerate(vans)
    ]
    rider = vans[0].replace(
        id="bike", kind="cargo_bike", profile="bicycle", cost=bike, capacity=Load(120_000, 1_200_000, 45), max_stops=40
    )
    network = Tariff(per_stop=590)
    carrier = vans[0].replace(id="carrier", kind="carrier", cost=network, capacity=Load(20_000, 100_000, 1))
    return (*fleet, rider, carrier)


def _call(van: Vehicle) -> Stop:
    return Stop(f"call-{van.id}", 0, ((0, SHIFT),), service=600, reload_of=van.id)


def _planned(problem: Problem, at: np.ndarray) -> Timetable:
    """Neighbouring directions to one van each, opened in order of closing, the rest by insertion into the whole."""
    angle = np.arctan2(at[:, 1], at[:, 0])
    people = [stop for stop in problem.stops if not stop.is_reload]
    order = sorted(people, key=lambda stop: float(angle[stop.location]))
    own = [van for van in problem.vehicles if not van.is_carrier]
    tables = Timetable.of(problem, Solution())
    left: list[Stop] = []
    for number, van in enumerate(own):
        share = order[number * len(order) // len(own) : (number + 1) * len(order) // len(own)]
        one, rest = _one_van(problem, van, share)
        tables = tables.with_route(one)
        left += rest
    for stop in left:
        found = best_insertion(tables, stop)
        if isinstance(found, Insertion):
            route = tables.tables[found.vehicle].route.inserted(found.position, stop.id)
            tables = tables.with_route(route if found.breaks is None else route.replace(breaks=found.breaks))
    missing = {s.id for s in problem.stops if s.id not in tables.vehicle_of and not s.is_reload}
    served = problem.replace(stops=tuple(stop for stop in problem.stops if stop.id not in missing))
    plan = Solution(tuple(table.route for table in tables.tables.values()))
    wrong = violations(served, plan)
    assert not wrong, wrong[:3]
    return Timetable.of(served, plan)


def _one_van(problem: Problem, van: Vehicle, share: list[Stop]) -> tuple[Route, list[Stop]]:
    calls = [stop for stop in problem.stops if stop.reload_of == van.id]
    small = problem.replace(vehicles=(van,), stops=(*share, *calls))
    table, left = Timetable.of(small, Solution()), list[Stop]()
    half = sorted(share, key=lambda stop: (stop.windows[0][1], stop.id))
    half[len(half) // 2 : len(half) // 2] = calls
    for stop in half:
        found = best_insertion(table, stop)
        if isinstance(found, Insertion):
            route = table.tables[van.id].route.inserted(found.position, stop.id)
            table = table.with_route(route if found.breaks is None else route.replace(breaks=found.breaks))
        elif not stop.is_reload:
            left.append(stop)
    return table.tables[van.id].route, left


def _report(arguments: argparse.Namespace, tally: Tally) -> dict[str, Any]:
    cuts = statistics.quantiles(tally.cpu_ms, n=20)
    return {
        "benchmark": "slots",
        "seed": arguments.seed,
        "stops": arguments.stops,
        "days": arguments.days,
        "slots": arguments.days * len(WINDOWS),
        "cpu_ms_p50": round(statistics.median(tally.cpu_ms), 2),
        "cpu_ms_p95": round(cuts[18], 2),
        "travel_ms_p50": round(statistics.median(tally.travel_ms), 2),
        "offered": tally.offered,
        "refused": tally.refused,
        "taken": tally.taken,
        "mismatches": tally.mismatches,
        "refused_without_reason": tally.without_reason,
        "refusals_proven": tally.proven,
        "refused_wrongly": tally.wrongly_refused,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=1000)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--taken", type=int, default=1000, help="offered slots that are taken and judged")
    parser.add_argument("--proofs", type=int, default=100, help="refused slots that are tried by the checker")
    parser.add_argument("--json", action="store_true", help="as by default: one JSON object on standard output")
    parser.add_argument("--table", action="store_true", help="a table to read instead")
    return parser.parse_args()


if __name__ == "__main__":
    main()
