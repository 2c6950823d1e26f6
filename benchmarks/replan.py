"""How fast and how well a running plan takes what shoppers change: `python -m benchmarks.replan --json`.

Every size runs in a process of its own. Changes follow one another on one plan: each is answered by insertion or by
another stop that makes room; a window that is refused is searched for by the planner child, as the page asks for it
(`rescheduling.look_harder`: `infeasible_changes`, `infeasible_repaired`), another place is not. Then the child
improves; a few are compared with a long solve, warm from the same plan, with the same frozen prefix and prices. The
same day is lived under both policies; the figures at the top are those of the calm one, which a running day has. Times
are wall clock, without HTTP and database.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.routing.planner.calm import calmest_insertion
from apps.routing.planner.check import violations
from apps.routing.planner.cost import moved_over, plan_cost, starts
from apps.routing.planner.insertion import (
    Insertion,
    Refusal,
    Timetable,
    apply,
    best_insertion,
    least_late,
    merged,
    remove,
)
from apps.routing.planner.jobs import SECONDS, FitIn, Improve, Ping
from apps.routing.planner.limits import CALM, THRIFTY, Policy
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.problem import NEW_PLACE, Problem, Stop
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.solve import Mode, improve
from apps.routing.planner.squeeze import Squeezed, squeeze
from apps.routing.planner.travel import Point
from apps.routing.planner.worker import Child
from benchmarks.replan_day import HOUR, SHIFT, BenchmarkDay, Country, make_day, zone_of
from benchmarks.replan_van import measure_one_van, model_build_seconds

EXTRACT = Path("apps/demo/data/liechtenstein.osm.pbf")
ROADS = Path("var/benchmarks/roads")
POLICIES = (CALM, THRIFTY)
OTHERS = Refusal(Reason.OTHERS)


def greedy(policy: Policy) -> Policy:
    """For references: the best found counts, however small the gain."""
    return dataclasses.replace(policy, worth=1, worth_per_moved=0, changed_van=0, most_moved=10**6)


@dataclass
class Tally:
    """What one size measured."""

    answer_ms: list[float] = field(default_factory=list)
    place_ms: list[float] = field(default_factory=list)
    applied_s: list[float] = field(default_factory=list)
    answer_gap: list[float] = field(default_factory=list)
    applied_gap: list[float] = field(default_factory=list)
    moved_five: list[int] = field(default_factory=list)
    moved_ten: list[int] = field(default_factory=list)
    repair_s: list[float] = field(default_factory=list)
    yes: int = 0
    no: int = 0
    repaired: int = 0
    false_refusals: int = 0
    broken: int = 0
    improved: int = 0
    child_mb: float = 0.0


@dataclass(frozen=True)
class Answered:
    """A change and what came of it."""

    asked: Stop
    found: Insertion | Refusal
    problem: Problem
    plan: Solution
    vans: tuple[str, ...] = ()
    """Those whose routes change."""


class Bench:
    """One size: the day, the planner child, and the tally."""

    def __init__(self, day: BenchmarkDay, child: Child, arguments: argparse.Namespace, policy: Policy) -> None:
        self.day, self.child, self.arguments, self.policy = day, child, arguments, policy
        self.tally = Tally()

    def run(self) -> Tally:
        kinds = self.day.rng.permutation(_kinds(self.arguments.changes)).tolist()
        every = max(1, self.arguments.changes // max(1, self.arguments.references))
        for number, kind in enumerate(kinds):
            reference = self.arguments.references > 0 and number % every == every // 2
            getattr(self, f"_{kind}")(reference)
        self.tally.child_mb = self.child.peak_rss_mb
        return self.tally

    # the changes --------------------------------------------------------------------------------------------------

    def _window(self, reference: bool) -> None:
        asked = self._someone().replace(windows=(self._wish(),), promise=None, eta=None)
        problem, plan = self.day.problem, self.day.plan
        (answered, seconds) = _timed(lambda: _change_window(problem, plan, asked, self.policy))
        self.tally.answer_ms.append(seconds * 1000)
        if isinstance(answered.found, Refusal):
            answered = self._searched(answered)
        self._take(answered, reference)

    def _place(self, reference: bool) -> None:
        day, point = self.day, self.day.newcomers.pop()
        moved = self._someone().replace(location=NEW_PLACE, promise=None, eta=None, zone=zone_of(day.country, point))
        (found, seconds) = _timed(lambda: _find_place(day, moved, point, self.policy))
        # The judge drives on full rows, which no answer waits for: learning them is not timed.
        asked = moved.replace(location=day.add_place(point))
        full = best_insertion(remove(Timetable.of(day.problem, day.plan), asked.id), asked)
        fits = isinstance(full, Insertion)
        same = found == full or (bool(self.policy.quiet) and isinstance(found, Insertion))
        assert same if fits else not isinstance(found, Insertion), "bounded rows differ"
        if isinstance(found, Squeezed):
            problem, plan = day.problem.with_stop(asked), found.timetable.solution
            answered = Answered(asked, found.insertion, problem, plan, tuple(sorted(found.vans)))
        else:
            answered = _answered(day.problem, day.plan, asked, found)
        self.tally.place_ms.append(seconds * 1000)
        self._take(answered, reference)

    def _cancel(self, reference: bool) -> None:
        gone = self._someone()
        self._stand(self.day.problem.without_stop(gone.id), self.day.plan.without(gone.id), set())

    # what becomes of them -----------------------------------------------------------------------------------------

    def _take(self, answered: Answered, reference: bool) -> None:
        if isinstance(answered.found, Refusal):
            self.tally.no += 1
            self.tally.false_refusals += self._was_possible(answered.asked)
            return
        self.tally.yes += 1
        before = starts(self.day.problem, self.day.plan)
        before.pop(answered.asked.id, None)
        self._stand(answered.problem, answered.plan, {answered.asked.id})
        committed = self.day.plan
        best = self._reference() if reference else None
        self._improve(answered.vans)
        now = starts(self.day.problem, self.day.plan)
        self.tally.moved_five.append(moved_over(before, now, 300))
        self.tally.moved_ten.append(moved_over(before, now, 600))
        if best is not None:
            self.tally.answer_gap.append(self._gap(committed, best))
            self.tally.applied_gap.append(self._gap(self.day.plan, best))

    def _searched(self, refused: Answered) -> Answered:
        """What fits nowhere at once, in the planner child: repaired, nothing late, or refused for good."""
        asked = refused.asked
        bare = remove(Timetable.of(self.day.problem, self.day.plan), asked.id)
        job = FitIn(bare.problem.without_stop(asked.id), bare.solution, asked, policy=self.policy)
        (found, took) = _timed(lambda: self.child.ask(job, job.seconds + 2))
        self.tally.repair_s.append(took)
        if isinstance(found, Refusal):
            return refused
        self.tally.repaired += 1
        now = {van: route.stops for van, route in found.route.items()}
        vans = tuple(van for van, stops in now.items() if stops != self.day.plan.route[van].stops)
        least = Insertion(found.vehicle_of[asked.id], 0, 0, 0, 0, 0, 0)
        return Answered(asked, least, self.day.problem.with_stop(asked), found, vans)

    def _improve(self, vans: tuple[str, ...]) -> None:
        mode = self._mode(vans)
        seconds = SECONDS[mode]
        job = Improve(self.day.problem, self.day.plan, mode, vans, seconds, self.policy)
        (result, took) = _timed(lambda: self.child.ask(job, seconds + 2))
        self.tally.applied_s.append(took)
        self.tally.improved += result.applied
        self._stand(self.day.problem, result.solution, set())

    def _mode(self, vans: tuple[str, ...]) -> Mode:
        """Vans that are out are solved by themselves; one at the depot with its two nearest."""
        return "one_van" if all(self.day.problem.vehicle[van].started for van in vans) else "three_vans"

    def _reference(self) -> int:
        """The cheapest plan a long solve knows, warm from the committed plan: the fleet at once, then van by van."""
        problem, best, seconds = self.day.problem, self.day.plan, self.arguments.reference_seconds
        parts: tuple[tuple[Mode, float], ...] = (("fleet", 2 / 3), ("one_van", 1 / 3))
        for mode, part in parts:
            best = improve(problem, best, mode=mode, seconds=seconds * part, policy=greedy(self.policy)).solution
        return plan_cost(problem, best, self.policy).total

    def _gap(self, plan: Solution, best: int) -> float:
        """Below 0 where the plan is better than the reference."""
        return 100 * (plan_cost(self.day.problem, plan, self.policy).total - best) / best

    def _was_possible(self, asked: Stop) -> bool:
        """Whether a long search finds a plan for what was refused, breaking nothing."""
        bare = remove(Timetable.of(self.day.problem, self.day.plan), asked.id)
        late = least_late(bare, asked)
        if isinstance(late, Refusal):
            return False
        problem, plan = self.day.problem.with_stop(asked), apply(self.day.plan, late, asked)
        seconds, best = min(self.arguments.reference_seconds, 10.0) / 2, greedy(self.policy)
        standing, before = self.day.plan, self.day.problem
        modes: tuple[Mode, ...] = ("one_van", "fleet")
        for mode in modes:
            found = improve(problem, plan, mode=mode, touched=(late.vehicle,), seconds=seconds, policy=best).solution
            if not violations(problem, found, standing=standing, standing_problem=before, strict={asked.id}):
                return True
        return False

    def _stand(self, problem: Problem, plan: Solution, changed: set[str]) -> None:
        wrong = violations(problem, plan, standing=self.day.plan, standing_problem=self.day.problem, strict=changed)
        self.tally.broken += len(wrong)
        self.day.problem, self.day.plan = problem, plan

    def _someone(self) -> Stop:
        """Anybody whose stop may still change."""
        free = [stop for route in self.day.plan.routes for stop in route.stops[route.frozen :]]
        return self.day.problem.stop[free[int(self.day.rng.integers(len(free)))]]

    def _wish(self) -> tuple[int, int]:
        """One of the two-hour windows a page offers."""
        opens = int(self.day.rng.integers(0, (SHIFT - 2 * HOUR) // HOUR + 1)) * HOUR
        return opens, opens + 2 * HOUR


def _kinds(changes: int) -> list[str]:
    places, cancels = round(changes * 0.35), round(changes * 0.1)
    return ["place"] * places + ["cancel"] * cancels + ["window"] * (changes - places - cancels)


def _change_window(problem: Problem, plan: Solution, asked: Stop, policy: Policy) -> Answered:
    """All that a web process does for an answer, from the snapshot to the plan to be committed."""
    standing = Timetable.of(problem, plan)
    bare = remove(standing, asked.id)
    found = calmest_insertion(standing, bare, asked, policy=policy) if _still_holds(standing, bare, asked) else OTHERS
    answered = _answered(problem, plan, asked, found)
    return _with_room(standing, bare, answered, found) if isinstance(found, Refusal) else answered


def _still_holds(standing: Timetable, bare: Timetable, asked: Stop) -> bool:
    """Whether the van it leaves keeps its times: on some roads the detour is the faster way."""
    van = standing.vehicle_of.get(asked.id)
    return van is None or bare.tables[van].holds


def _find_place(day: BenchmarkDay, moved: Stop, point: Point, policy: Policy) -> Insertion | Refusal | Squeezed:
    """Where a place that no matrix knows goes, or room that another stop makes for it, with the rows that it takes."""
    standing = Timetable.of(day.problem, day.plan)
    bare = remove(standing, moved.id)
    rows = NewPlace(day.nearest(point), day.rows(point))
    found = calmest_insertion(standing, bare, moved, place=rows, policy=policy)
    return found if isinstance(found, Insertion) else squeeze(bare, moved, found, place=rows, standing=standing)


def _with_room(standing: Timetable, bare: Timetable, refused: Answered, refusal: Refusal) -> Answered:
    """The same with room that another stop makes, where one can."""
    squeezed = squeeze(bare, refused.asked, refusal, standing=standing)
    if not isinstance(squeezed, Squeezed):
        return refused
    plan = squeezed.timetable
    return Answered(refused.asked, squeezed.insertion, plan.problem, plan.solution, tuple(sorted(squeezed.vans)))


def _answered(problem: Problem, plan: Solution, asked: Stop, found: Insertion | Refusal) -> Answered:
    if isinstance(found, Refusal):
        return Answered(asked, found, problem, plan)
    return Answered(asked, found, merged(problem, found, asked), apply(plan, found, asked), (found.vehicle,))


def _timed[Value](work: Callable[[], Value]) -> tuple[Value, float]:
    began = time.perf_counter()
    value = work()
    return value, time.perf_counter() - began


def measure(stops: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One size, in a process of its own: the same day under every policy."""
    country = Country.read(arguments.osm, arguments.roads)
    day = make_day(country, stops, arguments.changes, arguments.seed)
    best_insertion(Timetable.of(day.problem, day.plan), day.problem.stops[0].replace(id="warm"))
    found: dict[str, dict[str, Any]] = {}
    for policy in POLICIES:
        again = day.again(arguments.seed)
        with Child() as child:
            child.ask(Ping(), 30)
            found[policy.name] = _report(Bench(again, child, arguments, policy).run())
    return {
        "stops": stops,
        "vans": len(day.problem.vehicles),
        **found[CALM.name],
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "model_build_s": model_build_seconds(day.problem, day.plan),
        "policies": found,
    }


