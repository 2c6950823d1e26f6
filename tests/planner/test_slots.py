"""Offers: an offered window holds when it is taken, a refused one could not have been."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.emissions import GREEN_GRAMS, GREEN_METRES
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, apply, best_insertion, merged, remove
from apps.routing.planner.intervals import intersect
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.new_place import PlaceRows
from apps.routing.planner.problem import NEW_PLACE
from apps.routing.planner.slots import Neighbourhood, offers
from apps.routing.planner.solution import Reason, Solution
from tests.planner.instances import (
    DAY,
    HOUR,
    greedy_plan,
    random_problem,
    random_rich_problem,
    random_stop,
    random_windows,
    stop,
    three_on_a_street,
)

WINDOWS = [(hour * HOUR, (hour + 2) * HOUR) for hour in range(0, 8, 2)]


@pytest.mark.covers("R1")
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_offer_is_the_answer_the_insertion_would_give(seed: int) -> None:
    """Over two days, for a stop that is in the first day's plan already."""
    rng = np.random.default_rng(seed)
    today, tomorrow = random_problem(seed), random_problem(seed + 1)
    days = {"today": greedy_plan(today), "tomorrow": greedy_plan(tomorrow)}
    wanted = today.stops[3].replace(promise=None, windows=random_windows(rng))
    asked = wanted.replace(id="visitor")
    by_day = {"today": wanted, "tomorrow": asked}
    found = offers(days, by_day, dict.fromkeys(days, WINDOWS))
    assert [offer.day for offer in found] == ["today"] * 4 + ["tomorrow"] * 4
    for offer in found:
        plan = days[offer.day]
        taken = by_day[offer.day].replace(windows=intersect(wanted.windows, offer.window))
        answer = best_insertion(remove(plan, taken.id), taken)
        assert offer.feasible == isinstance(answer, Insertion)
        if isinstance(answer, Insertion):
            assert (offer.added_seconds, offer.arrival) == (answer.added_seconds, answer.start)
            assert offer.window[0] <= offer.arrival <= offer.window[1]
            after, whole = apply(plan.solution, answer, taken), merged(plan.problem, answer, taken)
            assert (
                violations(whole, after, standing=plan.solution, standing_problem=plan.problem, strict={taken.id}) == []
            )


@pytest.mark.covers("R1", "R9")
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_an_offer_says_what_taking_it_would_add_under_every_constraint(seed: int) -> None:
    """The figures of an offer are those of the plan with the stop less those of the plan without it."""
    problem = random_rich_problem(seed)
    plan = greedy_plan(problem)
    before = plan_cost(problem, plan.solution, PLAIN)
    asked = random_stop(np.random.default_rng(seed), "visitor", 14).replace(promise=None, windows=(DAY,))
    for offer in offers({"day": plan}, asked, {"day": WINDOWS}):
        taken = asked.replace(windows=intersect(asked.windows, offer.window))
        answer = best_insertion(plan, taken)
        assert offer.feasible == isinstance(answer, Insertion)
        if isinstance(answer, Refusal):
            assert offer.reason == answer.code
            continue
        after, whole = apply(plan.solution, answer, taken), merged(problem, answer, taken)
        assert violations(whole, after, standing=plan.solution, standing_problem=problem, strict={"visitor"}) == []
        now = plan_cost(whole, after, PLAIN)
        assert offer.added_seconds == now.driving - before.driving
        assert offer.added_metres == now.metres - before.metres
        assert offer.added_grams_co2e == now.grams_co2e - before.grams_co2e
        assert abs(offer.added_minor_units - (now.minor_units - before.minor_units)) <= 1
        if offer.green:
            assert offer.added_metres <= GREEN_METRES
            assert offer.added_grams_co2e <= GREEN_GRAMS


def test_green_is_a_van_that_comes_by_anyhow() -> None:
    """Beside the road to the next stop it is green; a trip of its own never is, however short."""
    problem, plan = three_on_a_street()
    diesel = problem.replace(vehicles=(problem.vehicles[0].replace(grams_co2e_per_kilometre=257),))
    timetable = Timetable.of(diesel, plan)
    on_the_way, aside = offers({"d": timetable}, stop("new", 4), {"d": WINDOWS[:1]})[0], stop("new", 4)
    assert (on_the_way.green, on_the_way.added_metres, on_the_way.added_grams_co2e) == (True, 0, 0)
    alone = offers({"d": Timetable.of(diesel.replace(stops=()), Solution())}, aside, {"d": WINDOWS[:1]})[0]
    assert (alone.green, alone.added_metres, alone.added_grams_co2e) == (False, 18_000, 4_626)


def test_a_day_without_a_plan_is_the_empty_plan_of_its_roster() -> None:
    problem, _ = three_on_a_street()
    empty = Timetable.of(problem.replace(stops=()), Solution())
    found = offers({"later": empty}, stop("new", 2), {"later": WINDOWS})
    assert [offer.feasible for offer in found] == [True] * 4


def test_the_reason_and_tightness_are_named() -> None:
    problem, plan = three_on_a_street()
    found = offers(
        {"d": Timetable.of(problem, plan)},
        stop("new", 4, (0, 20 * 60)),
        {"d": [(0, 60), (0, 18 * 60), (HOUR, 2 * HOUR)]},
    )
    assert [(offer.feasible, offer.reason, offer.tight) for offer in found] == [
        (False, Reason.WINDOW, False),
        (True, None, True),
        (False, Reason.CLOSED, False),
    ]


def test_a_new_place_is_offered_through_its_road_queries() -> None:
    problem, plan = three_on_a_street()
    asked: list[int] = []

    def rows(profile: str, locations: list[int]) -> PlaceRows:
        asked.extend(locations)
        seconds = problem.travel["car"].seconds[locations, 4]
        return PlaceRows(seconds, seconds, seconds * 10, seconds * 10)

    known = problem.replace(travel={"car": problem.travel["car"].take(range(4))})
    found = offers(
        {"d": Timetable.of(known, plan)},
        stop("new", NEW_PLACE),
        {"d": WINDOWS},
        place=Neighbourhood([1, 2], rows),
    )
    direct = offers({"d": Timetable.of(problem, plan)}, stop("new", 4), {"d": WINDOWS})
    assert found == direct
    assert len(asked) == len(set(asked))


def test_forty_slots_take_milliseconds() -> None:
    """8 windows x 5 days over plans of 150 stops; processor time, as machines may be busy."""
    days = {f"day{number}": greedy_plan(random_problem(number, stops=150, vans=5)) for number in range(5)}
    windows = {day: [(hour * HOUR, (hour + 1) * HOUR) for hour in range(8)] for day in days}
    for plan in days.values():
        plan.gaps  # noqa: B018  the arrays of a standing plan are made once
    began = time.process_time()
    found = offers(days, stop("new", 152, DAY), windows)
    assert time.process_time() - began < 0.2
    assert len(found) == 40
