"""A call at the depot is put into a route when something has no room without it, and the judge finds nothing wrong."""

import numpy as np
import pytest

from apps.routing.planner import pyvrp_model, slots
from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Refusal, Timetable, applied, best_insertion
from apps.routing.planner.intervals import intersect
from apps.routing.planner.limits import PLAIN, Limit, Pace
from apps.routing.planner.problem import Load, Problem, Stop, Tariff
from apps.routing.planner.second_wave import Called, Calls, with_call
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.solve import build
from tests.planner.instances import DAY, HOUR, greedy_plan, line, random_rich_problem, random_travel, stop, van

TWO_PIECES = Load(10**9, 10**9, 2)
HOURS_AND_WAYS = Tariff(per_hour=3_000, per_kilometre=50)
WINDOWS = [(hour * HOUR, (hour + 3) * HOUR) for hour in range(0, 9, 3)]


def street(**of_van: object) -> Problem:
    """Two stops fill the van; a third lies at 30 minutes, and the van may come back to load once."""
    call = Stop("call", 0, (DAY,), service=600, reload_of="van")
    stops = (stop("a", 1), stop("b", 2), call)
    return Problem(0, (van(capacity=TWO_PIECES).replace(**of_van),), stops, {"car": line(0, 10, 20, 30)})


@pytest.mark.covers("O2", "O5")
def test_what_has_no_room_goes_behind_a_call_at_the_depot() -> None:
    timetable = Timetable.of(street(), Solution((Route("van", ("a", "b")),)))
    third = stop("c", 3)
    refusal = best_insertion(timetable, third)
    assert isinstance(refusal, Refusal)
    assert refusal.code == Reason.CAPACITY
    found = with_call(timetable, third, refusal)
    assert isinstance(found, Called)
    whole = applied(found.timetable, found.insertion, third)
    assert violations(whole.problem, whole.solution) == []
    (route,) = whole.solution.routes
    assert set(route.stops) == {"a", "b", "c", "call"}
    assert 0 < route.stops.index("call") < 3


@pytest.mark.covers("O2")
def test_a_van_that_has_left_fetches_what_still_lies_at_the_depot() -> None:
    problem = street(started=True, start=1)
    problem = problem.replace(stops=tuple(s if s.is_reload else s.replace(loaded_on="van") for s in problem.stops))
    timetable = Timetable.of(problem, Solution((Route("van", ("a", "b"), 1),)))
    third = stop("c", 3)
    refusal = best_insertion(timetable, third)
    assert isinstance(refusal, Refusal)
    assert refusal.code == Reason.LEFT_DEPOT
    found = with_call(timetable, third, refusal)
    assert isinstance(found, Called)
    whole = applied(found.timetable, found.insertion, third)
    assert violations(whole.problem, whole.solution, standing=timetable.solution) == []
    stops = whole.solution.route["van"].stops
    assert stops[0] == "a"
    assert stops.index("call") < stops.index("c")


@pytest.mark.covers("O2")
def test_a_day_is_built_with_the_call_that_it_needs() -> None:
    problem = street()
    problem = problem.replace(stops=(*problem.stops, stop("c", 3)))
    for engine in ("insertion", "ortools"):
        plan = build(problem, seconds=None if engine == "insertion" else 2, iterations=30, engine=engine)
        assert dict(plan.unserved) == {}
        assert violations(problem, plan) == []


