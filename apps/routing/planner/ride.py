"""One van's way through its stops, driven forwards on paper: legs, traffic, breaks, waiting, service.

The times here are the ones the plan stands on; the judge (`check_drive`) works them out again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt

from apps.routing.planner.intervals import next_start, permitted
from apps.routing.planner.problem import Break, Problem, Stop, TrafficTable, Vehicle, Window
from apps.routing.planner.solution import Route, StopTimes
from apps.routing.planner.travel import UNREACHABLE


class Driven(NamedTuple):
    """Simulated earliest times: per stop, start of each break, arrival at the end."""

    times: list[StopTimes]
    rests: list[int]
    back: int


@dataclass(frozen=True, slots=True)
class Ride:
    """A route with everything that its simulation needs. Nodes are its start, its stops and its end.

    `legs[i]` leads from node i to node i+1: seconds on the free road as slow as this van drives. `windows` are the
    permitted starts per stop. `zones` holds the traffic zone of every node; nothing where there is no `traffic`.
    """

    vehicle: Vehicle
    route: Route
    stops: list[Stop]
    locations: list[int]
    legs: list[int]
    windows: list[tuple[Window, ...]]
    traffic: TrafficTable | None = None
    zones: Sequence[int] = ()

    @classmethod
    def of(cls, problem: Problem, route: Route) -> Ride:
        vehicle = problem.vehicle[route.vehicle]
        stops = [problem.stop[stop_id] for stop_id in route.stops]
        locations = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
        windows = [permitted(stop) for stop in stops]
        if vehicle.is_carrier:
            return cls(vehicle, route, stops, locations, [0] * (len(stops) + 1), windows)
        legs = along(problem.travel[vehicle.profile].seconds, locations)
        if vehicle.slowdown_percent != 100:
            legs = [slowed(vehicle, leg) for leg in legs]
        traffic = problem.traffic.get(vehicle.profile)
        zones = [traffic.zone_of_location[place] for place in locations] if traffic else ()
        return cls(vehicle, route, stops, locations, legs, windows, traffic, zones)

    @property
    def breaks(self) -> tuple[Break, ...]:
        """The breaks that the van still has to take, on this route or by itself."""
        return () if self.vehicle.is_carrier else self.vehicle.breaks

    @property
    def rests(self) -> tuple[Break, ...]:
        """The breaks that this route has to hold: none while there is nothing to serve."""
        return self.breaks if self.stops else ()

    @property
    def under_way(self) -> bool:
        """Whether the first leg is being driven, so that its arrival is known better than from the legs."""
        return bool(self.route.frozen) and self.vehicle.first_arrival is not None

    def arrive(self, node: int, depart: int) -> int:
        """Arrival at the next node when leaving this one."""
        if self.traffic is None:
            return depart + self.legs[node]
        return self.traffic.arrive(self.zones[node], depart, self.legs[node])

    def leave_by(self, node: int, deadline: int) -> int:
        """The last second to leave this node to be at the next one by the deadline."""
        if self.traffic is None:
            return deadline - self.legs[node]
        return self.traffic.leave_by(self.zones[node], deadline, self.legs[node])

    def with_stop(self, node: int, stop: Stop, windows: tuple[Window, ...], legs: tuple[int, int], zone: int) -> Ride:
        """The ride with one more stop behind this node; breaks taken at the node stay in front of it."""
        return Ride(
            self.vehicle,
            self.route.inserted(node, stop.id),
            [*self.stops[:node], stop, *self.stops[node:]],
            [*self.locations[: node + 1], stop.location, *self.locations[node + 1 :]],
            [*self.legs[:node], *legs, *self.legs[node + 1 :]],
            [*self.windows[:node], windows, *self.windows[node:]],
            self.traffic,
            [*self.zones[: node + 1], zone, *self.zones[node + 1 :]] if self.traffic else (),
        )

    def with_breaks(self, positions: Sequence[int]) -> Ride:
        return Ride(
            self.vehicle,
            self.route.replace(breaks=tuple(positions)),
            self.stops,
            self.locations,
            self.legs,
            self.windows,
            self.traffic,
            self.zones,
        )

    def drive(self, now: int | None = None) -> Driven:
        """As early as possible, waiting for what opens later. With `now`, no arrival lies in the past."""
        if self.vehicle.is_carrier:
            return self._hand_over()
        if self.traffic is None and not self.route.breaks:
            return self._drive_plainly(now)
        clock, times, rests = self.vehicle.available, list[StopTimes](), list[int]()
        for node, (stop, windows) in enumerate(zip(self.stops, self.windows, strict=True)):
            arrival = self.arrive(node, self._rested(node, clock, rests))
            arrival = self._first(arrival, now) if node == 0 else arrival
            start = next_start(windows, arrival)
            clock = start + stop.service
            times.append(StopTimes(arrival, start, clock))
        back = self.arrive(len(self.stops), self._rested(len(self.stops), clock, rests))
        self._rested(len(self.stops) + 1, back, rests)
        return Driven(times, rests, back)

    def _drive_plainly(self, now: int | None) -> Driven:
        clock, times = self.vehicle.available, list[StopTimes]()
        for stop, leg, windows in zip(self.stops, self.legs, self.windows, strict=False):
            arrival = clock + leg
            if not times:
                arrival = self._first(arrival, now)
            start = next_start(windows, arrival)
            clock = start + stop.service
            times.append(StopTimes(arrival, start, clock))
        return Driven(times, [], clock + self.legs[-1])

    def _hand_over(self) -> Driven:
        ready = self.vehicle.available
        starts = [next_start(windows, ready) for windows in self.windows]
        times = [StopTimes(ready, start, start + stop.service) for stop, start in zip(self.stops, starts, strict=True)]
        return Driven(times, [], ready)

    def _first(self, arrival: int, now: int | None) -> int:
        if self.under_way and self.vehicle.first_arrival is not None:
            arrival = self.vehicle.first_arrival
        return arrival if now is None or arrival > now else now

    def _rested(self, node: int, clock: int, rests: list[int]) -> int:
        """The clock behind the breaks that are taken at this node."""
        if node not in self.route.breaks:
            return clock
        for position, rest in zip(self.route.breaks, self.rests, strict=False):
            if position == node:
                rests.append(max(clock, rest.earliest))
                clock = rests[-1] + rest.seconds
        return clock


def slowed(vehicle: Vehicle, seconds: int) -> int:
    """Seconds on the free road as this van drives today, rounded up; what is unreachable stays so."""
    return seconds if seconds >= UNREACHABLE else -(-seconds * vehicle.slowdown_percent // 100)


def along(matrix: npt.NDArray[Any], nodes: list[int]) -> list[int]:
    """The matrix values from each node to the next."""
    values: list[int] = matrix[nodes[:-1], nodes[1:]].tolist()
    return values
