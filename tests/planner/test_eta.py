"""Expected times: earliest simulation, and a pair that widens honestly."""

from __future__ import annotations

import pytest

from apps.routing.planner.eta import pair, pairs, roll_forward
from apps.routing.planner.problem import Break, TrafficTable
from apps.routing.planner.solution import StopTimes
from tests.planner.instances import HOUR, planned, stop, three_on_a_street, van


def test_the_roll_forward_drives_serves_and_waits() -> None:
    problem, plan = three_on_a_street()
    waits = problem.with_stop(stop("b", 2, (HOUR, 2 * HOUR)))
    assert roll_forward(waits, plan.route["van"]) == [
        StopTimes(600, 600, 720),
        StopTimes(1320, 3600, 3720),
        StopTimes(4320, 4320, 4440),
    ]


def test_a_van_under_way_arrives_when_its_position_says() -> None:
    problem, _ = three_on_a_street()
    moving = problem.replace(vehicles=(van(started=True, first_arrival=900),))
    route = planned(moving, frozen=1, van=["a", "b", "c"]).route["van"]
    assert [times.arrival for times in roll_forward(moving, route)] == [900, 1620, 2340]
    assert roll_forward(moving, route, now=1200)[0].arrival == 1200


def test_the_pair_widens_with_time_and_with_stops_ahead() -> None:
    soon = pair(600, now=0, stops_ahead=0)
    far = pair(4 * HOUR, now=0, stops_ahead=0)
    behind_many = pair(4 * HOUR, now=0, stops_ahead=30)
    widths = [latest - earliest for earliest, latest in (soon, far, behind_many)]
    assert widths == sorted(widths)
    assert widths[0] == 900
    assert 1800 <= widths[2] <= 3600
    assert all(instant % 300 == 0 for instant in (*soon, *far, *behind_many))


def test_the_pair_never_ends_in_the_past_nor_starts_before_the_door_opens() -> None:
    overdue = pair(1000, now=5000, stops_ahead=0)
    assert overdue.earliest <= 5000 < overdue.latest
    assert pair(1000, now=0, stops_ahead=0, opens=HOUR).earliest == HOUR
    assert pair(1000, now=0, stops_ahead=0, opens=HOUR).latest > HOUR


def test_a_late_stop_is_shown_late() -> None:
    """The window's end never cuts the forecast."""
    problem, plan = three_on_a_street()
    late = problem.with_stop(stop("c", 3, (0, 600)))
    shown = pairs(late, plan, now=0)["c"]
    assert shown.earliest <= 2040 <= shown.latest
    assert shown.latest > 600


def test_a_van_that_comes_just_after_the_door_opens_is_not_shown_before() -> None:
    """Who agreed on "from ten on" must not read 09:55."""
    problem, plan = three_on_a_street()
    agreed = problem.with_stop(stop("c", 3, (2000, 2 * HOUR)))
    assert roll_forward(agreed, plan.route["van"])[2].arrival == 2040
    assert pairs(agreed, plan, now=0)["c"].earliest == 2000


@pytest.mark.covers("O12")
def test_the_same_round_ends_later_in_the_evening_rush() -> None:
    """The plan of 17:00 differs from that of 11:00: an hour of free road takes two at half speed."""
    problem, plan = three_on_a_street()
    rush = problem.replace(traffic={"car": TrafficTable((0,) * 5, ((1000,) * 8 + (500,) * 16,))})
    route = plan.route["van"]

    def length(leaves: int) -> int:
        times = roll_forward(rush.replace(vehicles=(van(available=leaves * HOUR, shift_end=24 * HOUR),)), route)
        return times[-1].arrival - leaves * HOUR

    assert length(2) == 34 * 60
    assert length(9) == 64 * 60


def test_a_break_moves_what_comes_behind_it_and_a_slow_van_is_late_everywhere() -> None:
    problem, plan = three_on_a_street()
    rests = problem.replace(vehicles=(van(breaks=(Break(700, HOUR, 900),)),))
    route = plan.route["van"].replace(breaks=(1,))
    assert [times.start for times in roll_forward(rests, route)] == [600, 2220, 2940]
    assert roll_forward(rests, plan.route["van"])[0].start == 600, "a missing break is put where it holds"
    slow = problem.replace(vehicles=(van(slowdown_percent=150),))
    assert [times.start for times in roll_forward(slow, plan.route["van"])] == [900, 1920, 2940]
