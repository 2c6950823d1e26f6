"""What a fleet's own days teach: how long stops take, how slow roads are, and how a van's day so far bears on its rest.

Service time = the order's own expectation x a factor of place kind, postcode, both together, parcels and floor. Driving
time = the empty road's x a factor of hour, grid cell and both together, per road profile. Both factors come from
`effects.fit`, shrunk to 1, so that an install without history plans as it did before. A van's day (driver, weather,
luck) is an effect too: it is not kept for any other day, only how far days lie apart is. No driver is ever profiled.

While a van is under way its own day shows: `pace` weighs what its stops and legs took so far against what was expected
of them, shrunk by how far days lie apart. Pure NumPy; seconds throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, radians
from typing import Any, Final, NamedTuple

import numpy as np

from apps.routing.planner.effects import Effects, fit
from apps.routing.planner.traffic import FASTEST, FREE_FLOW, SLOWEST, TrafficTable

CELL_METRES: Final = 3_000
_METRES_PER_DEGREE: Final = 111_195.0
SHORTEST_LEG: Final = 15
"""Shorter drives are parking, not driving, and teach nothing about roads."""
LONGEST_PAUSE: Final = 1_800
"""Who took so much longer than the road asks for had a break."""
LONGEST_SERVICE: Final = 3_600
MOST_PARCELS: Final = 10
HOURS: Final = 24
DAY, PACE = "day", "pace"
_FASTEST_SHIFT, _SLOWEST_SHIFT = 0.6, 2.5


class Stay(NamedTuple):
    """A stop as it was: `expected` seconds at the door by the order, `took` seconds by the driver's phone."""

    kind: str
    zone: str
    parcels: int
    floor: int | None
    expected: int
    took: int
    day: str
    van_day: str


class Leg(NamedTuple):
    """A drive as it was: `free` seconds on the empty road, begun in that cell in that local hour of the day."""

    profile: str
    cell: str
    hour: int
    free: int
    took: int
    day: str
    van_day: str


