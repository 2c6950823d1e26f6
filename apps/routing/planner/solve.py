"""The recipes: build a day's plan from nothing, improve a standing plan without breaking what was said.

The solvers are imported on first use only: a process that never solves never loads them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from apps.routing.planner.building import Engine, build
from apps.routing.planner.check import violations
from apps.routing.planner.cost import Cost, moved_over, plan_cost, starts
from apps.routing.planner.limits import PLAIN, Hear, Limit, Pace, Policy
from apps.routing.planner.neighbours import nearest_vans
from apps.routing.planner.problem import Problem
from apps.routing.planner.regroup import reinserted, warm_plans
from apps.routing.planner.solution import Solution
from apps.routing.planner.tails import Tail, tails

type Mode = Literal["insertion", "one_van", "three_vans", "fleet"]

JUDGED: Final = 20
"""Plans of one search that are shown to the judge, best first, until one holds."""


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


_TAKEN: Final = (Verdict.BETTER, Verdict.REPAIRED)


@dataclass(frozen=True, slots=True)
class Churn:
    """What a re-plan changes for people: starts moved by more than 5 and 10 minutes, vans changed, stops re-ordered."""

    moved_over_5_min: int = 0
    moved_over_10_min: int = 0
    vans_changed: int = 0
    reordered: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The plan to stand from now on (the old one unless `applied`), why, and what it costs and moves."""

    solution: Solution
    applied: bool
    reason: Verdict
    engine: str
    cost_before: Cost
    cost_after: Cost
    churn: Churn = Churn()
    mode: Mode = "one_van"
    policy: str = "plain"

    @property
    def moved_over_5_min(self) -> int:
        return self.churn.moved_over_5_min

    @property
    def moved_over_10_min(self) -> int:
        return self.churn.moved_over_10_min


def improve(
    problem: Problem,
    standing: Solution,
    *,
    mode: Mode = "one_van",
    touched: Collection[str] = (),
    changed: Collection[str] = (),
    seconds: float | None = None,
    solutions: int | None = None,
    policy: Policy = PLAIN,
    hear: Hear | None = None,
) -> Result:
    """Search around the standing plan, warm, behind its frozen stops; the checker and the policy judge what comes out.

    Insertion: only the `changed` stops move, the others keep their order. One van: each of the `touched` vans (all,
    when empty) by itself. Three vans: up to three
    of them with their nearest neighbours, and again until all have been looked at. Fleet: all at once. Whatever is not
    clearly better leaves the plan as it stands.
    """
    limit = Limit(seconds, solutions)
    if mode == "insertion":
        found = reinserted(problem, standing, list(changed))
        return judge(problem, standing, found, policy, engine="insertion", mode=mode)
    groups = _groups(problem, standing, mode, touched)
    pace, found, broken, tried = Pace(limit, hear), standing, None, False
    for group in groups:
        if pace.tick():
            break
        plans = warm_plans(problem, found, group, limit.share(len(groups)), policy)
        if plans is not None:
            tried, (plan, holds) = True, _best(problem, found, plans, group, policy)
            found, broken = (plan, broken) if holds else (found, plan)
    if not tried:
        before = plan_cost(problem, standing, policy)
        verdict = Verdict.NO_SOLUTION if groups else Verdict.NOTHING_TO_MOVE
        return Result(standing, False, verdict, "ortools", before, before, mode=mode, policy=policy.name)
    best = broken if broken is not None and found is standing else found  # one group's failure is not the others'
    return judge(problem, standing, best, policy, engine="ortools", mode=mode)


def judge(
    problem: Problem,
    standing: Solution,
    found: Solution,
    policy: Policy,
    *,
    engine: str,
    mode: Mode = "fleet",
) -> Result:
    """Whether a found plan may replace the standing one."""
    before, after = plan_cost(problem, standing, policy), plan_cost(problem, found, policy)
    churn = churn_of(problem, standing, found)
    verdict = _verdict(before, after, churn, policy)
    if verdict in _TAKEN and violations(problem, found, standing=standing):
        verdict = Verdict.VIOLATES
    takes = verdict in _TAKEN
    return Result(found if takes else standing, takes, verdict, engine, before, after, churn, mode, policy.name)


