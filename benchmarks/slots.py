"""How fast and how truly 40 slots are offered: `python -m benchmarks.slots --json`.

Five days of 1000 stops (8 windows a day): one with plain vans, one with breaks, one with traffic and slow vans, one
with range, calls at the depot and returns, one with a mixed fleet at a price. Times are CPU, not wall. `cpu_ms` is the
cheapest place of every window; `calm_cpu_ms` the calmest, as the shop's page asks it, a quarter of the shoppers at
places no matrix knows; `with_room_cpu_ms` also asks other stops to make room for the refused windows. Offered slots
that are taken are driven by the independent checker on the whole plan; refused ones are tried by it at every place of
every van. Travel is synthetic (asymmetric, with the triangle inequality), so that nothing but the planner is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apps.routing.planner.calm import calmest_insertion
from apps.routing.planner.check import violations
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, apply, best_insertion, merged
from apps.routing.planner.intervals import intersect
from apps.routing.planner.new_place import NewPlace, PlaceRows
from apps.routing.planner.problem import NEW_PLACE, Break, Load, Problem, Stop, Tariff, TrafficTable, Vehicle
from apps.routing.planner.slots import Offer, offers, squeezed
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.squeeze import squeeze
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
NEW = 0.25
"""Shoppers whose place stands in no matrix."""
NEAREST = 8
TRIED = 8
"""Stops that are asked to make room, as `routing.services.answer` has it."""
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
    elsewhere: int = 0
    without_reason: int = 0
    proven: int = 0
    shown_ms: list[float] = field(default_factory=list)
    with_room_ms: list[float] = field(default_factory=list)
    new: int = 0
    squeezed: int = 0
    squeezed_wrongly: int = 0
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
    is_new = rng.random() < NEW
    began = time.process_time()
    for plan in days.values():
        for travel in plan.problem.travel.values():  # what an answer would have to be asked for by the road network
            for matrix in (travel.seconds, travel.metres):
                matrix[:, asked.location].sum() + matrix[asked.location, :].sum()
    looked = time.process_time()
    found = offers(days, asked, dict.fromkeys(days, WINDOWS))
    tally.cpu_ms.append((time.process_time() - looked) * 1000)
    tally.travel_ms.append((looked - began) * 1000)
    tally.offered += sum(offer.feasible for offer in found)
    tally.refused += sum(not offer.feasible for offer in found)
    tally.without_reason += sum(not offer.feasible and offer.reason is None for offer in found)
    places = {day: _neighbourhood(plan, asked.location) for day, plan in days.items()} if is_new else None
    shown = _shown(days, asked, tally, places)
    for number in rng.permutation(len(found)).tolist()[:20]:
        offer = shown[number]
        wanted = asked.replace(windows=intersect(asked.windows, offer.window))
        if found[number].feasible and tally.taken < arguments.taken:
            tally.taken += 1
            tally.new += is_new
            taken = _taken(days[offer.day], wanted, is_new=is_new)
            tally.mismatches += taken is None or not offer.window[0] <= taken.start <= offer.window[1]
            tally.elsewhere += taken is not None and (taken.vehicle, taken.start) != (offer.vehicle, offer.arrival)
        elif offer.feasible and not found[number].feasible and not is_new:
            tally.squeezed_wrongly += not _makes_room(days[offer.day], wanted, found[number])
        elif not offer.feasible and tally.proven < arguments.proofs:
            tally.proven += 1
            tally.wrongly_refused += _fits_somewhere(days[offer.day], wanted)


def _shown(days: dict[str, Timetable], asked: Stop, tally: Tally, places: dict[str, NewPlace] | None) -> list[Offer]:
    """What the shop's page shows: the calmest place, at a place no matrix knows too, and room that others make."""
    stop = asked if places is None else asked.replace(location=NEW_PLACE)
    began = time.process_time()
    calm = offers(days, stop, dict.fromkeys(days, WINDOWS), place=places, standing=days)
    answered = time.process_time()
    shown = [
        one
        if one.feasible
        else squeezed(days[one.day], stop, one, tried=TRIED, place=places[one.day] if places else None)
        for one in calm
    ]
    tally.shown_ms.append((answered - began) * 1000)
    tally.with_room_ms.append((time.process_time() - began) * 1000)
    tally.squeezed += sum(after.feasible and not before.feasible for before, after in zip(calm, shown, strict=True))
    return shown


