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
from typing import Any, Final

from apps.routing.planner.travel import UNREACHABLE, Travel

NEW_PLACE: Final = -1
"""`Stop.location` of a place that stands in no matrix yet (see `new_place.best_for_new_place`)."""

LATEST_INSTANT: Final = 100 * 86_400
"""No instant of a plan lies further than this from its epoch, so that sums stay small integers."""

type Window = tuple[int, int]
"""First and last second, both included, at which service may start."""


class ProblemError(ValueError):
    """Input that no plan can be made of; `field` names the culprit (for example ``stop 17: windows``)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, str]]:
        return type(self), (self.field, self.message)


def _whole(name: str, value: object, low: int, high: int = 2**31) -> None:
    if type(value) is not int:
        raise ProblemError(name, f"must be a whole number, not {value!r}")
    if not low <= value <= high:
        raise ProblemError(name, f"{value} lies outside {low}..{high}")


def _instant(name: str, value: object) -> None:
    _whole(name, value, -LATEST_INSTANT, LATEST_INSTANT)


def _window(name: str, window: Window) -> None:
    if len(window) != 2:
        raise ProblemError(name, f"a window has a first and a last second, not {window!r}")
    _instant(name, window[0])
    _instant(name, window[1])
    if window[1] < window[0]:
        raise ProblemError(name, f"closes ({window[1]}) before it opens ({window[0]})")


def _name(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ProblemError(name, "must be a non-empty text")


def _unique(name: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})[:3]
        raise ProblemError(name, f"ids appear twice: {', '.join(twice)}")


@dataclass(frozen=True, slots=True)
class Load:
    """How much a stop asks for, or how much a van can carry."""

    grams: int = 0
    cubic_centimetres: int = 0
    pieces: int = 0

    def __post_init__(self) -> None:
        for name in ("grams", "cubic_centimetres", "pieces"):
            _whole(name, getattr(self, name), 0, 10**12)

    def __add__(self, other: Load) -> Load:
        return Load(
            self.grams + other.grams,
            self.cubic_centimetres + other.cubic_centimetres,
            self.pieces + other.pieces,
        )

    def fits(self, capacity: Load) -> bool:
        return (
            self.grams <= capacity.grams
            and self.cubic_centimetres <= capacity.cubic_centimetres
            and self.pieces <= capacity.pieces
        )


NO_LOAD: Final = Load()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One van with its driver's shift.

    `start` and `end` are location indices; `available` is the earliest departure from `start`. A van that has left the
    depot (`started`) takes no parcel that still lies there. `first_arrival` replaces the drive to the first stop while
    that stop is frozen (the van is already on its way). `zones`, when given, are the only stop zones it may serve.
    """

    id: str
    profile: str
    start: int
    end: int
    available: int
    shift_end: int
    capacity: Load
    started: bool = False
    first_arrival: int | None = None
    skills: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        who = f"vehicle {self.id}"
        _name(f"{who}: id", self.id)
        _name(f"{who}: profile", self.profile)
        _whole(f"{who}: start", self.start, 0)
        _whole(f"{who}: end", self.end, 0)
        _instant(f"{who}: available", self.available)
        _instant(f"{who}: shift_end", self.shift_end)
        if self.shift_end < self.available and not self.started:
            raise ProblemError(f"{who}: shift_end", "ends before the van is available")
        if self.first_arrival is not None:
            _instant(f"{who}: first_arrival", self.first_arrival)

    def replace(self, **changes: Any) -> Vehicle:
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit to one place.

    - `windows`: service must start inside one of them; none at all means closed, and the plan will name the stop.
    - `promise`: what a message told the customer; hard: service must start inside it as well.
    - `loaded_on`: the vehicle that carries the parcel already; it may not change vans. None: it lies at the depot, so
      only a van that has not left can bring it, unless `collects` (nothing to bring: a pick-up at the customer's).
    - `merge_key`: stops with one key (a pick-up point) may become one visit; another parcel then costs `per_parcel`.
    - `eta`: what the page shows now; moving it costs stability, and nothing else.
    - `skills`: what the van must have; `zone`: checked against `Vehicle.zones`.
    - `members`: ids of the deliveries that were merged into this visit, besides its own.
    """

    id: str
    location: int
    windows: tuple[Window, ...]
    service: int = 0
    load: Load = NO_LOAD
    promise: Window | None = None
    loaded_on: str | None = None
    merge_key: str = ""
    per_parcel: int = 0
    eta: Window | None = None
    skills: frozenset[str] = frozenset()
    zone: str = ""
    collects: bool = False
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        who = f"stop {self.id}"
        _name(f"{who}: id", self.id)
        _whole(f"{who}: location", self.location, NEW_PLACE)
        _whole(f"{who}: service", self.service, 0, 86_400)
        _whole(f"{who}: per_parcel", self.per_parcel, 0, 86_400)
        last = -LATEST_INSTANT - 1
        for window in self.windows:
            _window(f"{who}: windows", window)
            if window[0] <= last:
                raise ProblemError(f"{who}: windows", "must be in order and must not overlap")
            last = window[1]
        for name in ("promise", "eta"):
            if (window_or_none := getattr(self, name)) is not None:
                _window(f"{who}: {name}", window_or_none)

    def replace(self, **changes: Any) -> Stop:
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Problem:
    """A depot-day: vans, stops and one travel matrix per vehicle profile, all over the same location indices."""

    epoch: int
    vehicles: tuple[Vehicle, ...]
    stops: tuple[Stop, ...]
    travel: Mapping[str, Travel] = field(repr=False)

    def __post_init__(self) -> None:
        _whole("epoch", self.epoch, -(2**62), 2**62)
        size = self._one_size()
        _unique("vehicles", [vehicle.id for vehicle in self.vehicles])
        _unique("stops", [stop.id for stop in self.stops])
        for vehicle in self.vehicles:
            if vehicle.profile not in self.travel:
                raise ProblemError(f"vehicle {vehicle.id}: profile", f"no travel times for {vehicle.profile!r}")
            if max(vehicle.start, vehicle.end) >= size:
                raise ProblemError(f"vehicle {vehicle.id}: start", "lies outside the travel matrix")
        for stop in self.stops:
            if stop.location >= size:
                raise ProblemError(f"stop {stop.id}: location", f"{stop.location} lies outside the travel matrix")

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
        )