def _report(tally: Tally) -> dict[str, Any]:
    asked = max(1, tally.yes + tally.no)
    return {
        "answer_ms_p50": _percentile(tally.answer_ms, 50),
        "answer_ms_p95": _percentile(tally.answer_ms, 95),
        "place_answer_ms_p95": _percentile(tally.place_ms, 95),
        "applied_s_p95": _percentile(tally.applied_s, 95),
        "answer_gap_percent_median": _median(tally.answer_gap),
        "applied_gap_percent_median": _median(tally.applied_gap),
        "moved_over_5_min_mean": _mean(tally.moved_five),
        "moved_over_10_min_mean": _mean(tally.moved_ten),
        "accepted_percent": round(100 * tally.yes / asked, 1),
        "false_refusals": round(100 * tally.false_refusals / asked, 1),
        "infeasible_changes": len(tally.repair_s),
        "infeasible_repaired": tally.repaired,
        "repair_or_refusal_s_p95": _percentile(tally.repair_s, 95),
        "repair_or_refusal_s_max": _percentile(tally.repair_s, 100),
        "promises_broken": tally.broken,
        "child_peak_rss_mb": round(tally.child_mb, 1),
        "improvements_applied": tally.improved,
    }


def _percentile(values: list[float], percent: int) -> float | None:
    """Nearest rank; None without values."""
    if not values:
        return None
    return round(sorted(values)[math.ceil(percent / 100 * len(values)) - 1], 2)


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


