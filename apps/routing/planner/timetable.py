"""A plan in numbers: per van the earliest times forwards and the latest arrivals backwards, and all its gaps as arrays.

A gap is a place where one more stop could go: between two neighbours on a route, behind the frozen stops. A standing
plan may be late already. Then what is late may stay as late as it is (the grace), and never becomes later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.breaks import (
    Layers,
    Limits,
    as_they_lie,
    keeps,
    layers,
    plain_limits,
    settled,
    stretched,
)
from apps.routing.planner.gaps import Gaps, RoomColumns, columns_of
from apps.routing.planner.intervals import Instants
from apps.routing.planner.prices import rates
from apps.routing.planner.problem import LATEST_INSTANT, Problem, Stop, Vehicle, Window
from apps.routing.planner.ride import Driven, Ride, along
from apps.routing.planner.rooms import Allowed, ParcelByParcel, Rooms
from apps.routing.planner.solution import Reason, Route, Solution, StopTimes

__all__ = ["Gaps", "Grace", "RouteTable", "Timetable"]

type Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Grace:
    """How late a standing plan is already: allowed service start by stop, allowed return and break starts by van.

    `standing` are its tables, whose loads and metres are allowed as well.
    """

    starts: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    rests: Mapping[str, Sequence[int]] = field(default_factory=dict)
    standing: Mapping[str, RouteTable] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, eq=False)
class RouteTable:
    """One van's route in numbers. Nodes are its start, its stops and its end; node i+1 is stop i.

    `limits` are its windows, breaks and return, as late as they may be; `late`: service start of each stop that a
    standing route serves too late.
    """

    problem: Problem = field(repr=False)
    ride: Ride = field(repr=False)
    driven: Driven = field(repr=False)
    limits: Limits = field(repr=False)
    late: Mapping[str, int]
    standing: RouteTable | None = field(default=None, repr=False)

    @property
    def vehicle(self) -> Vehicle:
        return self.ride.vehicle

    @property
    def route(self) -> Route:
        return self.ride.route

    @property
    def stops(self) -> list[Stop]:
        return self.ride.stops

    @property
    def locations(self) -> list[int]:
        """Location per node."""
        return self.ride.locations

    @property
    def legs(self) -> list[int]:
        """Seconds on the free road between node i and node i+1."""
        return self.ride.legs

    @property
    def times(self) -> list[StopTimes]:
        """Simulated earliest times per stop."""
        return self.driven.times

    @property
    def back(self) -> int:
        """Arrival at the end."""
        return self.driven.back

    @cached_property
    def metres(self) -> list[int]:
        """Metres between node i and node i+1; a carrier has none."""
        if self.vehicle.is_carrier:
            return [0] * len(self.legs)
        return along(self.problem.travel[self.vehicle.profile].metres, self.locations)

    @property
    def overtime(self) -> int:
        """Seconds behind the end of the shift that are allowed at a price."""
        if self.vehicle.is_carrier or not self.used:
            return 0
        return min(max(0, self.back - self.vehicle.shift_end), self.vehicle.overtime)

    def slack(self, index: int) -> int:
        """How many seconds later service at a stop could start with everything still in order."""
        start, done = self.times[index].start, self.times[index].departure
        closes = next((closes for _, closes in self.limits.windows[index] if start <= closes), start)
        if self.vehicle.is_carrier:
            return closes - start
        behind = sum(position <= index for position in self.route.breaks)
        return min(closes - start, self.layers.leave[behind][index + 1] - done)

    @property
    def used(self) -> bool:
        """Whether the van drives at all: for its stops, or home."""
        return bool(self.route.stops) or self.vehicle.started

    @cached_property
    def holds(self) -> bool:
        """Whether the route keeps every window, promise, break and the shift (or is no later than it was)."""
        return not self.route.stops or keeps(self.ride, self.driven, self.limits)

    @cached_property
    def layers(self) -> Layers:
        return layers(self.ride, self.driven, self.limits)

    @cached_property
    def as_it_lies(self) -> tuple[list[int], list[int]]:
        """Departure from each node and latest arrival at each node with the breaks where they are."""
        return as_they_lie(self.ride, self.driven, self.limits)

    @cached_property
    def calm(self) -> Layers | None:
        """The same without any overtime; None for a van that may have none."""
        if not self.vehicle.overtime or self.vehicle.is_carrier:
            return None
        return layers(self.ride, self.driven, self.limits._replace(end=self.vehicle.shift_end))

    @cached_property
    def rooms(self) -> Rooms:
        if self.vehicle.is_carrier:
            return ParcelByParcel(self.vehicle)
        base = None if self.standing is None else self.standing.rooms
        allowed = None if base is None else Allowed(base.fullest, base.excess)
        way = self.metres if self.used else [0] * len(self.legs)
        return Rooms(self.vehicle, self.stops, way, allowed)

    @cached_property
    def columns(self) -> Gaps:
        return columns_of(self.ride, self.layers, self.calm, self.metres, used=self.used)

    @cached_property
    def calls_again(self) -> bool:
        """Whether the van comes to its depot on the way."""
        return any(stop.reload_of is not None for stop in self.stops)

    @cached_property
    def customers(self) -> int:
        """Stops that are no calls at the depot."""
        return sum(stop.reload_of is None for stop in self.stops)

    @property
    def most_customers(self) -> int | None:
        """How many stops it may have: its limit, or as many as it has already."""
        limit = self.vehicle.max_stops
        return limit if limit is None or self.standing is None else max(limit, self.standing.customers)


@dataclass(frozen=True, eq=False)
class Timetable:
    """A plan of a problem with its times. Immutable; changes give a new one that recomputes the touched van only."""

    problem: Problem
    tables: Mapping[str, RouteTable]
    unserved: Mapping[str, Reason]
    grace: Grace

    @classmethod
    def of(cls, problem: Problem, solution: Solution) -> Timetable:
        """The timetable of a standing plan; its own lateness becomes the grace. Missing breaks are put in."""
        routes = [solution.route.get(vehicle.id, Route(vehicle.id)) for vehicle in problem.vehicles]
        tables = {route.vehicle: _standing(problem, route) for route in routes}
        return cls(problem, tables, solution.unserved, _grace(tables))

    @cached_property
    def solution(self) -> Solution:
        return Solution(tuple(table.route for table in self.tables.values()), dict(self.unserved))

    @cached_property
    def vehicle_of(self) -> dict[str, str]:
        return {stop: van for van, table in self.tables.items() for stop in table.route.stops}

    @cached_property
    def starts(self) -> dict[str, int]:
        """When service begins at every stop that is served."""
        return {
            stop: times.start
            for table in self.tables.values()
            for stop, times in zip(table.route.stops, table.times, strict=True)
        }

    def times(self, stop_id: str) -> StopTimes:
        """Simulated earliest times of a stop that is served; KeyError when it is not."""
        table = self.tables[self.vehicle_of[stop_id]]
        return table.times[table.route.stops.index(stop_id)]

    def without(self, stop_id: str) -> Timetable:
        """The plan with one stop taken out (its place on the van closes); the others keep their grace."""
        if stop_id not in self.vehicle_of and stop_id not in self.unserved:
            return self
        unserved = {other: reason for other, reason in self.unserved.items() if other != stop_id}
        van = self.vehicle_of.get(stop_id)
        starts = {other: start for other, start in self.grace.starts.items() if other != stop_id}
        bare = dataclasses.replace(self, unserved=unserved, grace=dataclasses.replace(self.grace, starts=starts))
        return bare if van is None else bare.with_route(self.tables[van].route.removed(stop_id))

    def with_route(self, route: Route, problem: Problem | None = None) -> Timetable:
        """The plan with one van's route replaced, in a problem that may have gained or changed a stop of it.

        Breaks that do not hold where they stand move to the nearest place where they do.
        """
        problem = problem or self.problem
        table = table_of(problem, Ride.of(problem, route), self.grace)
        return dataclasses.replace(self, problem=problem, tables={**self.tables, route.vehicle: table})

    def only(self, vans: Iterable[str]) -> Timetable:
        """The same plan seen with these vans alone."""
        return dataclasses.replace(self, tables={van: self.tables[van] for van in vans})

    @cached_property
    def vans(self) -> tuple[str, ...]:
        """The vans in the order of `Gaps.van`."""
        return tuple(self.tables)

    @cached_property
    def gaps(self) -> Gaps:
        """All gaps behind the frozen stops, in the order of vans and positions."""
        return Gaps.joined([table.columns for table in self.tables.values()])

    @cached_property
    def rested(self) -> bool:
        """Whether any van may rest at a new stop."""
        return bool(self.gaps.rest_seconds.any())

    @cached_property
    def rooms(self) -> RoomColumns:
        """The room at every gap of `gaps`."""
        return RoomColumns([(table.rooms, table.columns) for table in self.tables.values()])

    def table_at(self, number: int) -> RouteTable:
        """The van of a row of `gaps`."""
        return self.tables[self.vans[int(self.gaps.van[number])]]

    @cached_property
    def prices(self) -> PriceColumns | None:
        """What each van costs; None where the price is the driving itself."""
        if not self.problem.priced:
            return None
        rows = [(rates(self.problem, table.vehicle), table.used) for table in self.tables.values()]
        return PriceColumns(
            second=np.array([rate.second for rate, _ in rows], dtype=np.int64),
            service=np.array([rate.service for rate, _ in rows], dtype=np.int64),
            metre=np.array([rate.metre for rate, _ in rows], dtype=np.int64),
            stop=np.array([rate.stop for rate, _ in rows], dtype=np.int64),
            first=np.array([0 if used else rate.start for rate, used in rows], dtype=np.int64),
        )

    @cached_property
    def overtimers(self) -> Instants | None:
        """Price of each van's overtime as the plan stands, -1 for a van that may have none; None without any."""
        vans = [table.vehicle for table in self.tables.values()]
        if not any(van.overtime for van in vans):
            return None
        rows = [
            (rates(self.problem, van).overtime, table) for van, table in zip(vans, self.tables.values(), strict=True)
        ]
        price = [rate * table.overtime if rate and table.vehicle.overtime else -1 for rate, table in rows]
        return np.array(price, dtype=np.int64)

    @cached_property
    def slowdowns(self) -> Instants | None:
        """Percent by van; None where all drive as planned."""
        percent = [table.vehicle.slowdown_percent for table in self.tables.values()]
        return np.array(percent, dtype=np.int64) if any(each != 100 for each in percent) else None

    @cached_property
    def some_call_again(self) -> bool:
        """Whether a van under way comes to its depot again."""
        return any(table.vehicle.started and table.calls_again for table in self.tables.values())

    @cached_property
    def ranged(self) -> bool:
        """Whether any van has a range."""
        vans = [table.vehicle for table in self.tables.values()]
        return any(van.first_range is not None or van.range_metres is not None for van in vans)

    @cached_property
    def profiles(self) -> dict[str, Indices]:
        """Numbers of the gaps of each vehicle profile; a carrier's way is its own affair."""
        profiles = ["" if table.vehicle.is_carrier else table.vehicle.profile for table in self.tables.values()]
        if profiles and profiles[0] and len(set(profiles)) == 1:
            return {profiles[0]: np.arange(self.gaps.van.size)}
        names = np.array(profiles, dtype=object)
        of_gap = names[self.gaps.van] if len(names) else names
        return {name: np.flatnonzero(of_gap == name) for name in dict.fromkeys(names.tolist()) if name}


