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
from apps.routing.planner.limits import PLAIN, Limit, Policy
from apps.routing.planner.neighbours import nearest_vans
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.regroup import warm_plans
from apps.routing.planner.solution import Reason, Solution

SECONDS: Final = 0.3
"""How long is searched; with models, judgement and pipe an answer takes less than half a second."""


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
    stop = stop.replace(merge_key="")
    late = least_late(bare, stop)
    if isinstance(late, Refusal):
        return late
    problem, standing = bare.problem.with_stop(stop), bare.solution
    start = apply(standing, late, stop)
    vans = _vans(problem, start, late.vehicle)
    plans = warm_plans(problem, start, vans, Limit(seconds, solutions), policy) or []
    for plan in sorted(plans, key=lambda plan: plan_cost(problem, plan, policy, vans).total):
        wrong = violations(problem, plan, standing=standing, standing_problem=bare.problem, strict=frozenset({stop.id}))
        if stop.id in plan.vehicle_of and not wrong:
            return Repaired(problem, plan, tuple(vans))
    return Refusal(Reason.OTHERS)


def _vans(problem: Problem, plan: Solution, van: str) -> list[str]:
    """The van alone once it is on its way, as its parcels are on board; before that with its two nearest."""
    return [van] if problem.vehicle[van].started else nearest_vans(problem, plan, [van], 3)
