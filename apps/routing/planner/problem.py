"""What has to be planned: vans, stops and travel times, immutable and checked on the way in.

Units: whole seconds and whole metres. Every instant is whole seconds since `Problem.epoch` (a UTC posix time).
Nonsense raises `ProblemError`, which names the field. A stop that merely cannot be served is no
error: the plan names it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from apps.routing.planner.checked import LATEST_INSTANT, ProblemError, Window, distinct, whole
from apps.routing.planner.load import NO_LOAD, Load
from apps.routing.planner.stop import NEW_PLACE, Stop
from apps.routing.planner.traffic import TrafficTable
from apps.routing.planner.travel import UNREACHABLE, Travel
from apps.routing.planner.vehicle import FREE, KINDS, Break, Tariff, Vehicle

__all__ = [
    "FREE",
    "KINDS",
    "LATEST_INSTANT",
    "NEW_PLACE",
    "NO_LOAD",
    "Break",
    "Load",
    "Problem",
    "ProblemError",
    "Stop",
    "Tariff",
    "TrafficTable",
    "Vehicle",
    "Window",
]


@dataclass(frozen=True, eq=False)
class Problem:
    """A depot-day: vans, stops and one travel matrix per vehicle profile, all over the same location indices.

    `traffic` slows the legs of the profiles it names; the matrices hold the free road's times.
    """

    epoch: int
    vehicles: tuple[Vehicle, ...]
    stops: tuple[Stop, ...]
    travel: Mapping[str, Travel] = field(repr=False)
    traffic: Mapping[str, TrafficTable] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        whole("epoch", self.epoch, -(2**62), 2**62)
        size = self._one_size()
        distinct("vehicles", [vehicle.id for vehicle in self.vehicles])
        distinct("stops", [stop.id for stop in self.stops])
        for vehicle in self.vehicles:
            if vehicle.profile not in self.travel:
                raise ProblemError(f"vehicle {vehicle.id}: profile", f"no travel times for {vehicle.profile!r}")
            if max(vehicle.start, vehicle.end) >= size:
                raise ProblemError(f"vehicle {vehicle.id}: start", "lies outside the travel matrix")
        for stop in self.stops:
            if stop.location >= size:
                raise ProblemError(f"stop {stop.id}: location", f"{stop.location} lies outside the travel matrix")
        self._check_pairs()
        for profile, table in self.traffic.items():
            if len(table.zone_of_location) != size:
                raise ProblemError("traffic", f"{profile}: {len(table.zone_of_location)} zones for {size} locations")

    def _check_pairs(self) -> None:
        for one in self.stops:
            other = self.stop.get(one.pair) if one.pair else None
            if other is None:  # a part of a problem may hold one half: then nothing serves it
                continue
            if other.pair != one.id or other.collects == one.collects or other.load != one.load:
                raise ProblemError(f"stop {one.id}: pair", f"{other.id} is not its other half")

    def _one_size(self) -> int:
        sizes = {travel.size for travel in self.travel.values()}
        if len(sizes) > 1:
            raise ProblemError("travel", "the profiles' matrices differ in size")
        return sizes.pop() if sizes else 0

    @cached_property
    def stop(self) -> dict[str, Stop]:
        """Stops by id."""
        return {stop.id: stop for stop in self.stops}

    @cached_property
    def vehicle(self) -> dict[str, Vehicle]:
        """Vans by id, in the order given."""
        return {vehicle.id: vehicle for vehicle in self.vehicles}

    @cached_property
    def priced(self) -> bool:
        """Whether plans are judged by money (see `cost`)."""
        return any(vehicle.cost.charges for vehicle in self.vehicles)

    @cached_property
    def wished(self) -> bool:
        """Whether any stop has a wish."""
        return any(stop.wish is not None for stop in self.stops)

    @property
    def exact(self) -> bool:
        """False when any travel time is a straight-line estimate: the plan must say so."""
        return all(travel.exact for travel in self.travel.values())

    def seconds(self, profile: str, source: int, destination: int) -> int:
        return int(self.travel[profile].seconds[source, destination])

    def metres(self, profile: str, source: int, destination: int) -> int:
        return int(self.travel[profile].metres[source, destination])

    def reachable(self, profile: str, source: int, destination: int) -> bool:
        return self.seconds(profile, source, destination) < UNREACHABLE

    def replace(self, **changes: Any) -> Problem:
        return dataclasses.replace(self, **changes)

    def with_stop(self, stop: Stop) -> Problem:
        """This problem with the stop added, or put in the place of the one with its id."""
        if stop.id not in self.stop:
            return self.replace(stops=(*self.stops, stop))
        return self.replace(stops=tuple(stop if old.id == stop.id else old for old in self.stops))

    def without_stop(self, stop_id: str) -> Problem:
        return self.replace(stops=tuple(stop for stop in self.stops if stop.id != stop_id))

    def grown(self, travel: Mapping[str, Travel], like: int) -> Problem:
        """The same over matrices with one more place, the last one, near a known one (which lends its traffic zone)."""
        return self.replace(travel=travel, traffic={name: table.grown(like) for name, table in self.traffic.items()})

    def compact(self) -> Problem:
        """The same problem over matrices of only the places it uses, which is what a pipe should carry."""
        used = {place for vehicle in self.vehicles for place in (vehicle.start, vehicle.end)}
        used |= {stop.location for stop in self.stops if stop.location != NEW_PLACE}
        if len(used) == self._one_size():
            return self
        places = sorted(used)
        number = {place: index for index, place in enumerate(places)} | {NEW_PLACE: NEW_PLACE}
        return self.replace(
            vehicles=tuple(v.replace(start=number[v.start], end=number[v.end]) for v in self.vehicles),
            stops=tuple(stop.replace(location=number[stop.location]) for stop in self.stops),
            travel={profile: travel.take(places) for profile, travel in self.travel.items()},
            traffic={profile: table.take(places) for profile, table in self.traffic.items()},
        )
