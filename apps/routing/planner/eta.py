"""Expected times: the roll-forward of one route, and the honest pair a customer is shown.

The pair widens with the time still to go and with the stops still ahead, as both are what makes a forecast wrong:

    early = 120 s + 4 % of the lead time
    late  = 180 s + 8 % of the lead time + 20 s per stop ahead

Both are rounded outwards to five minutes, and no pair is narrower than a quarter of an hour: a lone minute would be a
precision that nobody has. The early side never lies before the window opens; the late side is never cut at the
window's end (when the van will be late, the page says so) and never lies in the past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from apps.routing.planner.breaks import placed
from apps.routing.planner.intervals import opening, permitted
from apps.routing.planner.problem import Problem
from apps.routing.planner.ride import Ride
from apps.routing.planner.solution import Route, Solution, StopTimes


@dataclass(frozen=True, slots=True)
class Spread:
    """How a forecast's error grows. Seconds, and parts in 100 of the lead time."""

    early: int = 120
    early_percent: int = 4
    late: int = 180
    late_percent: int = 8
    late_per_stop: int = 20


HONEST = Spread()
MARK = 300
NARROWEST = 900


class EtaPair(NamedTuple):
    """Earliest and latest start of service, seconds since the epoch."""

    earliest: int
    latest: int


def roll_forward(problem: Problem, route: Route, *, now: int | None = None) -> list[StopTimes]:
    """Simulated earliest times of every stop, breaks and traffic included. With `now`, no first arrival is past."""
    return Ride.of(problem, placed(problem, route)).drive(now).times


def pair(arrival: int, *, now: int, stops_ahead: int, opens: int | None = None, spread: Spread = HONEST) -> EtaPair:
    """The honest pair around one simulated arrival. `opens` is the earliest permitted start, where there is one."""
    arrival = max(arrival, now)
    lead = arrival - now
    earliest = arrival - spread.early - lead * spread.early_percent // 100
    latest = arrival + spread.late + lead * spread.late_percent // 100 + stops_ahead * spread.late_per_stop
    earliest = earliest // MARK * MARK
    if opens is not None:
        earliest = max(earliest, opens)
    latest = max(-(-latest // MARK) * MARK, earliest + NARROWEST)
    return EtaPair(earliest, latest)


def pairs(problem: Problem, solution: Solution, *, now: int, spread: Spread = HONEST) -> dict[str, EtaPair]:
    """The honest pair of every stop served, by stop id."""
    found: dict[str, EtaPair] = {}
    for route in solution.routes:
        for ahead, (stop_id, times) in enumerate(zip(route.stops, roll_forward(problem, route, now=now), strict=True)):
            opens = opening(permitted(problem.stop[stop_id]), times.start)
            found[stop_id] = pair(times.arrival, now=now, stops_ahead=ahead, opens=opens, spread=spread)
    return found
