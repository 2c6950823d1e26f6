"""A plan made better piece by piece: a few neighbouring routes at a time, warm, again and again until the time is up.

OR-Tools finds far more in many small models than in one large one: on published problems of 100-200 stops a third to
half of the gap of its guided search over all routes at once.
"""

from __future__ import annotations

import random
from typing import Final

import numpy as np

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.limits import Limit, Pace, Policy
from apps.routing.planner.problem import Problem
from apps.routing.planner.regroup import best_of, warm_plans
from apps.routing.planner.solution import Solution

PIECE: Final = 40
"""Stops that are solved together, about; never fewer than two routes."""

PIECE_SECONDS: Final = 0.3
ROUNDS: Final = 3
"""Pieces in a row where only solutions are counted, not seconds."""


def polish(problem: Problem, plan: Solution, policy: Policy, pace: Pace, seed: int) -> Solution:
    """The plan, better where it can be: every constraint is in the models, and the judge sees what they find."""
    dice = random.Random(seed)  # noqa: S311  a search, not a secret
    stale: set[frozenset[tuple[str, ...]]] = set()
    rounds = ROUNDS if pace.limit.seconds is None else 10**6
    tried = 0
    while rounds and not pace.over and tried < 200:
        vans = _piece(problem, plan, dice)
        known = frozenset(plan.route[van].stops for van in vans if van in plan.route)
        if len(vans) < 1 or known in stale:
            tried += 1
            continue
        tried, rounds = 0, rounds - 1
        better = _better(problem, plan, vans, policy, pace.rest(most=PIECE_SECONDS))
        if better is None:
            stale.add(known)
        else:
            plan = better
        pace.tick(plan_cost(problem, plan, policy).total if better is not None else None)
    return plan


def _better(problem: Problem, plan: Solution, vans: list[str], policy: Policy, limit: Limit) -> Solution | None:
    plans = warm_plans(problem, plan, vans, limit, policy)
    if not plans:
        return None
    before = plan_cost(problem, plan, policy, vans).total
    found = best_of(plans, lambda other: plan_cost(problem, other, policy, vans).total)
    if plan_cost(problem, found, policy, vans).total >= before or violations(problem, found, standing=plan):
        return None
    return found


def _piece(problem: Problem, plan: Solution, dice: random.Random) -> list[str]:
    """The routes around a stop drawn by lot, and one van that stands still, which may take over some of it."""
    own = {vehicle.id for vehicle in problem.vehicles if not vehicle.is_carrier}
    served = [stop for stop in plan.vehicle_of if plan.vehicle_of[stop] in own]
    if not served:
        return []
    middle = problem.stop[dice.choice(served)]
    van_of = plan.vehicle_of
    profile = problem.vehicle[van_of[middle.id]].profile
    places = np.array([problem.stop[stop].location for stop in served])
    near = np.argsort(problem.travel[profile].seconds[middle.location, places], kind="stable").tolist()
    chosen, count = list[str](), 0
    for number in near:
        van = van_of[served[number]]
        if van in chosen:
            continue
        size = len(plan.route[van].stops)
        if len(chosen) >= 2 and count + size > PIECE:
            break
        chosen.append(van)
        count += size
    idle = [vehicle.id for vehicle in problem.vehicles if vehicle.id in own and not _busy(plan, vehicle.id)]
    return [*chosen, *idle[:1]]


def _busy(plan: Solution, van: str) -> bool:
    return van in plan.route and bool(plan.route[van].stops)
