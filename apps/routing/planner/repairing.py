"""The third answer: a change that fits nowhere, not even when one other stop makes room, searched for in half a second.

The stop goes in where it is least late, and OR-Tools, with soft closing times, looks for an order in which nothing is.
Either all of it holds under the judge, the changed stop included, or the change is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Refusal, Timetable, apply, least_late
from apps.routing.planner.limits import PLAIN, Limit, Pace, Policy
from apps.routing.planner.neighbours import nearest_vans
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.regroup import warm_plans
from apps.routing.planner.solution import Reason, Solution

SECONDS: Final = 0.35
"""The whole answer, model and judgement included; with the pipe, and a leg of the search's overrun, half a second."""

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
    problem, standing = bare.problem.with_stop(stop), bare.solution
    start = apply(standing, late, stop)
    vans = _vans(problem, start, late.vehicle)
    plans = warm_plans(problem, start, vans, pace.rest(SEARCHED), policy) or []
    costs = [(plan_cost(problem, plan, policy, vans), plan) for plan in plans]
    costs.sort(key=lambda one: (one[0].late, one[0].total))
    for number, (_cost, plan) in enumerate(costs):
        if number and pace.over:
            break
        wrong = violations(problem, plan, standing=standing, standing_problem=bare.problem, strict=frozenset({stop.id}))
        if stop.id in plan.vehicle_of and not wrong:
            return Repaired(problem, plan, tuple(vans))
    return Refusal(Reason.OTHERS)


def _vans(problem: Problem, plan: Solution, van: str) -> list[str]:
    """The van alone once it is on its way, as its parcels are on board; before that with its two nearest."""
    return [van] if problem.vehicle[van].started else nearest_vans(problem, plan, [van], 3)
