"""Travel times between points: the shapes every road network answers in, and the straight-line fallback.

Units are whole seconds and whole metres. This module needs NumPy only; the OSRM network is in `travel_osrm`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

type Ints = npt.NDArray[np.int32]

UNREACHABLE: Final = 100_000_000
"""Seconds and metres of a pair without a road. Twenty of them still add up within int32."""

SNAP_LIMIT: Final = 300.0
"""Metres a point may lie from the nearest road before it counts as off the map."""

EARTH_RADIUS: Final = 6_371_008.8


class TravelError(Exception):
    """Base of everything the travel modules raise on purpose."""


class BadPoint(TravelError, ValueError):
    """A latitude or longitude that is no place on Earth (NaN, infinite, out of range)."""


class RoadDataError(TravelError):
    """Road data is missing or damaged; names the file and the command that rebuilds it."""

    def __init__(self, file: Path | str, command: str, detail: str = "is missing or damaged") -> None:
        super().__init__(f"{file} {detail}. Rebuild it with: {command}")
        self.file = Path(file)
        self.command = command
        self.detail = detail


class OffTheMap(TravelError):
    """A point that no road of this network comes near; `metres` is the distance to the nearest one, if known."""

    def __init__(self, index: int, point: Point, metres: float | None) -> None:
        away = "is outside the map" if metres is None else f"is {metres:.0f} m away from the nearest road"
        super().__init__(f"Point {index} ({point.lat:.5f}, {point.lon:.5f}) {away}")
        self.index = index
        self.point = point
        self.metres = metres


class PointKey(NamedTuple):
    """A point rounded to 1e-5 degrees (about a metre), as integers: what makes two points the same place."""

    lat: int
    lon: int


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84 degrees, latitude first."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and math.isfinite(self.lon)):
            raise BadPoint(f"A point needs finite degrees, not ({self.lat}, {self.lon})")
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise BadPoint(f"({self.lat}, {self.lon}) lies outside latitude +-90, longitude +-180")

    @property
    def key(self) -> PointKey:
        return PointKey(round(self.lat * 100_000), round(self.lon * 100_000))


@dataclass(frozen=True, slots=True)
class Rows:
    """Travel from some sources (rows) to some destinations (columns)."""

    seconds: Ints
    metres: Ints

    def __post_init__(self) -> None:
        if self.seconds.ndim != 2 or self.seconds.shape != self.metres.shape:
            raise ValueError(f"seconds {self.seconds.shape} and metres {self.metres.shape} must be one 2-D shape")
        if self.seconds.dtype != np.int32 or self.metres.dtype != np.int32:
            raise ValueError("seconds and metres must be int32")


@dataclass(frozen=True, slots=True)
class Travel:
    """Square travel matrices of one profile; `exact` is False when they are a straight-line estimate."""

    seconds: Ints
    metres: Ints
    exact: bool

    def __post_init__(self) -> None:
        for name, array in (("seconds", self.seconds), ("metres", self.metres)):
            if array.ndim != 2 or array.shape[0] != array.shape[1]:
                raise ValueError(f"Travel.{name} must be square, not {array.shape}")
            if array.dtype != np.int32:
                raise ValueError(f"Travel.{name} must be int32, not {array.dtype}")
            if array.size and int(array.min()) < 0:
                raise ValueError(f"Travel.{name} must not be negative")
        if self.seconds.shape != self.metres.shape:
            raise ValueError("Travel.seconds and Travel.metres must have one shape")

    @property
    def size(self) -> int:
        return int(self.seconds.shape[0])

    def reachable(self, source: int, destination: int) -> bool:
        return bool(self.seconds[source, destination] < UNREACHABLE)

    def take(self, indices: Sequence[int] | Ints) -> Travel:
        """The matrices of a subset of the points, in the given order."""
        grid = np.ix_(np.asarray(indices, dtype=np.intp), np.asarray(indices, dtype=np.intp))
        return Travel(self.seconds[grid], self.metres[grid], self.exact)


class Network(Protocol):
    """What answers travel questions: OSRM over an extract, or the straight line."""

    @property
    def profile(self) -> str: ...

    @property
    def exact(self) -> bool: ...

    @property
    def identity(self) -> str: ...

    def table(self, sources: Sequence[Point], destinations: Sequence[Point] | None = None) -> Rows: ...


@dataclass(frozen=True, slots=True)
class Crow:
    """How a profile's straight line is stretched into road metres and seconds."""

    metres_per_second: float
    detour: float


CROWS: Final = {
    "car": Crow(metres_per_second=10.5, detour=1.4),
    "bicycle": Crow(metres_per_second=4.2, detour=1.3),
    "foot": Crow(metres_per_second=1.35, detour=1.25),
    "air": Crow(metres_per_second=14.0, detour=1.0),
}


def crow_metres(sources: Sequence[Point], destinations: Sequence[Point]) -> npt.NDArray[np.float64]:
    """Great-circle metres, one row per source."""
    lat1, lon1 = _radians(sources)
    lat2, lon2 = _radians(destinations)
    half = np.sin((lat2[None, :] - lat1[:, None]) / 2) ** 2
    half = half + np.cos(lat1)[:, None] * np.cos(lat2)[None, :] * np.sin((lon2[None, :] - lon1[:, None]) / 2) ** 2
    metres: npt.NDArray[np.float64] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return metres


@dataclass(frozen=True, slots=True)
class StraightLine:
    """The named last resort when no road data exists; exact only for what flies."""

    profile: str = "car"

    def __post_init__(self) -> None:
        if self.profile not in CROWS:
            raise ValueError(f"No straight-line speed for profile {self.profile!r}; known: {', '.join(CROWS)}")

    @property
    def exact(self) -> bool:
        return self.profile == "air"

    @property
    def identity(self) -> str:
        return f"straight line {self.profile} {CROWS[self.profile]}"

    def table(self, sources: Sequence[Point], destinations: Sequence[Point] | None = None) -> Rows:
        crow = CROWS[self.profile]
        metres = crow_metres(sources, sources if destinations is None else destinations) * crow.detour
        return Rows(whole(metres / crow.metres_per_second), whole(metres))


def straight_line(points: Sequence[Point], profile: str = "car") -> Travel:
    """Stretched straight-line matrices of all points; a plan built on them must say so (`exact` is False)."""
    network = StraightLine(profile)
    rows = network.table(points)
    return Travel(rows.seconds, rows.metres, network.exact)


def whole(values: npt.NDArray[np.float64]) -> Ints:
    """Rounded int32; NaN, infinite and huge values become UNREACHABLE (a plain cast makes them negative)."""
    bounded = np.where(np.isfinite(values) & (values < UNREACHABLE), values, UNREACHABLE)
    return np.rint(bounded).astype(np.int32)


def _radians(points: Sequence[Point]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    degrees = np.array([(point.lat, point.lon) for point in points], dtype=np.float64).reshape(-1, 2)
    radians = np.radians(degrees)
    return radians[:, 0], radians[:, 1]