def _neighbourhood(plan: Timetable, location: int) -> NewPlace:
    """The place as one that stands in no matrix; its rows are read where the road network would be asked."""
    travel, known = plan.problem.travel, plan.problem.travel["car"].seconds[:, location].copy()
    known[-SPARE:] = known.max()

    def rows(profile: str, of: Sequence[int]) -> PlaceRows:
        one, there = travel[profile], list(of)
        return PlaceRows(
            one.seconds[there, location],
            one.seconds[location, there],
            one.metres[there, location],
            one.metres[location, there],
        )

    return NewPlace(np.argsort(known, kind="stable")[:NEAREST].tolist(), rows)


def _taken(plan: Timetable, wanted: Stop, *, is_new: bool) -> Insertion | None:
    """Where the slot, taken, goes in a plan the checker accepts; None when it does not. As the change itself asks: it
    knows nothing of the rows that the offers have read of a new place, so it may choose another quiet gap than theirs.
    """
    place = _neighbourhood(plan, wanted.location) if is_new else None
    asked = wanted if place is None else wanted.replace(location=NEW_PLACE)
    answer = calmest_insertion(plan, plan, asked, place=place)
    if not isinstance(answer, Insertion):
        return None
    after, whole = apply(plan.solution, answer, wanted), merged(plan.problem, answer, wanted)
    wrong = violations(whole, after, standing=plan.solution, standing_problem=plan.problem, strict={wanted.id})
    return None if wrong else answer


def _makes_room(plan: Timetable, wanted: Stop, refused: Offer) -> bool:
    """Whether the plan in which another stop made room is one the checker accepts."""
    found = squeeze(plan, wanted, Refusal(refused.reason or Reason.NOT_PLANNED), tried=TRIED)
    if isinstance(found, Refusal):
        return False
    after = found.timetable
    return not violations(
        after.problem, after.solution, standing=plan.solution, standing_problem=plan.problem, strict={wanted.id}
    )


def _fits_somewhere(plan: Timetable, wanted: Stop) -> bool:
    """Whether the checker accepts the refused stop at any position of any van (breaks where they stand)."""
    return any(_fits_on(plan, wanted, van) for van in plan.vans)


def _fits_on(plan: Timetable, wanted: Stop, van: str) -> bool:
    whole, table = plan.problem.with_stop(wanted), plan.tables[van]
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
        inner = (np.hypot(at[:, 0], at[:, 1]) < 700).astype(int)
        # A new place is taken to lie in the zone of the place next to it.
        inner[-SPARE:] = inner[car.seconds[:-SPARE, -SPARE:].argmin(axis=0)]
        zones = tuple(inner.tolist())
        traffic = {"car": TrafficTable(zones, SPEEDS)}
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
        "clock": "time.process_time: CPU of this process; what others do to its caches is in it",
        "load_average": round(os.getloadavg()[0], 1),
        "cpu_ms_p50": round(statistics.median(tally.cpu_ms), 2),
        "cpu_ms_p95": round(cuts[18], 2),
        "calm_cpu_ms_p50": round(statistics.median(tally.shown_ms), 2),
        "calm_cpu_ms_p95": round(statistics.quantiles(tally.shown_ms, n=20)[18], 2),
        "with_room_cpu_ms_p50": round(statistics.median(tally.with_room_ms), 2),
        "with_room_cpu_ms_p95": round(statistics.quantiles(tally.with_room_ms, n=20)[18], 2),
        "travel_ms_p50": round(statistics.median(tally.travel_ms), 2),
        "offered": tally.offered,
        "refused": tally.refused,
        "offered_with_room_made": tally.squeezed,
        "taken": tally.taken,
        "taken_at_new_places": tally.new,
        "mismatches": tally.mismatches,
        "taken_at_another_time_inside": tally.elsewhere,
        "refused_without_reason": tally.without_reason,
        "refusals_proven": tally.proven,
        "refused_wrongly": tally.wrongly_refused,
        "room_made_wrongly": tally.squeezed_wrongly,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=1000)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--taken", type=int, default=1000, help="offered slots that are taken and judged")
    parser.add_argument("--proofs", type=int, default=20, help="refused slots tried by the checker, everywhere")
    parser.add_argument("--json", action="store_true", help="as by default: one JSON object on standard output")
    parser.add_argument("--table", action="store_true", help="a table to read instead")
    return parser.parse_args()


if __name__ == "__main__":
    main()
