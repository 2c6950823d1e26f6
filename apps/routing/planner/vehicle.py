"""What can bring a parcel: a van and its driver's shift, a bicycle, somebody on foot, a carrier with a price."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from apps.routing.planner.checked import ProblemError, instant, text, whole
from apps.routing.planner.load import Load

KINDS: Final = ("van", "electric_van", "cargo_bike", "foot", "drone", "robot", "carrier")


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of `seconds` that starts inside [earliest, latest], between two stops: no service or leg is split."""

    earliest: int
    latest: int
    seconds: int

    def __post_init__(self) -> None:
        instant("break: earliest", self.earliest)
        instant("break: latest", self.latest)
        whole("break: seconds", self.seconds, 1, 86_400)
        if self.latest < self.earliest:
            raise ProblemError("break: latest", f"{self.latest} lies before the earliest start {self.earliest}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What using a vehicle costs, in minor units of money.

    `per_start` once if it serves anything, `per_hour` of driving and serving (waiting and breaks are not charged),
    `per_kilometre` driven, `per_stop` served, `per_overtime_hour` behind the end of the shift.
    """

    per_start: int = 0
    per_hour: int = 0
    per_kilometre: int = 0
    per_stop: int = 0
    per_overtime_hour: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            whole(f"cost: {name}", getattr(self, name), 0, 10**7)

    @property
    def charges(self) -> bool:
        return any((self.per_start, self.per_hour, self.per_kilometre, self.per_stop, self.per_overtime_hour))


FREE: Final = Tariff()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One van with its driver's shift.

    `start` and `end` are location indices; `available` is the earliest departure from `start`. A van that has left the
    depot (`started`) takes no parcel that still lies there, unless it calls there again (`Stop.reload_of`).
    `first_arrival` replaces the drive to the first stop while that stop is frozen (the van is already on its way).
    `zones`, when given, are the only stop zones it may serve; `barred_zones` it may not serve at all.

    - `kind`: one of `KINDS`. A `carrier` is a network that takes parcels at `Tariff.per_stop`: it has no legs and no
      shift, serves each stop as soon as it is open from `available` on, and its order means nothing.
    - `depot`: its depot's name; "" is the only one there is (see `Stop.depots`).
    - `breaks`: still to be taken, in order; where they lie on the route is part of the plan (`Route.breaks`).
    - `overtime`: seconds after `shift_end` that it may come back, at a price.
    - `range_metres`: between two calls at its depot; `range_left_metres`: what is left from `start` on, when less.
    - `grams_co2e_per_kilometre`: the operator's factor (see `emissions`).
    - `max_stops`: still to be served, calls at the depot not counted.
    - `slowdown_percent`: 120 drives a fifth longer than planned for the rest of the day.
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
    kind: str = "van"
    depot: str = ""
    breaks: tuple[Break, ...] = ()
    overtime: int = 0
    range_metres: int | None = None
    range_left_metres: int | None = None
    cost: Tariff = FREE
    grams_co2e_per_kilometre: int = 0
    barred_zones: frozenset[str] = frozenset()
    max_stops: int | None = None
    slowdown_percent: int = 100

    def __post_init__(self) -> None:
        who = f"vehicle {self.id}"
        text(f"{who}: id", self.id)
        text(f"{who}: profile", self.profile)
        whole(f"{who}: start", self.start, 0)
        whole(f"{who}: end", self.end, 0)
        instant(f"{who}: available", self.available)
        instant(f"{who}: shift_end", self.shift_end)
        if self.shift_end < self.available and not self.started and not self.is_carrier:
            raise ProblemError(f"{who}: shift_end", "ends before the van is available")
        if self.first_arrival is not None:
            instant(f"{who}: first_arrival", self.first_arrival)
        self._check_limits(who)

    def _check_limits(self, who: str) -> None:
        if self.kind not in KINDS:
            raise ProblemError(f"{who}: kind", f"{self.kind!r} is none of {', '.join(KINDS)}")
        if self.is_carrier and not self.cost.per_stop:
            raise ProblemError(f"{who}: cost", "a carrier needs a price per stop")
        whole(f"{who}: overtime", self.overtime, 0, 86_400)
        whole(f"{who}: grams_co2e_per_kilometre", self.grams_co2e_per_kilometre, 0, 100_000)
        whole(f"{who}: slowdown_percent", self.slowdown_percent, 10, 1000)
        for name in ("range_metres", "range_left_metres", "max_stops"):
            if (limit := getattr(self, name)) is not None:
                whole(f"{who}: {name}", limit, 0)
        last = None
        for rest in self.breaks:
            if last is not None and rest.earliest < last.earliest + last.seconds:
                raise ProblemError(f"{who}: breaks", "must be in order and one after the other")
            last = rest

    @property
    def is_carrier(self) -> bool:
        return self.kind == "carrier"

    @property
    def last_return(self) -> int:
        """The last second at which it may be back."""
        return self.shift_end + self.overtime

    @property
    def first_range(self) -> int | None:
        """Metres it may drive before its first call at the depot; None: as many as it likes."""
        return self.range_metres if self.range_left_metres is None else self.range_left_metres

    def replace(self, **changes: Any) -> Vehicle:
        return dataclasses.replace(self, **changes)
