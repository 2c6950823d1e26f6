"""The world that the ETA benchmark's vans drive through. It imports no app, and draws every parameter by seed.

What it draws, once per world (uniform in the ranges below unless said otherwise): lognormal service times of houses,
flats (by floor), pick-up points and lockers, by parcels and proof, with a field over the map; traffic by hour with a
morning and an evening peak whose strength varies over the map; parking; each driver's pace, each day's weather;
incidents; how good phones' positions are. The fields over the map are sums of smooth bumps, which follow no postcode
and no grid. Ranges of service times, parcels and proof are those of the field (docs/planner.md names the sources), the
road's slowness by hour is that measured between an empty road and a rush hour. Units: seconds, metres, degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

HOUR = 3600.0
MEDIAN_SERVICE = {"house": (60.0, 120.0), "flat": (150.0, 300.0), "pickup_point": (90.0, 240.0), "locker": (40.0, 60.0)}
PER_PARCEL = {"house": (10.0, 20.0), "flat": (10.0, 20.0), "pickup_point": (8.0, 20.0), "locker": (10.0, 14.0)}
SIGNATURE, CODE = 30.0, 20.0
"""Seconds."""
BUMPS = 9
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Bumps:
    """A smooth random field over the map, about 0 with the given standard deviation."""

    latitudes: np.ndarray
    longitudes: np.ndarray
    heights: np.ndarray
    metres: float

    @classmethod
    def draw(cls, rng: np.random.Generator, box: tuple[float, float, float, float], deviation: float) -> Bumps:
        south, west, north, east = box
        heights = rng.normal(0.0, deviation, BUMPS)
        return cls(rng.uniform(south, north, BUMPS), rng.uniform(west, east, BUMPS), heights, rng.uniform(1500, 5000))

    def at(self, latitude: float, longitude: float) -> float:
        north = (self.latitudes - latitude) * METRES_PER_DEGREE
        east = (self.longitudes - longitude) * METRES_PER_DEGREE * math.cos(math.radians(latitude))
        near = np.exp(-(north**2 + east**2) / (2 * self.metres**2))
        return float((near * self.heights).sum() / math.sqrt((near**2).sum() + 0.05))


@dataclass(frozen=True)
class Peak:
    """A rush hour: `height` is the share of time that it adds at its worst."""

    hour: float
    width: float
    height: float

    def at(self, hour: float) -> float:
        return self.height * math.exp(-(((hour - self.hour) / self.width) ** 2) / 2)


@dataclass
class World:
    """One seed's truth. Days and drivers get their own luck when they are first asked for."""

    seed: int
    box: tuple[float, float, float, float]
    rng: np.random.Generator = field(init=False)
    paces: dict[tuple[str, str], float] = field(default_factory=dict)
    weather: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = self.rng = np.random.default_rng([self.seed, 4])
        self.medians = {kind: rng.uniform(*span) for kind, span in MEDIAN_SERVICE.items()}
        self.service_noise = rng.uniform(0.25, 0.45)
        self.signed, self.coded = rng.uniform(0.1, 0.6), rng.uniform(0.0, 0.3)
        self.per_parcel = {kind: rng.uniform(*span) for kind, span in PER_PARCEL.items()}
        self.per_floor = rng.uniform(5.0, 18.0)
        self.flats, self.flats_field = rng.uniform(0.3, 0.6), Bumps.draw(rng, self.box, 0.25)
        self.service_field = Bumps.draw(rng, self.box, rng.uniform(0.10, 0.25))
        self.parking_field = Bumps.draw(rng, self.box, 0.5)
        self.parking = rng.uniform(12.0, 40.0)
        self.flow = rng.uniform(1.10, 1.35)
        self.peaks = (
            Peak(rng.uniform(7.2, 8.4), rng.uniform(0.6, 1.1), rng.uniform(0.10, 0.45)),
            Peak(rng.uniform(11.8, 12.6), rng.uniform(0.5, 1.0), rng.uniform(0.0, 0.15)),
            Peak(rng.uniform(16.3, 17.6), rng.uniform(0.8, 1.4), rng.uniform(0.15, 0.60)),
        )
        self.traffic_field = Bumps.draw(rng, self.box, rng.uniform(0.05, 0.15))
        self.leg_noise = rng.uniform(0.15, 0.30)
        self.pace_spread, self.day_spread = rng.uniform(0.02, 0.06), rng.uniform(0.01, 0.04)
        self.weather_spread = rng.uniform(0.01, 0.04)
        self.incident_rate, self.incident_minutes = rng.uniform(0.02, 0.10), rng.uniform(8.0, 20.0)
        self.gps_metres, self.gps_age = rng.uniform(5.0, 40.0), rng.uniform(5.0, 60.0)
        self.gps_gap = rng.uniform(0.0, 0.06)

    def floor(self, where: tuple[float, float]) -> int | None:
        """None for a house, else the floor of the flat: what stands at an address."""
        is_flat = self.rng.random() < min(0.95, max(0.02, self.flats + self.flats_field.at(*where)))
        return int(self.rng.integers(0, 5)) if is_flat else None

    def service(
        self, kind: str, where: tuple[float, float], parcels: int, floor: int | None, van_day: tuple[str, int]
    ) -> int:
        """Seconds at the door."""
        if kind == "address":
            kind = "house" if floor is None else "flat"
        typical = self.medians[kind] + self.per_parcel[kind] * (parcels - 1) + self.per_floor * (floor or 0)
        if kind in ("house", "flat"):
            typical += SIGNATURE * (self.rng.random() < self.signed) + CODE * (self.rng.random() < self.coded)
        luck = self.rng.normal(0.0, self.service_noise) + self.service_field.at(*where)
        return max(10, round(typical * math.exp(luck) * self._pace(van_day, "door")))

    def drive(self, free: float, where: tuple[float, float], depart: float, van_day: tuple[str, int], car: bool) -> int:
        """Seconds from door to door, parking included; `depart` is seconds since midnight."""
        flow = self._flow(where, depart / HOUR) * self._weather(van_day[1]) if car else 1.0 + (self.flow - 1.0) / 3
        moving = free * flow * math.exp(self.rng.normal(0.0, self.leg_noise)) * self._pace(van_day, "road")
        parking = self.parking * math.exp(self.parking_field.at(*where)) if car else 5.0
        return max(5, round(moving + self.rng.gamma(2.0, parking / 2.0)))

    def incident(self) -> float:
        """Seconds that a van stands still once that day; mostly none."""
        if self.rng.random() >= self.incident_rate:
            return 0.0
        return 60.0 * self.incident_minutes * math.exp(self.rng.normal(0.0, 0.5))

    def position_error(self) -> tuple[float, float] | None:
        """Metres ahead or behind and seconds of age of the newest position; None while the phone is silent."""
        if self.rng.random() < self.gps_gap:
            return None
        return self.rng.normal(0.0, self.gps_metres), self.rng.uniform(0.0, self.gps_age)

    def _flow(self, where: tuple[float, float], hour: float) -> float:
        rush = sum(peak.at(hour) for peak in self.peaks)
        return (self.flow + rush * math.exp(2.0 * self.traffic_field.at(*where))) * math.exp(
            self.traffic_field.at(*where)
        )

    def _weather(self, day: int) -> float:
        if day not in self.weather:
            self.weather[day] = math.exp(self.rng.normal(0.0, self.weather_spread))
        return self.weather[day]

    def _pace(self, van_day: tuple[str, int], what: str) -> float:
        driver, day = van_day
        lasting = self._luck((driver, what), self.pace_spread)
        return lasting * self._luck((f"{driver} {day}", what), self.day_spread)

    def _luck(self, key: tuple[str, str], spread: float) -> float:
        if key not in self.paces:
            self.paces[key] = math.exp(self.rng.normal(0.0, spread))
        return self.paces[key]
