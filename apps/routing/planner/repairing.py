"""The third answer: a change that fits nowhere, not even when one other stop makes room, searched for in half a second.

The stop goes in where it is least late, and OR-Tools, with soft closing times, looks for an order in which nothing is.
Either all of it holds under the judge, the changed stop included, or the change is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.routing.planner.calm import NOTICED
from apps.routing.planner.check import violations
from apps.routing.planner.cost import moved_over, plan_cost, starts
from apps.routing.planner.insertion import Refusal, Timetable, apply, least_late
from apps.routing.planner.limits import PLAIN, Limit, Pace, Policy
from apps.routing.planner.neighbours import nearest_vans
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.regroup import warm_plans
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.squeeze import Squeezed, squeeze

SECONDS: Final = 0.35
"""The whole answer, model and judgement included; with the pipe, and a leg of the search's overrun, half a second."""

ASKED: Final = 160
"""Stops that are asked to make room first, far more than in the instant answer: where one can, few notice."""

SEARCHED: Final = 0.7
"""Part of what the insertion leaves that the search may take; in the rest the judge sees what was found."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A problem with the changed stop in it, and a plan of it in which everything holds."""

    problem: Problem
    solution: Solution
    vans: tuple[str, ...]
    """Those whose routes may have changed."""


def fit_in(
    bare: Timetable,
    stop: Stop,
    *,
    seconds: float | None = SECONDS,
    solutions: int | None = None,
    policy: Policy = PLAIN,
) -> Repaired | Refusal:
    """A plan with the stop that breaks nothing, where one is found; `bare` is the standing plan without it."""
    pace = Pace(Limit(seconds, solutions))
    stop = stop.replace(merge_key="")
    late = least_late(bare, stop)
    if isinstance(late, Refusal):
        return late
    room = squeeze(bare, stop, Refusal(Reason.OTHERS), tried=ASKED, standing=bare, policy=policy)
    if isinstance(room, Squeezed) and not _wrong(bare, room.timetable.problem, room.timetable.solution, stop):
        return Repaired(room.timetable.problem, room.timetable.solution, tuple(sorted(room.vans)))
    problem, standing = bare.problem.with_stop(stop), bare.solution
    start = apply(standing, late, stop)
    vans = _vans(problem, start, late.vehicle)
    plans = warm_plans(problem, start, vans, pace.rest(SEARCHED), policy) or []
    for number, plan in enumerate(_calmest_first(problem, bare, stop, plans, vans, policy)):
        if number and pace.over:
            break
        if stop.id in plan.vehicle_of and not _wrong(bare, problem, plan, stop):
            return Repaired(problem, plan, tuple(vans))
    return Refusal(Reason.OTHERS)


def _wrong(bare: Timetable, problem: Problem, plan: Solution, stop: Stop) -> bool:
    """Whether the judge finds anything, with no grace for the changed stop."""
    return bool(violations(problem, plan, standing=bare.solution, standing_problem=bare.problem, strict={stop.id}))


def _calmest_first(
    problem: Problem, bare: Timetable, stop: Stop, plans: list[Solution], vans: list[str], policy: Policy
) -> list[Solution]:
    """Plans without lateness first, then by price, everybody who would notice added."""
    before = {other: start for other, start in bare.starts.items() if other != stop.id}
    quiet = policy.quiet * units_per_second(problem)
    costs = [plan_cost(problem, plan, policy, vans) for plan in plans]
    heard = [moved_over(before, starts(problem, plan), NOTICED) for plan in plans]
    order = sorted(range(len(plans)), key=lambda n: (costs[n].late, costs[n].total + quiet * heard[n]))
    return [plans[number] for number in order]


def _vans(problem: Problem, plan: Solution, van: str) -> list[str]:
    """The van alone once it is on its way, as its parcels are on board; before that with its two nearest."""
    return [van] if problem.vehicle[van].started else nearest_vans(problem, plan, [van], 3)