def _mean(values: list[int]) -> float | None:
    return round(statistics.fmean(values), 2) if values else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", default="100,300,1000", help="sizes of the day, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--van-cases", type=int, default=8, help="changes to a single long route, 40 to 150 stops")
    parser.add_argument("--osm", type=Path, default=EXTRACT, help="an OpenStreetMap extract (.osm.pbf)")
    parser.add_argument("--roads", type=Path, default=ROADS, help="where the prepared road network is kept")
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--references", type=int, default=5, help="how many changes are compared with a long solve")
    parser.add_argument("--reference-seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="as by default: one JSON object on standard output")
    parser.add_argument("--table", action="store_true", help="a table to read instead")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    sizes = [int(size) for size in arguments.stops.split(",")]
    results = []
    spawn = multiprocessing.get_context("spawn")
    for size in sizes:
        with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
            results.append(pool.submit(measure, size, arguments).result())
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        one_van = pool.submit(measure_one_van, arguments).result()
    report = {
        "benchmark": "replan",
        "seed": arguments.seed,
        "changes": arguments.changes,
        "results": results,
        "one_van": one_van,
    }
    if not arguments.table:
        print(json.dumps(report, indent=2))
        return
    for result in results:
        print("\n".join(f"{name:28} {value}" for name, value in result.items()), end="\n\n")
    print("\n".join(f"{name:28} {value}" for name, value in one_van.items()))


if __name__ == "__main__":
    main()
