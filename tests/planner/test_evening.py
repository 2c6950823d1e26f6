"""How a draft is dealt out among its vans: what is measured, what evening out does to it, and what that may cost."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.evening import DEAREST, even_out
from apps.routing.planner.evenness import NEIGHBOURS, evenness
from apps.routing.planner.limits import PLAIN, Limit, Pace, Policy
from apps.routing.planner.problem import Load, Problem
from apps.routing.planner.solution import Solution
from apps.routing.planner.solve import build
from tests.planner.instances import (
    DAY,
    HOUR,
    greedy_plan,
    line,
    planned,
    random_rich_problem,
    random_travel,
    stop,
    van,
)

pytestmark = pytest.mark.planner
OVERLAP = dataclasses.replace(PLAIN, overlap=200)
BALANCE = dataclasses.replace(PLAIN, uneven=20)
SEEDS = (1, 2)
BOTH = dataclasses.replace(PLAIN, overlap=200, uneven=20)


def pace() -> Pace:
    return Pace(Limit(solutions=10))


def town(seed: int, stops: int = 45, vans: int = 3) -> Problem:
    """A town of doors spread evenly; every second one is at home for two hours only."""
    rng = np.random.default_rng(seed)
    people = []
    for number in range(1, stops + 1):
        opens = int(rng.integers(0, 7)) * HOUR
        window = DAY if rng.random() < 0.5 else (opens, opens + 2 * HOUR)
        people.append(stop(f"s{number}", number, window, service=int(rng.integers(60, 400))))
    fleet = tuple(van(f"van{number}", capacity=Load(10**9, 10**9, stops)) for number in range(vans))
    return Problem(0, fleet, tuple(people), {"car": random_travel(rng, stops + 1)})


def by_hand(problem: Problem, plan: Solution) -> tuple[int, int, int]:
    """Foreign pairs, all pairs, and the longest less the shortest working time (all shifts being equal)."""
    seconds = problem.travel["car"].seconds.astype(int)
    served, foreign, pairs = plan.vehicle_of, 0, 0
    for one in problem.stops:
        there = {s.id: seconds[one.location, s.location] + seconds[s.location, one.location] for s in problem.stops}
        del there[one.id]
        for other in sorted(there, key=lambda name: there[name])[:NEIGHBOURS]:
            if one.id in served and other in served:
                pairs, foreign = pairs + 1, foreign + (served[one.id] != served[other])
    work = []
    for route in plan.routes:
        places = [0, *(problem.stop[name].location for name in route.stops), 0]
        drive = sum(seconds[a, b] for a, b in pairwise(places))
        if route.stops:
            work.append(drive + sum(problem.stop[name].service for name in route.stops))
    return foreign, pairs, max(work) - min(work)


@pytest.mark.covers("O3", "O4")
def test_each_van_keeps_to_its_own_side_of_the_street() -> None:
    """Doors at 10 to 40 minutes east and west of the depot, dealt out crosswise; two vans tidy up at no cost."""
    way = line(0, 10, 12, 14, 16, -10, -12, -14, -16)
    problem = Problem(0, (van("a"), van("b")), tuple(stop(f"s{i}", i) for i in range(1, 9)), {"car": way})
    crossed = planned(problem, a=["s1", "s3", "s6", "s8"], b=["s2", "s4", "s5", "s7"])
    tidy = even_out(problem, crossed, OVERLAP, pace())
    assert {frozenset(route.stops) for route in tidy.routes} == {
        frozenset({"s1", "s2", "s3", "s4"}),
        frozenset({"s5", "s6", "s7", "s8"}),
    }
    assert violations(problem, tidy) == []
    assert plan_cost(problem, tidy, PLAIN).total < plan_cost(problem, crossed, PLAIN).total


@pytest.mark.covers("O3", "O4")
def test_the_overlap_of_areas_and_the_spread_of_work_fall_at_a_bounded_cost() -> None:
    before, after = [0, 0], [0, 0]
    for seed in SEEDS:
        problem = town(seed)
        plan = build(problem, engine="ortools", iterations=20)
        was, cost = evenness(problem, plan), plan_cost(problem, plan, PLAIN).total
        assert (was.foreign, was.pairs, was.spread) == by_hand(problem, plan)
        for policy in (OVERLAP, BALANCE, BOTH):
            found = even_out(problem, plan, policy, pace())
            now = evenness(problem, found)
            assert violations(problem, found) == []
            assert found.vehicle_of.keys() == plan.vehicle_of.keys()
            assert (now.foreign, now.pairs, now.spread) == by_hand(problem, found)
            assert plan_cost(problem, found, PLAIN).total <= cost * (1 + DEAREST) + 1
            assert plan_cost(problem, found, policy).total <= plan_cost(problem, plan, policy).total
            if policy is OVERLAP:
                before[0], after[0] = before[0] + was.overlap_permille, after[0] + now.overlap_permille
            if policy is BALANCE:
                before[1], after[1] = before[1] + was.spread, after[1] + now.spread
    assert after[0] < 0.9 * before[0]
    assert after[1] < 0.8 * before[1]


@pytest.mark.covers("O3", "O4")
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), policy=st.sampled_from((OVERLAP, BALANCE, BOTH)))
def test_evening_out_breaks_nothing_and_leaves_nobody_out(seed: int, policy: Policy) -> None:
    """Breaks, range, calls at the depot, pairs, skills, zones, tariffs, traffic: whichever turn up together."""
    problem = random_rich_problem(seed)
    plan = greedy_plan(problem).solution
    before = violations(problem, plan)
    found = even_out(problem, plan, policy, pace())
    assert violations(problem, found) == before == []
    assert found.unserved == plan.unserved
    cost = plan_cost(problem, plan, PLAIN).total
    assert plan_cost(problem, found, PLAIN).total <= cost * (1 + DEAREST) + 1
    assert plan_cost(problem, found, policy).total <= plan_cost(problem, plan, policy).total
    assert even_out(problem, plan, PLAIN, pace()) is plan