def cell_of(latitude: float, longitude: float) -> str:
    """The grid cell of about three kilometres that a place lies in."""
    step = CELL_METRES / _METRES_PER_DEGREE
    row = int(latitude // step)
    wide = step / max(0.01, cos(radians((row + 0.5) * step)))
    return f"{row}:{int(longitude // wide)}"


@dataclass(frozen=True)
class ServiceTimes:
    """Seconds at the door."""

    effects: Effects = field(default_factory=Effects)

    def factor(self, kind: str, zone: str, parcels: int = 1, floor: int | None = None) -> float:
        """Expected seconds / the order's own expectation."""
        return self.effects.factor(_stay_labels(kind, zone, floor), _stay_features(parcels, floor))

    def seconds(self, expected: int, kind: str, zone: str, parcels: int = 1, floor: int | None = None) -> int:
        return round(expected * self.factor(kind, zone, parcels, floor))

    @classmethod
    def learn(cls, stays: Iterable[Stay]) -> ServiceTimes:
        seen = [stay for stay in stays if 0 < stay.took <= LONGEST_SERVICE and stay.expected > 0]
        each = [_stay_labels(stay.kind, stay.zone, stay.floor) | {DAY: stay.day, PACE: stay.van_day} for stay in seen]
        features = [_stay_features(stay.parcels, stay.floor) for stay in seen]
        return cls(
            fit(
                np.array([stay.expected for stay in seen], dtype=np.float64),
                np.array([stay.took for stay in seen], dtype=np.float64),
                {block: [labels[block] for labels in each] for block in (each[0] if each else {})},
                {name: np.array([of[name] for of in features]) for name in (features[0] if features else {})},
                forget=(DAY, PACE),
            )
        )


@dataclass(frozen=True)
class TravelTimes:
    """How much longer than on the empty road, per profile, cell and local hour."""

    profiles: Mapping[str, Effects] = field(default_factory=dict)

    def factor(self, profile: str, cell: str, hour: int) -> float:
        effects = self.profiles.get(profile)
        return effects.factor(_leg_labels(cell, hour)) if effects is not None else 1.0

    def table(self, profile: str, cells: Sequence[str]) -> TrafficTable | None:
        """Speeds for locations in these cells, hour 0 being the epoch's; None where nothing is known of the profile."""
        if profile not in self.profiles or not cells:
            return None
        number = {cell: index for index, cell in enumerate(dict.fromkeys(cells))}
        speeds = tuple(tuple(self._permille(profile, cell, hour) for hour in range(HOURS)) for cell in number)
        return TrafficTable(tuple(number[cell] for cell in cells), speeds)

    def _permille(self, profile: str, cell: str, hour: int) -> int:
        return min(FASTEST, max(SLOWEST, round(FREE_FLOW / self.factor(profile, cell, hour))))

    @classmethod
    def learn(cls, legs: Iterable[Leg]) -> TravelTimes:
        seen = [leg for leg in legs if leg.free >= SHORTEST_LEG and 0 < leg.took <= leg.free + LONGEST_PAUSE]
        return cls({profile: _fit_legs(seen, profile) for profile in sorted({leg.profile for leg in seen})})


@dataclass(frozen=True, slots=True)
class DayPace:
    """How a van's day weighs: its expected seconds so far against `belief` seconds in which nothing was unusual.

    `spread` is how far van days lie apart, `noise` one stop's or leg's own, both standard deviations of the logarithm.
    """

    spread: float = 0.08
    noise: float = 0.5
    typical: float = 120.0

    @property
    def belief(self) -> float:
        return self.typical * self.noise**2 / self.spread**2

    def factor(self, took: float, expected: float) -> float:
        """By how much what is left will take longer than expected; 1 before anything was seen."""
        found = (self.belief + max(0.0, took)) / (self.belief + max(0.0, expected))
        return min(_SLOWEST_SHIFT, max(_FASTEST_SHIFT, found))

    def left_over(self, expected: float) -> float:
        """How uncertain that factor still is (standard deviation) after so many expected seconds."""
        return self.spread * float(np.sqrt(self.belief / (self.belief + max(0.0, expected))))


@dataclass(frozen=True)
class Times:
    """Everything that planning takes from the past."""

    service: ServiceTimes = field(default_factory=ServiceTimes)
    travel: TravelTimes = field(default_factory=TravelTimes)
    door_pace: DayPace = DayPace()
    road_pace: DayPace = DayPace(0.06, 0.4, 150.0)

    @classmethod
    def learn(cls, stays: Sequence[Stay], legs: Sequence[Leg]) -> Times:
        service, travel = ServiceTimes.learn(stays), TravelTimes.learn(legs)
        prior = cls()
        door = _pace([service.effects], [stay.took for stay in stays], prior.door_pace)
        road = _pace(list(travel.profiles.values()), [leg.took for leg in legs], prior.road_pace)
        return cls(service, travel, door, road)

    def to_json(self) -> dict[str, Any]:
        paces = {"door": self.door_pace, "road": self.road_pace}
        return {
            "service": self.service.effects.to_json(),
            "travel": {profile: effects.to_json() for profile, effects in self.travel.profiles.items()},
            "pace": {name: [pace.spread, pace.noise, pace.typical] for name, pace in paces.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Times:
        travel = {profile: Effects.from_json(effects) for profile, effects in content["travel"].items()}
        return cls(
            ServiceTimes(Effects.from_json(content["service"])),
            TravelTimes(travel),
            DayPace(*content["pace"]["door"]),
            DayPace(*content["pace"]["road"]),
        )


def _fit_legs(seen: Sequence[Leg], profile: str) -> Effects:
    legs = [leg for leg in seen if leg.profile == profile]
    each = [_leg_labels(leg.cell, leg.hour) | {DAY: leg.day, PACE: leg.van_day} for leg in legs]
    return fit(
        np.array([leg.free for leg in legs], dtype=np.float64),
        np.array([leg.took for leg in legs], dtype=np.float64),
        {block: [labels[block] for labels in each] for block in each[0]},
        forget=(DAY, PACE),
    )


def _pace(effects: Sequence[Effects], took: Sequence[int], prior: DayPace) -> DayPace:
    """How far van days lie apart, weighted over the fits that have seen enough to say so."""
    told = [one for one in effects if one.spread and one.count]
    if not told:
        return prior
    count = sum(one.count for one in told)
    spread = sum(one.count * (one.spread[DAY] ** 2 + one.spread[PACE] ** 2) for one in told) / count
    noise = sum(one.count * one.noise for one in told) / count
    return DayPace(round(float(np.sqrt(spread)), 4), round(noise, 4), round(float(np.mean(took)), 1))


def _stay_labels(kind: str, zone: str, floor: int | None) -> dict[str, str]:
    """A known floor tells of a flat: to find the bell and the stairs takes its time on every floor."""
    house = kind if floor is None else f"{kind} with floor"
    return {"all": "", "kind": house, "zone": zone, "kind in zone": f"{house} {zone}"}


def _stay_features(parcels: int, floor: int | None) -> dict[str, float]:
    return {"parcels": float(min(parcels, MOST_PARCELS) - 1), "floor": float(max(0, floor or 0))}


def _leg_labels(cell: str, hour: int) -> dict[str, str]:
    return {"all": "", "hour": str(hour), "cell": cell, "hour in cell": f"{hour} {cell}"}
