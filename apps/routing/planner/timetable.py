"""A plan in numbers: per van the earliest times forwards and the latest arrivals backwards, and all its gaps as arrays.

A gap is a place where one more stop could go: between two neighbours on a route, behind the frozen stops. A standing
plan may be late already. Then what is late may stay as late as it is (the grace), and never becomes later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from apps.routing.planner.eta import drive
from apps.routing.planner.intervals import Instants, latest_start, permitted
from apps.routing.planner.problem import LATEST_INSTANT, Load, Problem, Stop, Vehicle, Window
from apps.routing.planner.solution import Reason, Route, Solution, StopTimes

type Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Grace:
    """How late a standing plan is already: allowed service start by stop, allowed return by van; the late ones only."""

    starts: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """One van's route in numbers. Nodes are its start, its stops and its end; node i+1 is stop i.

    - `locations`, `legs`: location per node, seconds between node i and node i+1.
    - `times`: simulated earliest times per stop; `back`: arrival at the end.
    - `latest[i]`: latest arrival at node i+1 with which all behind it still holds (`intervals.NEVER`: none does).
    - `late`: service start of each stop that a standing route serves too late.
    """

    vehicle: Vehicle
    route: Route
    locations: list[int]
    legs: list[int]
    times: list[StopTimes]
    back: int
    latest: list[int]
    load: Load
    late: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether the route keeps every window, promise and the shift (or is no later than it was)."""
        if not self.route.stops:
            return True
        arrivals = [*(times.arrival for times in self.times), self.back]
        return all(arrival <= latest for arrival, latest in zip(arrivals, self.latest, strict=True))

    @property
    def ready(self) -> list[int]:
        """Earliest departure from each node but the last."""
        return [self.vehicle.available, *(times.departure for times in self.times)]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Every gap of a plan, van by van in the problem's order, as arrays of one length."""

    van: Indices
    position: Indices
    before: Indices
    after: Indices
    ready: Instants
    latest: Instants
    leg: Instants
    metres: Instants


@dataclass(frozen=True, eq=False)
class Timetable:
    """A plan of a problem with its times. Immutable; changes give a new one that recomputes the touched van only."""

    problem: Problem
    tables: Mapping[str, RouteTable]
    unserved: Mapping[str, Reason]
    grace: Grace

    @classmethod
    def of(cls, problem: Problem, solution: Solution) -> Timetable:
        """The timetable of a standing plan; its own lateness becomes the grace."""
        routes = [solution.route.get(vehicle.id, Route(vehicle.id)) for vehicle in problem.vehicles]
        tables = {route.vehicle: _table(problem, route, None) for route in routes}
        return cls(problem, tables, solution.unserved, _grace(tables))

    @cached_property
    def solution(self) -> Solution:
        return Solution(tuple(table.route for table in self.tables.values()), dict(self.unserved))

    @cached_property
    def vehicle_of(self) -> dict[str, str]:
        return {stop: van for van, table in self.tables.items() for stop in table.route.stops}

    def times(self, stop_id: str) -> StopTimes:
        """Simulated earliest times of a stop that is served; KeyError when it is not."""
        table = self.tables[self.vehicle_of[stop_id]]
        return table.times[table.route.stops.index(stop_id)]

    def without(self, stop_id: str) -> Timetable:
        """The plan with one stop taken out (its place on the van closes); the others keep their grace."""
        unserved = {other: reason for other, reason in self.unserved.items() if other != stop_id}
        van = self.vehicle_of.get(stop_id)
        starts = {other: start for other, start in self.grace.starts.items() if other != stop_id}
        bare = dataclasses.replace(self, unserved=unserved, grace=Grace(starts, self.grace.ends))
        return bare if van is None else bare.with_route(self.tables[van].route.removed(stop_id))

    def with_route(self, route: Route, problem: Problem | None = None) -> Timetable:
        """The plan with one van's route replaced, in a problem that may have gained or changed a stop of it."""
        problem = problem or self.problem
        tables = {**self.tables, route.vehicle: _table(problem, route, self.grace)}
        return dataclasses.replace(self, problem=problem, tables=tables)

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
        columns: tuple[list[int], ...] = ([], [], [], [], [], [], [], [])
        van, position, before, after, ready, latest, leg, metres = columns
        for number, table in enumerate(self.tables.values()):
            frozen, nodes = table.route.frozen, table.locations
            count = len(nodes) - 1 - frozen
            van += [number] * count
            position += range(frozen, frozen + count)
            before += nodes[frozen:-1]
            after += nodes[frozen + 1 :]
            ready += table.ready[frozen:]
            latest += table.latest[frozen:]
            leg += table.legs[frozen:]
            metres += _along(self.problem.travel[table.vehicle.profile].metres, nodes[frozen:])
        return Gaps(*(np.array(column, dtype=np.int64) for column in columns))

    @cached_property
    def profiles(self) -> dict[str, Indices]:
        """Numbers of the gaps of each vehicle profile."""
        names = np.array([table.vehicle.profile for table in self.tables.values()], dtype=object)
        of_gap = names[self.gaps.van] if len(names) else names
        return {name: np.flatnonzero(of_gap == name) for name in dict.fromkeys(names.tolist())}


def _backward(stops: list[Stop], legs: list[int], windows: list[tuple[Window, ...]], end: int) -> list[int]:
    """Latest arrival at every stop and at the end, from the end forwards."""
    latest = [end]
    for stop, leg, intervals in zip(reversed(stops), reversed(legs), reversed(windows), strict=False):
        latest.append(latest_start(intervals, latest[-1] - leg - stop.service))
    latest.reverse()
    return latest


def _grace(tables: Mapping[str, RouteTable]) -> Grace:
    """What a standing plan does late: the service starts and the returns that lie after their limits."""
    starts = {stop: start for table in tables.values() for stop, start in table.late.items()}
    used = {van: table for van, table in tables.items() if table.route.stops}
    return Grace(starts, {van: t.back for van, t in used.items() if t.back > t.vehicle.shift_end})


def _table(problem: Problem, route: Route, grace: Grace | None) -> RouteTable:
    """The table of one route. Without a grace it is a standing one, whose own lateness is its grace."""
    vehicle = problem.vehicle[route.vehicle]
    stops = [problem.stop[stop_id] for stop_id in route.stops]
    locations = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
    legs = _along(problem.travel[vehicle.profile].seconds, locations)
    windows = [permitted(stop) for stop in stops]
    times = drive(vehicle, route.frozen, stops, legs, windows)
    back = (times[-1].departure if times else vehicle.available) + legs[-1]
    starts: Mapping[str, int]
    late: Mapping[str, int] = {}
    if grace is None:
        starts = late = _late_starts(stops, windows, times)
        end = max(vehicle.shift_end, back if stops else vehicle.shift_end)
    else:
        starts, end = grace.starts, max(vehicle.shift_end, grace.ends.get(vehicle.id, vehicle.shift_end))
    if starts:
        windows = [_graced(stop, intervals, starts) for stop, intervals in zip(stops, windows, strict=True)]
    latest = _backward(stops, legs, windows, end)
    return RouteTable(vehicle, route, locations, legs, times, back, latest, _sum(stops), late)


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


def _sum(stops: list[Stop]) -> Load:
    return Load(
        sum(stop.load.grams for stop in stops),
        sum(stop.load.cubic_centimetres for stop in stops),
        sum(stop.load.pieces for stop in stops),
    )


def _along(matrix: npt.NDArray[np.int32], nodes: list[int]) -> list[int]:
    """The matrix values from each node to the next."""
    values: list[int] = matrix[nodes[:-1], nodes[1:]].tolist()
    return values
