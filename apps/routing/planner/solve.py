"""The recipes: build a day's plan from nothing, improve a standing plan without breaking what was said.

The solvers are imported on first use only: a process that never solves never loads them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from apps.routing.planner.check import violations
from apps.routing.planner.cost import Cost, moved_over, plan_cost, starts
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, applied, best_insertion
from apps.routing.planner.limits import PLAIN, Limit, Policy
from apps.routing.planner.neighbours import nearest_vans
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.tails import Tail, tails, with_tails

type Engine = Literal["auto", "pyvrp", "ortools", "insertion"]
type Mode = Literal["one_van", "three_vans", "fleet"]


class Verdict(StrEnum):
    """What became of a re-plan."""

    BETTER = "better"
    REPAIRED = "repaired"
    """Less is late or left out than before: applied whatever else it saves."""
    NO_GAIN = "no_gain"
    UNREST = "unrest"
    """It saves too little for the number of customers whose time would move."""
    VIOLATES = "violates"
    NO_SOLUTION = "no_solution"
    NOTHING_TO_MOVE = "nothing_to_move"


@dataclass(frozen=True, slots=True)
class Result:
    """The plan to stand from now on (the old one unless `applied`), why, and what it costs and moves."""

    solution: Solution
    applied: bool
    reason: Verdict
    engine: str
    cost_before: Cost
    cost_after: Cost
    moved_over_5_min: int = 0
    moved_over_10_min: int = 0


def build(
    problem: Problem,
    *,
    seconds: float | None = None,
    iterations: int | None = None,
    engine: Engine = "auto",
    policy: Policy = PLAIN,
    seed: int = 1,
) -> Solution:
    """A plan from nothing. What cannot be served is named with its reason; it never breaks a window to serve one more.

    `auto` takes PyVRP where it is installed and can express the problem, else OR-Tools. A solver that was stopped too
    early may do worse than plain insertion; then the insertion's plan is returned.
    """
    limit = Limit(seconds, iterations if engine != "insertion" else 1)  # insertion needs no limit
    hopeless = _hopeless(problem)
    stops = [stop for stop in problem.stops if stop.id not in hopeless]
    routes = _cold_routes(problem, stops, limit, policy, _choose(problem, engine), seed) if stops else []
    plans = [_complete(problem, _sound(problem, tried), hopeless) for tried in (routes, [])]
    return min(plans, key=lambda plan: plan_cost(problem, plan, policy).total)


def improve(
    problem: Problem,
    standing: Solution,
    *,
    mode: Mode = "one_van",
    touched: Collection[str] = (),
    seconds: float | None = None,
    solutions: int | None = None,
    policy: Policy = PLAIN,
) -> Result:
    """Search around the standing plan, warm, behind its frozen stops; the checker and the policy judge what comes out.

    `touched` are the vans that changed (all, when empty). One van: each of them by itself. Three vans: the first of
    them with its nearest neighbours. Fleet: all at once. Whatever is not clearly better leaves the plan as it stands.
    """
    limit = Limit(seconds, solutions)
    before = plan_cost(problem, standing, policy)
    groups = _groups(problem, standing, mode, touched)
    found, tried = standing, False
    for group in groups:
        better = _solve_group(problem, found, group, limit.share(len(groups)), policy)
        found, tried = better or found, tried or better is not None
    if not tried:
        verdict = Verdict.NO_SOLUTION if groups else Verdict.NOTHING_TO_MOVE
        return Result(standing, False, verdict, "ortools", before, before)
    return judge(problem, standing, found, policy, engine="ortools")


def judge(problem: Problem, standing: Solution, found: Solution, policy: Policy, *, engine: str) -> Result:
    """Whether a found plan may replace the standing one."""
    before, after = plan_cost(problem, standing, policy), plan_cost(problem, found, policy)
    was, now = starts(problem, standing), starts(problem, found)
    five, ten = moved_over(was, now, 300), moved_over(was, now, 600)
    verdict = _verdict(before, after, five, ten, policy)
    if verdict in (Verdict.BETTER, Verdict.REPAIRED) and violations(problem, found, standing=standing):
        verdict = Verdict.VIOLATES
    takes = verdict in (Verdict.BETTER, Verdict.REPAIRED)
    return Result(found if takes else standing, takes, verdict, engine, before, after, five, ten)


def _verdict(before: Cost, after: Cost, five: int, ten: int, policy: Policy) -> Verdict:
    if (after.dropped, after.late) < (before.dropped, before.late) and after.total < before.total:
        return Verdict.REPAIRED
    saving = before.total - after.total
    if saving < max(policy.worth, 1):
        return Verdict.NO_GAIN
    if saving < policy.worth + policy.worth_per_moved * five or ten > policy.most_moved:
        return Verdict.UNREST
    return Verdict.BETTER


def _groups(problem: Problem, standing: Solution, mode: Mode, touched: Collection[str]) -> list[list[str]]:
    """The vans to solve together, only where something can move."""
    all_vans = [vehicle.id for vehicle in problem.vehicles]
    wanted = [van for van in all_vans if van in touched] or all_vans
    if mode == "fleet":
        groups = [all_vans]
    elif mode == "three_vans":
        groups = [nearest_vans(problem, standing, wanted[:3], 3)]
    else:
        groups = [[van] for van in wanted]
    return [group for group in groups if any(tail.stops for tail in tails(problem, standing, group))]


def _solve_group(
    problem: Problem, standing: Solution, vans: list[str], limit: Limit, policy: Policy
) -> Solution | None:
    from apps.routing.planner import ortools_model

    repair = plan_cost(problem, standing, policy, vans).late > 0
    parts = tails(problem, standing, vans)
    extra = tuple(stop for stop in standing.unserved if _might_join(problem.stop[stop], vans))
    task = ortools_model.Task(problem, parts, extra, policy, repair)
    routes = ortools_model.improve_warm(task, limit)
    if routes is None:
        return None
    return _named(problem, with_tails(standing, zip(parts, routes, strict=True)))


def _might_join(stop: Stop, vans: Collection[str]) -> bool:
    """Whether a stop left out so far belongs into this solve: a parcel on board of one of its vans."""
    return stop.loaded_on in vans and bool(stop.windows)


def _named(problem: Problem, plan: Solution) -> Solution:
    """What the solver left out is named as such."""
    missing = {stop.id: Reason.NOT_PLANNED for stop in problem.stops if stop.id not in plan.vehicle_of}
    return plan.replace(unserved={**missing, **plan.unserved})


def _hopeless(problem: Problem) -> dict[str, Reason]:
    """Stops that no van could serve even with an empty day, with the reason."""
    bare = Timetable.of(problem, Solution())
    answers = {stop.id: best_insertion(bare, stop) for stop in problem.stops}
    return {stop: answer.code for stop, answer in answers.items() if isinstance(answer, Refusal)}


def _choose(problem: Problem, engine: Engine) -> Engine:
    if engine != "auto":
        return engine
    if importlib.util.find_spec("pyvrp") is None:
        return "ortools"
    from apps.routing.planner import pyvrp_model

    return "pyvrp" if pyvrp_model.suits(problem) else "ortools"


def _cold_routes(
    problem: Problem, stops: list[Stop], limit: Limit, policy: Policy, engine: Engine, seed: int
) -> list[Route]:
    vans = [vehicle.id for vehicle in problem.vehicles]
    if engine == "insertion":
        return []
    if engine == "pyvrp":
        from apps.routing.planner import pyvrp_model

        orders = pyvrp_model.build_cold(problem, stops, limit, policy, seed)
        return [Route(van, order) for van, order in zip(vans, orders, strict=True)]
    from apps.routing.planner import ortools_model

    parts = tails(problem, Solution(), vans)
    task = ortools_model.Task(problem, parts, tuple(stop.id for stop in stops), policy)
    found = ortools_model.build_cold(task, limit)
    return [] if found is None else [Route(van, order) for van, order in zip(vans, found, strict=True)]


def _sound(problem: Problem, routes: Iterable[Route]) -> Timetable:
    """The routes as a timetable; from a route that breaks anything, the stops that do are taken out."""
    timetable = Timetable.of(problem, Solution())
    for route in routes:
        timetable = timetable.with_route(Route(route.vehicle, _kept(problem, route)))
    return timetable


def _kept(problem: Problem, route: Route) -> tuple[str, ...]:
    """The stops of the route without those that the checker finds wrong, taken out one by one."""
    while True:
        alone = problem.replace(stops=tuple(problem.stop[stop] for stop in route.stops))
        wrong = violations(alone, Solution((route,)))
        if not wrong:
            return route.stops
        culprit = next((violation.stop for violation in wrong if violation.stop), route.stops[-1])
        route = route.removed(culprit)


def _complete(problem: Problem, timetable: Timetable, hopeless: dict[str, Reason]) -> Solution:
    """Everything not yet served goes where it fits best, in order of closing; what fits nowhere is named."""
    unserved = dict(hopeless)
    waiting = [stop for stop in problem.stops if stop.id not in timetable.vehicle_of and stop.id not in hopeless]
    for stop in sorted(waiting, key=lambda stop: (stop.windows[-1][1], stop.id)):
        answer = best_insertion(timetable, stop.replace(merge_key=""))
        if isinstance(answer, Insertion):
            timetable = applied(timetable, answer, stop)
        else:
            unserved[stop.id] = answer.code
    return timetable.solution.replace(unserved=unserved)


__all__ = ["Engine", "Mode", "Result", "Tail", "Verdict", "build", "improve", "judge"]
