"""Bad input: a typed error, or a plan that names what it could not serve. Never a hang, never a silent drop."""

from __future__ import annotations

import time

import numpy as np
import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.eta import roll_forward
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, best_insertion
from apps.routing.planner.problem import Load, Problem, ProblemError, Stop, Vehicle
from apps.routing.planner.slots import offers
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.travel import UNREACHABLE, BadPoint, Point, Travel, whole
from tests.planner.instances import HOUR, ROOMY, stop, three_on_a_street, travel_of


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "7", None, True])
def test_what_is_no_number_never_gets_in(value: object) -> None:
    with pytest.raises(ProblemError):
        stop("s", 1, service=value)
    with pytest.raises(ProblemError):
        Load(grams=value)  # type: ignore[arg-type]


def test_travel_that_is_no_number_is_unreachable_and_what_is_no_place_is_refused() -> None:
    assert whole(np.array([np.nan, np.inf, 1e300, 12.4])).tolist() == [UNREACHABLE] * 3 + [12]
    with pytest.raises(ValueError, match="negative"):
        travel_of([[0, -1], [1, 0]])
    for lat, lon in ((float("nan"), 0.0), (91.0, 0.0), (0.0, 181.0)):
        with pytest.raises(BadPoint):
            Point(lat, lon)


def test_an_island_an_impossible_window_and_no_van_are_answers() -> None:
    problem, plan = three_on_a_street()
    seconds = problem.travel["car"].seconds.copy()
    seconds[4, :], seconds[:, 4] = UNREACHABLE, UNREACHABLE
    island = Timetable.of(problem.replace(travel={"car": travel_of(seconds)}), plan)
    assert best_insertion(island, stop("new", 4)) == Refusal(Reason.UNREACHABLE)
    never = stop("new", 4, (0, 60)).replace(promise=(3600, 7200))
    assert best_insertion(Timetable.of(problem, plan), never) == Refusal(Reason.CLOSED)
    nobody = Timetable.of(Problem(0, (), (), problem.travel), Solution())
    (offer,) = offers({"day": nobody}, stop("new", 4), {"day": [(0, HOUR)]})
    assert (offer.feasible, offer.reason) == (False, Reason.NO_VEHICLE)


def test_a_standing_plan_over_an_island_is_no_crash_and_takes_nothing_more() -> None:
    """A road was closed under the plan: its lateness is beyond measure, yet answers come and break nothing else."""
    problem, plan = three_on_a_street()
    seconds = problem.travel["car"].seconds.copy()
    seconds[2, 3] = UNREACHABLE
    closed = Timetable.of(problem.replace(travel={"car": travel_of(seconds)}), plan)
    found = best_insertion(closed, stop("new", 4))
    assert isinstance(found, Insertion | Refusal)


def test_ten_thousand_stops_are_planned_and_answered_in_seconds() -> None:
    """Ten parcels to each of a thousand blocks: a plan that holds, all else named, the next answer within a blink."""
    size, places, vans = 10_000, 1000, 60
    rng = np.random.default_rng(1)
    at = (rng.random((places + 1, 2)) * 6000).astype(np.int32)
    seconds = np.abs(at[:, None, 0] - at[None, :, 0]) + np.abs(at[:, None, 1] - at[None, :, 1])
    travel = {"car": Travel(seconds, seconds, exact=True)}
    day = (0, 12 * HOUR)
    people = tuple(Stop(f"s{n}", n % places + 1, (day,), service=60, load=Load(1, 1, 1)) for n in range(size))
    fleet = tuple(Vehicle(f"v{n}", "car", 0, 0, 0, day[1], ROOMY) for n in range(vans))
    problem = Problem(0, fleet, people, travel)
    began = time.process_time()
    plan = _swept(problem, at)
    assert violations(problem, plan) == []
    assert len(plan.unserved) + len(plan.vehicle_of) == size
    assert len(plan.vehicle_of) > size // 2
    timetable = Timetable.of(problem, plan)
    timetable.gaps  # noqa: B018
    answered = time.process_time()
    best_insertion(timetable, stop("new", 7, day))
    assert time.process_time() - answered < 0.5
    assert answered - began < 20


def _swept(problem: Problem, at: np.ndarray) -> Solution:
    """Strips of the map, one a van; what a van cannot reach any more is named."""
    order = sorted(problem.stops, key=lambda s: (int(at[s.location, 0]) // 100, int(at[s.location, 1])))
    routes, left = [], dict[str, Reason]()
    share = -(-len(order) // len(problem.vehicles))
    for number, vehicle in enumerate(problem.vehicles):
        kept = tuple(s.id for s in order[number * share : (number + 1) * share])
        while kept:
            times = roll_forward(problem, Route(vehicle.id, kept))
            last = problem.stop[kept[-1]].location
            if times[-1].departure + problem.seconds("car", last, vehicle.end) <= vehicle.shift_end:
                break
            left |= dict.fromkeys(kept[-20:], Reason.WINDOW)
            kept = kept[:-20]
        routes.append(Route(vehicle.id, kept))
    return Solution(tuple(routes), left)
