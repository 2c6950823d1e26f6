"""What the planner says about one stop: where it goes and what that adds, or why it goes nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from apps.routing.planner.approach import Approach
from apps.routing.planner.breaks import Limits, settled
from apps.routing.planner.emissions import carried_metres, grams, is_green
from apps.routing.planner.fitting import Fit
from apps.routing.planner.intervals import next_start
from apps.routing.planner.prices import minor_units
from apps.routing.planner.problem import Stop, Window
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import RouteTable, Timetable


@dataclass(frozen=True, slots=True)
class Insertion:
    """A place in the plan: before the stop now at `position` of the van's route.

    `added_seconds` (driving on the free road), `added_metres`, `added_minor_units` and `added_grams_co2e` are the plan
    with the stop less the plan without it; `added_units` is the exact price (`prices`), which the choice goes by.
    `arrival` and `start` are simulated; `slack` is how many seconds later service could start with everything still in
    order. `green`: a van is there anyhow (see `emissions.is_green`). With `merge_into` the stop joins that visit
    instead. `breaks`, when given, is where the van's breaks lie then. `late` is above 0 only for `least_late`.
    """

    vehicle: str
    position: int
    added_seconds: int
    added_metres: int
    arrival: int
    start: int
    slack: int
    merge_into: str | None = None
    late: int = 0
    added_minor_units: int = 0
    added_grams_co2e: int = 0
    green: bool = False
    breaks: tuple[int, ...] | None = None
    added_units: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """No position holds: the reason of the candidate that came closest."""

    code: Reason


def found_at(
    timetable: Timetable,
    number: int,
    stop: Stop,
    intervals: tuple[Window, ...],
    approach: Approach,
    fit: Fit,
    price: int,
) -> Insertion:
    """The insertion into one row of the gaps."""
    gaps, table = timetable.gaps, timetable.table_at(number)
    position = int(gaps.position[number])
    metres = int(approach.to_metres[number] + approach.away_metres[number] - gaps.metres[number])
    arrival, start = int(fit.arrival[number]), int(fit.start[number])
    breaks: tuple[int, ...] | None = None
    if table.ride.breaks:
        lies = _breaks_as_they_lie(timetable, number, stop, intervals, approach)
        arrival, start, slack, breaks = lies or _breaks_moved(timetable, number, stop, intervals, approach)
    else:
        closes = next((closes for _, closes in intervals if start <= closes), start)
        slack = min(closes - start, int(gaps.latest[number] - fit.onward[number]))
    added_grams = _added_grams(timetable, table, stop, metres)
    return Insertion(
        vehicle=table.vehicle.id,
        position=position,
        added_seconds=int(approach.to[number] + approach.away[number] - gaps.leg[number]),
        added_metres=metres,
        arrival=arrival,
        start=start,
        slack=slack,
        added_minor_units=minor_units(price) if timetable.problem.priced else 0,
        added_grams_co2e=added_grams,
        green=is_green(table.vehicle, table.route, metres, added_grams),
        breaks=breaks,
        added_units=price,
    )


type _Rested = tuple[int, int, int, tuple[int, ...]]
"""Arrival, start, slack, and where the breaks lie."""


def _breaks_as_they_lie(
    timetable: Timetable, number: int, stop: Stop, intervals: tuple[Window, ...], approach: Approach
) -> _Rested | None:
    """The stop at that row with every break staying where it is; None when that does not hold."""
    table, position = timetable.table_at(number), int(timetable.gaps.position[number])
    ride = table.ride
    if len(table.route.breaks) != len(ride.breaks) or not table.holds:
        return None
    ready, latest = table.as_it_lies
    legs, zone = (int(approach.to[number]), int(approach.away[number])), int(approach.zone[number])
    roads = ride.traffic
    to = ready[position] + legs[0] if roads is None else roads.arrive(ride.zones[position], ready[position], legs[0])
    start = next_start(intervals, to)
    done = start + stop.service
    onward = done + legs[1] if roads is None else roads.arrive(zone, done, legs[1])
    spare = latest[position + 1] - onward
    closes = next((closes for _, closes in intervals if start <= closes), None)
    if closes is None or spare < 0:
        return None
    return to, start, min(closes - start, spare), table.route.inserted(position, stop.id).breaks


def _breaks_moved(
    timetable: Timetable, number: int, stop: Stop, intervals: tuple[Window, ...], approach: Approach
) -> _Rested:
    after, position = hypothetical(timetable, number, stop, intervals, approach), int(timetable.gaps.position[number])
    times = after.times[position]
    return times.arrival, times.start, after.slack(position), after.route.breaks


def hypothetical(
    timetable: Timetable, number: int, stop: Stop, intervals: tuple[Window, ...], approach: Approach
) -> RouteTable:
    """The van's table with the stop at that row, driven, without asking any matrix."""
    table, position = timetable.table_at(number), int(timetable.gaps.position[number])
    legs = int(approach.to[number]), int(approach.away[number])
    ride = table.ride.with_stop(position, stop, intervals, legs, int(approach.zone[number]))
    windows = list(table.limits.windows)
    windows.insert(position, intervals)
    limits = Limits(windows, table.limits.rests, table.limits.end)
    ride, driven = settled(ride, limits)
    return RouteTable(timetable.problem, ride, driven, limits, {}, table.standing or table)


def _added_grams(timetable: Timetable, table: RouteTable, stop: Stop, metres: int) -> int:
    van = table.vehicle
    if van.is_carrier:
        return grams(van, carried_metres(timetable.problem, van, stop.location))
    if not van.grams_co2e_per_kilometre:
        return 0
    driven = sum(table.metres) if table.used else 0
    return grams(van, driven + metres) - grams(van, driven)