class PriceColumns(NamedTuple):
    """Prices by van (see `prices.Rates`); `first` is due when the van would stand still without the stop."""

    second: Instants
    service: Instants
    metre: Instants
    stop: Instants
    first: Instants


def table_of(problem: Problem, ride: Ride, grace: Grace) -> RouteTable:
    """The table of a changed route."""
    van = ride.vehicle.id
    limits = plain_limits(ride)
    windows = limits.windows
    if grace.starts:
        windows = [_graced(stop, spans, grace.starts) for stop, spans in zip(ride.stops, windows, strict=True)]
    rests = stretched(limits.rests, grace.rests.get(van, ()))
    limits = Limits(windows, rests, max(limits.end, grace.ends.get(van, limits.end)))
    ride, driven = settled(ride, limits)
    return RouteTable(problem, ride, driven, limits, {}, grace.standing.get(van))


def _standing(problem: Problem, route: Route) -> RouteTable:
    """The table of a standing route, whose own lateness is its grace."""
    ride = Ride.of(problem, route)
    limits = plain_limits(ride)
    if len(route.breaks) == len(ride.rests):
        driven = ride.drive()
    else:
        ride, driven = settled(ride, limits)
    late = _late_starts(ride.stops, limits.windows, driven.times)
    windows = limits.windows
    if late:
        windows = [_graced(stop, spans, late) for stop, spans in zip(ride.stops, windows, strict=True)]
    end = max(limits.end, driven.back) if ride.stops else limits.end
    return RouteTable(problem, ride, driven, Limits(windows, stretched(limits.rests, driven.rests), end), late)


def _grace(tables: Mapping[str, RouteTable]) -> Grace:
    """What a standing plan does late: the service starts, breaks and returns that lie after their limits."""
    starts = {stop: start for table in tables.values() for stop, start in table.late.items()}
    used = {van: table for van, table in tables.items() if table.route.stops}
    ends = {van: table.back for van, table in used.items() if table.back > table.vehicle.last_return}
    rests = {van: table.driven.rests for van, table in used.items() if table.driven.rests}
    return Grace(starts, ends, rests, tables)


def _graced(stop: Stop, intervals: tuple[Window, ...], starts: Mapping[str, int]) -> tuple[Window, ...]:
    """The permitted starts, the last one stretched to where the standing plan is late already."""
    start = starts.get(stop.id)
    if start is None:
        return intervals
    return (*intervals[:-1], (intervals[-1][0], start)) if intervals else ((-LATEST_INSTANT, start),)


def _late_starts(stops: list[Stop], windows: list[tuple[Window, ...]], times: list[StopTimes]) -> dict[str, int]:
    return {
        stop.id: at.start
        for stop, intervals, at in zip(stops, windows, times, strict=True)
        if not intervals or at.start > intervals[-1][1]
    }
