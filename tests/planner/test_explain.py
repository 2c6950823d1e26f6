"""Why a slot is missing, why a stop is unserved, why a time moved: codes with figures that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.explain import EtaCause, Obstacle, explain_eta, explain_refusal, explain_unserved
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, applied, best_insertion, remove
from apps.routing.planner.problem import Break, Load, Problem, TrafficTable
from apps.routing.planner.solution import Reason, Route, Solution
from tests.planner.instances import (
    DAY,
    HOUR,
    greedy_plan,
    line,
    planned,
    random_problem,
    random_rich_problem,
    random_stop,
    stop,
    three_on_a_street,
    van,
)

MINUTE = 60


@pytest.mark.covers("O17")
@pytest.mark.parametrize(
    ("vehicle", "changes", "expected"),
    [
        ({}, {}, Obstacle("fits", "van")),
        ({}, {"skills": frozenset({"lift"})}, Obstacle("skills", "van", names=("lift",))),
        ({"barred_zones": frozenset({"old town"})}, {"zone": "old town"}, Obstacle("zone", "van", names=("old town",))),
        ({"depot": "north"}, {"depots": frozenset({"south"})}, Obstacle("depot", "van", names=("south",))),
        ({"started": True}, {}, Obstacle("left_depot", "van")),
        ({"max_stops": 3}, {}, Obstacle("max_stops", "van", 1, "stops")),
        ({"capacity": Load(3500, 10**6, 9)}, {}, Obstacle("capacity", "van", 500, "grams")),
        ({"range_metres": 36_500}, {"location": 5}, Obstacle("range", "van", 11_500, "metres")),
        ({}, {"windows": ((0, 9 * MINUTE),)}, Obstacle("window", "van", 6 * MINUTE, "seconds")),
        ({"shift_end": 67 * MINUTE}, {"windows": ((0, 67 * MINUTE),)}, Obstacle("shift_end", "van", MINUTE, "seconds")),
    ],
)
def test_each_obstacle_has_its_figure(vehicle: dict, changes: dict, expected: Obstacle) -> None:
    problem, _ = three_on_a_street()
    wide = {"car": line(0, 10, 20, 30, 15, 40)}
    asked = stop("new", 4).replace(**changes)
    plan = planned(problem, van=["a", "b", "c"])
    (found,) = explain_refusal(Timetable.of(problem.replace(vehicles=(van(**vehicle),), travel=wide), plan), asked)
    assert found == expected


def test_whoever_would_suffer_is_named() -> None:
    """The neighbour's window leaves no second; or the driver's break cannot wait for another service."""
    problem, plan = three_on_a_street()
    tight = problem.with_stop(stop("c", 3, (0, 34 * MINUTE)))
    found = explain_refusal(Timetable.of(tight, plan), stop("new", 4, (0, 30 * MINUTE)))
    assert found == [Obstacle("others", "van", 2 * MINUTE, "seconds", stop="c")]
    rests = problem.replace(vehicles=(van(breaks=(Break(23 * MINUTE, 24 * MINUTE, 900),)),))
    found = explain_refusal(Timetable.of(rests, plan), stop("new", 4, (0, 16 * MINUTE), service=HOUR))
    assert [(obstacle.code, obstacle.unit) for obstacle in found] == [("break", "seconds")]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_van_of_a_refusal_has_an_obstacle_and_the_nearest_is_the_reason(seed: int) -> None:
    problem = random_rich_problem(seed)
    plan = greedy_plan(problem)
    rng = np.random.default_rng(seed)
    asked = random_stop(rng, "new", 14).replace(windows=((int(rng.integers(0, 7)) * HOUR,) * 2,), promise=None)
    answer = best_insertion(plan, asked)
    found = explain_refusal(plan, asked)
    assert {obstacle.vehicle for obstacle in found} == set(plan.tables)
    if isinstance(answer, Refusal):
        assert all(obstacle.code != "fits" for obstacle in found)
        nearest = Reason.OTHERS if found[0].code in ("break", "shift_end") else Reason(found[0].code)
        assert nearest == answer.code
    else:
        assert found[0].code == "fits"
    for obstacle in found:
        assert (obstacle.by > 0) == bool(obstacle.unit)


def test_an_unserved_stop_says_what_stands_against_it_now() -> None:
    problem, _ = three_on_a_street()
    lame = problem.with_stop(stop("c", 3, skills=frozenset({"lift"})))
    timetable = Timetable.of(lame, planned(lame, van=["a"], unserved={"b": Reason.NOT_PLANNED, "c": Reason.SKILLS}))
    assert explain_unserved(timetable, "c") == [Obstacle("skills", "van", names=("lift",))]
    assert explain_unserved(timetable, "b") == [Obstacle("fits", "van")]


def times_of(problem: Problem, *stops: str, **route: object) -> Timetable:
    return Timetable.of(problem, Solution((Route("van", stops, **route),)))


def test_each_cause_of_a_moved_time_is_named_with_its_seconds() -> None:
    problem, _ = three_on_a_street()
    before = times_of(problem, "a", "b", "c")
    more = problem.with_stop(stop("new", 4))
    assert explain_eta(before, times_of(more, "a", "new", "b", "c"), "c") == [EtaCause("inserted", 120, "new")]
    assert explain_eta(before, times_of(problem.without_stop("a"), "b", "c"), "c") == [EtaCause("removed", -120, "a")]
    longer = problem.with_stop(stop("a", 1, service=420))
    assert explain_eta(before, times_of(longer, "a", "b", "c"), "c") == [EtaCause("changed", 300, "a")]
    assert explain_eta(before, times_of(problem, "b", "a", "c"), "c") == [EtaCause("reordered", 1200)]
    late = problem.replace(vehicles=(van(available=900),))
    assert explain_eta(before, times_of(late, "a", "b", "c"), "c") == [EtaCause("late_van", 900)]
    slow = problem.replace(traffic={"car": TrafficTable((0,) * 5, ((500,) * 9,))})
    assert explain_eta(before, times_of(slow, "a", "b", "c"), "c") == [EtaCause("traffic", 1800)]
    rests = problem.replace(vehicles=(van(breaks=(Break(0, HOUR, 600),)),))
    assert explain_eta(before, times_of(rests, "a", "b", "c", breaks=(1,)), "c") == [EtaCause("break", 600)]
    assert explain_eta(before, before, "c") == []


def test_a_van_under_way_that_is_behind_is_the_cause_and_what_it_has_done_is_none() -> None:
    """Stop a is done; the van arrives at b a quarter of an hour late."""
    problem, _ = three_on_a_street()
    before = times_of(problem, "a", "b", "c")
    moving = problem.without_stop("a").replace(
        vehicles=(van(started=True, start=1, available=1500, first_arrival=2220),)
    )
    assert explain_eta(before, times_of(moving, "b", "c", frozen=1), "c") == [EtaCause("late_van", 900)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_causes_add_up_to_what_the_page_saw_move(seed: int) -> None:
    """After a removal and an insertion anywhere, on days with breaks and traffic."""
    problem = random_rich_problem(seed) if seed % 2 else random_problem(seed)
    before = greedy_plan(problem)
    served = sorted(before.vehicle_of)
    rng = np.random.default_rng(seed)
    after = remove(before, served[int(rng.integers(len(served)))])
    new = random_stop(rng, "new", 14).replace(windows=(DAY,), promise=None)
    found = best_insertion(after, new)
    if isinstance(found, Insertion):
        after = applied(after, found, new)
    for name in after.vehicle_of:
        if name in before.vehicle_of:
            moved = after.times(name).start - before.times(name).start
            assert sum(cause.seconds for cause in explain_eta(before, after, name)) == moved
