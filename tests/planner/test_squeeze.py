"""The second answer: another stop makes room, and everybody's word is kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.check import violations
from apps.routing.planner.insertion import Refusal, Timetable, best_insertion, change
from apps.routing.planner.problem import Load, Problem
from apps.routing.planner.solution import Reason
from apps.routing.planner.squeeze import Squeezed, squeeze
from tests.planner.instances import greedy_plan, line, planned, random_problem, stop, van
from tests.planner.test_insertion import under_way


def full_van_beside_an_empty_one() -> tuple[Problem, Timetable]:
    """The van with the lift is full; the other van has room for what needs no lift."""
    one = Load(0, 0, 1)
    problem = Problem(
        0,
        (van("lift", capacity=one, skills=frozenset({"lift"})), van("plain", capacity=one)),
        (stop("a", 1, load=one),),
        {"car": line(0, 10, 20)},
    )
    return problem, Timetable.of(problem, planned(problem, lift=["a"], plain=[]))


def test_a_stop_that_needs_no_lift_makes_room_for_one_that_does() -> None:
    _, timetable = full_van_beside_an_empty_one()
    heavy = stop("piano", 2, skills=frozenset({"lift"}), load=Load(0, 0, 1))
    refusal = best_insertion(timetable, heavy)
    assert refusal == Refusal(Reason.CAPACITY)
    found = squeeze(timetable, heavy, refusal)
    assert isinstance(found, Squeezed)
    assert (found.moved, found.vans) == ("a", {"lift", "plain"})
    routes = found.timetable.solution.route
    assert (routes["lift"].stops, routes["plain"].stops) == (("piano",), ("a",))


def test_what_no_room_would_help_stays_refused() -> None:
    _, timetable = full_van_beside_an_empty_one()
    closed = stop("never", 2).replace(windows=())
    refusal = best_insertion(timetable, closed)
    assert isinstance(refusal, Refusal)
    assert squeeze(timetable, closed, refusal) == refusal == Refusal(Reason.CLOSED)


def test_a_loaded_or_frozen_stop_does_not_make_room() -> None:
    problem, _ = full_van_beside_an_empty_one()
    heavy = stop("piano", 2, skills=frozenset({"lift"}), load=Load(0, 0, 1))
    refusal = Refusal(Reason.CAPACITY)
    loaded = problem.with_stop(problem.stop["a"].replace(loaded_on="lift"))
    assert squeeze(Timetable.of(loaded, planned(loaded, lift=["a"], plain=[])), heavy, refusal) == refusal
    frozen = planned(problem, lift=["a"], plain=[])
    frozen = frozen.with_route(frozen.route["lift"].replace(frozen=1))
    assert squeeze(Timetable.of(problem, frozen), heavy, refusal) == refusal


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_whoever_makes_room_keeps_window_and_promise(seed: int) -> None:
    """Every stop in turn asks for a quarter of an hour that plain insertion refuses; the judge sees what comes out."""
    problem = random_problem(seed, stops=16)
    problem, plan = under_way(problem, greedy_plan(problem).solution, seed)
    timetable = Timetable.of(problem, plan)
    for route in plan.routes:
        for number, name in enumerate(route.stops[route.frozen :]):
            opens = (seed + 977 * number) % 25_000
            asked = problem.stop[name].replace(windows=((opens, opens + 900),), promise=None)
            bare, refusal = change(timetable, asked)
            if not isinstance(refusal, Refusal):
                continue
            found = squeeze(bare, asked, refusal)
            if isinstance(found, Refusal):
                continue
            after = found.timetable
            assert (
                violations(after.problem, after.solution, standing=plan, standing_problem=problem, strict={name}) == []
            )
            assert after.solution.vehicle_of[found.moved] == found.moved_to.vehicle