def churn_of(problem: Problem, standing: Solution, found: Solution) -> Churn:
    """What the found plan changes for people, compared with the standing one."""
    was, now = starts(problem, standing), starts(problem, found)
    before, after = standing.vehicle_of, found.vehicle_of
    return Churn(
        moved_over(was, now, 300),
        moved_over(was, now, 600),
        sum(before[stop] != van for stop, van in after.items() if stop in before),
        reordered(standing, found),
    )


def reordered(standing: Solution, found: Solution) -> int:
    """The least number of stops whose moving explains the new order, among those that stay on their van."""
    count = 0
    for route in found.routes:
        before = standing.route.get(route.vehicle)
        place = {stop: number for number, stop in enumerate(before.stops)} if before is not None else {}
        common = [place[stop] for stop in route.stops if stop in place]
        rising: list[int] = []
        for number in common:
            at = bisect_left(rising, number)
            rising[at : at + 1] = [number]
        count += len(common) - len(rising)
    return count


def _verdict(before: Cost, after: Cost, churn: Churn, policy: Policy) -> Verdict:
    if (after.dropped, after.late) < (before.dropped, before.late) and after.total < before.total:
        return Verdict.REPAIRED
    saving = before.total - after.total
    if saving < max(policy.worth, 1):
        return Verdict.NO_GAIN
    if saving < policy.worth + _unrest(churn, policy) or churn.moved_over_10_min > policy.most_moved:
        return Verdict.UNREST
    return Verdict.BETTER


def _unrest(churn: Churn, policy: Policy) -> int:
    return policy.worth_per_moved * churn.moved_over_5_min + policy.changed_van * churn.vans_changed


def _best(
    problem: Problem, standing: Solution, plans: list[Solution], vans: list[str], policy: Policy
) -> tuple[Solution, bool]:
    """The plan that is best as it will be driven and seen, of those that hold; what the model thought is a guess.

    False with the best of all where none of the first holds.
    """
    before = plan_cost(problem, standing, policy, vans)
    ranked: list[tuple[tuple[bool, int], Solution]] = []
    for plan in plans:
        after = plan_cost(problem, plan, policy, vans)
        churn = churn_of(problem, _only(standing, vans), _only(plan, vans))
        refused = _verdict(before, after, churn, policy) not in _TAKEN
        ranked.append(((refused, after.total + (0 if refused else _unrest(churn, policy))), plan))
    ranked.sort(key=lambda one: one[0])
    for _, plan in ranked[:JUDGED]:
        if not violations(problem, plan, standing=standing):
            return plan, True
    return ranked[0][1], False


def _only(plan: Solution, vans: Collection[str]) -> Solution:
    return Solution(tuple(route for route in plan.routes if route.vehicle in vans))


def _groups(problem: Problem, standing: Solution, mode: Mode, touched: Collection[str]) -> list[list[str]]:
    """The vans to solve together, only where something can move or join."""
    all_vans = [vehicle.id for vehicle in problem.vehicles if not vehicle.is_carrier]
    wanted = [van for van in all_vans if van in touched] or all_vans
    if mode == "fleet":
        groups = [all_vans]
    elif mode == "three_vans":
        groups, left = [], wanted
        while left:
            groups.append(nearest_vans(problem, standing, left[:3], 3))
            left = [van for van in left if van not in groups[-1]]
    else:
        groups = [[van] for van in wanted]
    return [group for group in groups if any(tail.stops for tail in tails(problem, standing, group))]


__all__ = ["Churn", "Engine", "Mode", "Result", "Tail", "Verdict", "build", "churn_of", "improve", "judge"]
