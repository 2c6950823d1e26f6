"""What was planned: each van's order of stops, the stops left out with the reason, and simulated times."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from apps.routing.planner.problem import ProblemError


class Reason(StrEnum):
    """Why a stop is not in the plan, or why a change was refused. Ordered from far away to nearly possible."""

    NO_VEHICLE = "no_vehicle"
    """No van works that day, or the van that carries the parcel is not part of it."""
    CLOSED = "closed"
    """The stop has no window at all, or its windows and its promise never overlap."""
    SKILLS = "skills"
    ZONE = "zone"
    DEPOT = "depot"
    """The goods lie at another depot than the vans."""
    LEFT_DEPOT = "left_depot"
    """The parcel lies at the depot and every van that could bring it has left."""
    MAX_STOPS = "max_stops"
    """Every van that could bring it has as many stops as it may."""
    CAPACITY = "capacity"
    UNREACHABLE = "unreachable"
    """No road leads there and back."""
    RANGE = "range"
    """The way is longer than the vans' range allows."""
    COLLECTION = "collection"
    """No van can first collect it where it lies, in time and on the same round."""
    WINDOW = "window"
    """No van gets there inside a window and the promise."""
    OTHERS = "others"
    """It would break another customer's window or promise, or a driver's shift or break."""
    NOT_PLANNED = "not_planned"
    """The solver left it out and can name no single cause."""


class StopTimes(NamedTuple):
    """Simulated earliest times at one stop, seconds since the epoch. Service starts at `start` (an early van waits)."""

    arrival: int
    start: int
    departure: int


@dataclass(frozen=True, slots=True)
class Route:
    """One van's stops in order. The `frozen` leading ones are being driven and may not change.

    `breaks[k]`: the van's k-th break is taken directly before leaving towards the stop of that index: 0 before the
    first leg, `len(stops)` before the way back, `len(stops) + 1` after it. A route without stops needs none.
    """

    vehicle: str
    stops: tuple[str, ...] = ()
    frozen: int = 0
    breaks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.frozen <= len(self.stops):
            raise ProblemError(f"route {self.vehicle}: frozen", f"{self.frozen} of {len(self.stops)} stops")
        if self.breaks and (
            list(self.breaks) != sorted(self.breaks) or self.breaks[0] < 0 or self.breaks[-1] > len(self.stops) + 1
        ):
            raise ProblemError(f"route {self.vehicle}: breaks", f"{self.breaks} for {len(self.stops)} stops")

    def replace(self, **changes: Any) -> Route:
        return dataclasses.replace(self, **changes)

    def inserted(self, position: int, stop: str) -> Route:
        """With the stop put before the one at `position`. Breaks before leaving towards that one come first."""
        breaks = tuple(at + 1 if at > position else at for at in self.breaks)
        return self.replace(stops=(*self.stops[:position], stop, *self.stops[position:]), breaks=breaks)

    def removed(self, stop: str) -> Route:
        """Without the stop; a break before leaving towards it, or behind it, comes before the next leg."""
        if stop not in self.stops:
            return self
        index = self.stops.index(stop)
        stops = (*self.stops[:index], *self.stops[index + 1 :])
        breaks = tuple(at - 1 if at > index else at for at in self.breaks) if stops else ()
        return Route(self.vehicle, stops, self.frozen - (index < self.frozen), breaks)


@dataclass(frozen=True)
class Solution:
    """A plan: one route per van (a van without a route stands still) and the stops left out, each with its reason."""

    routes: tuple[Route, ...] = ()
    unserved: Mapping[str, Reason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        vehicles = [route.vehicle for route in self.routes]
        if len(set(vehicles)) != len(vehicles):
            raise ProblemError("routes", "a van has two routes")

    @cached_property
    def route(self) -> dict[str, Route]:
        """Routes by vehicle id."""
        return {route.vehicle: route for route in self.routes}

    @cached_property
    def vehicle_of(self) -> dict[str, str]:
        """Vehicle id by stop id, for every stop served."""
        return {stop: route.vehicle for route in self.routes for stop in route.stops}

    def replace(self, **changes: Any) -> Solution:
        return dataclasses.replace(self, **changes)

    def with_route(self, route: Route) -> Solution:
        """This plan with one van's route put in place of the old one."""
        if route.vehicle not in self.route:
            return self.replace(routes=(*self.routes, route))
        return self.replace(routes=tuple(route if old.vehicle == route.vehicle else old for old in self.routes))

    def without(self, stop: str) -> Solution:
        """This plan with one stop taken out, whether it was served or not."""
        unserved = {other: reason for other, reason in self.unserved.items() if other != stop}
        vehicle = self.vehicle_of.get(stop)
        plan = self.replace(unserved=unserved)
        return plan if vehicle is None else plan.with_route(self.route[vehicle].removed(stop))