@pytest.mark.covers("O2", "O5", "T4", "R1")
def test_whatever_is_called_for_on_random_days_the_judge_accepts_at_the_price_offered() -> None:
    """For every stop that is left out and every window, also those that only the call makes possible."""
    called = 0
    for seed in range(60):
        problem = random_rich_problem(seed, stops=14)
        named = {one.reload_of for one in problem.stops if one.is_reload}
        calls = tuple(
            Stop(f"again-{one.id}", 0, (DAY,), service=600, reload_of=one.id)
            for one in problem.vehicles
            if one.id not in named and not one.is_carrier
        )
        people = problem.replace(stops=tuple(one for one in problem.stops if not one.is_reload))
        plan = greedy_plan(people)
        timetable = Timetable.of(people.replace(stops=(*people.stops, *calls)), plan.solution)
        for left in [people.stop[name] for name in plan.solution.unserved]:
            possible = Calls(timetable, left)
            for window in (DAY, *WINDOWS):
                cut = left.replace(windows=intersect(left.windows, window))
                refusal = best_insertion(timetable, cut)
                if not isinstance(refusal, Refusal):
                    continue
                offer = slots.called(possible, slots.Offer("day", window, False, refusal.code))
                found = with_call(timetable, cut, refusal)
                assert offer.feasible == isinstance(found, Called)
                if isinstance(found, Called):
                    called += 1
                    assert_taken(timetable, applied(found.timetable, found.insertion, cut), cut, offer)
    assert called >= 20


def assert_taken(before: Timetable, after: Timetable, taken: Stop, offer: slots.Offer) -> None:
    """The judge finds nothing, and the plan with the stop and its call costs what was said."""
    assert violations(after.problem, after.solution) == []
    was, now = (plan_cost(one.problem, one.solution, PLAIN, [offer.vehicle]) for one in (before, after))
    assert (offer.added_seconds, offer.added_metres) == (now.driving - was.driving, now.metres - was.metres)
    assert offer.added_grams_co2e == now.grams_co2e - was.grams_co2e
    assert abs(offer.added_minor_units - (now.minor_units - was.minor_units)) <= 1
    assert offer.arrival == after.times(taken.id).start
    assert offer.window[0] <= offer.arrival <= offer.window[1]


@pytest.mark.covers("O2")
def test_pyvrp_is_told_of_the_calls_and_what_it_plans_with_them_the_judge_accepts() -> None:
    """Forty parcels, two vans for six at a time: nobody gets theirs without several calls, each of its own length."""
    vans = tuple(van(f"v{n}", capacity=Load(10**9, 10**9, 6), cost=HOURS_AND_WAYS) for n in range(2))
    calls = tuple(
        Stop(f"c{n}-{turn}", 0, (DAY,), service=600 + 300 * n, reload_of=f"v{n}") for n in range(2) for turn in range(3)
    )
    people = [stop(f"s{n}", n) for n in range(1, 41)]
    problem = Problem(0, vans, (*people, *calls), {"car": random_travel(np.random.default_rng(1), 41, 900)})
    assert pyvrp_model.suits(problem)
    routes = pyvrp_model.build_cold(problem, people, None, Pace(Limit(solutions=600)), 1.0, seed=1)
    assert violations(problem, Solution(tuple(routes))) == []
    assert sum(name.startswith("c") for route in routes for name in route.stops) >= 5


@pytest.mark.covers("O2")
def test_a_second_load_is_made_where_it_pays_though_everything_fits_without_one() -> None:
    """A cheap bicycle with room for two beside a dear van with room for all: more loads take over from the van."""
    bicycle = van("bike", capacity=TWO_PIECES, cost=Tariff(per_hour=900))
    dear = van("dear", cost=Tariff(per_hour=6_000, per_kilometre=60))
    calls = [Stop(f"call{turn}", 0, (DAY,), service=300, reload_of="bike") for turn in range(3)]
    people = [stop(f"s{n}", n, load=Load(1_000, 5_000, 1)) for n in range(1, 9)]
    problem = Problem(0, (bicycle, dear), (*people, *calls), {"car": line(0, 4, 5, 6, 7, 8, 9, 10, 11)})
    plan = build(problem, iterations=40, engine="ortools")
    assert violations(problem, plan) == []
    assert dict(plan.unserved) == {}
    assert len(plan.route["bike"].stops) == 8 + 3
    assert plan.route["dear"].stops == ()
