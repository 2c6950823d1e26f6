"""The road network: OSRM in this process, over a folder made by `prepare_roads`.

OSRM holds the GIL while it works (about 0.1 s for 250 x 1000 pairs), snaps every coordinate of every call anew (about
50 us each) and, asked without a radius, answers for points outside the map as if they were on it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import osrm

from apps.routing.planner.travel import (
    SNAP_LIMIT,
    Ints,
    Network,
    OffTheMap,
    Point,
    PointKey,
    RoadDataError,
    Rows,
    StraightLine,
    Travel,
    TravelError,
    whole,
)
from apps.routing.planner.travel_folder import REBUILD, STEM, checked

CELLS_PER_CALL: Final = 250_000
FAR: Final = 20_000_000.0
NO_SEGMENT: Final = re.compile(r"NoSegment.* (\d+)$")


class NoRoad(TravelError):
    """Both points are on the map, but no road of this profile leads from one to the other."""

    def __init__(self, start: Point, end: Point) -> None:
        super().__init__(f"No road leads from ({start.lat:.5f}, {start.lon:.5f}) to ({end.lat:.5f}, {end.lon:.5f})")
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Snap:
    """The nearest place on a road; `street` is empty where the road has no name."""

    point: Point
    metres: float
    street: str


@dataclass(frozen=True)
class Leg:
    """One drive. `segment_seconds` has one entry per stretch of the geometry and adds up to `seconds`."""

    geometry: tuple[tuple[float, float], ...]
    """(latitude, longitude) along the road, start and end on the road."""
    seconds: int
    metres: int
    segment_seconds: tuple[float, ...]

    @cached_property
    def _clock(self) -> tuple[float, ...]:
        return tuple(accumulate(self.segment_seconds, initial=0.0))

    def at(self, elapsed: float) -> tuple[float, float]:
        """(latitude, longitude) after so many seconds of driving; stays at the ends before and after."""
        if elapsed <= 0 or not self.segment_seconds:
            return self.geometry[0]
        if elapsed >= self._clock[-1]:
            return self.geometry[-1]
        index = bisect_right(self._clock, elapsed) - 1
        share = (elapsed - self._clock[index]) / self.segment_seconds[index]
        (lat1, lon1), (lat2, lon2) = self.geometry[index], self.geometry[index + 1]
        return lat1 + (lat2 - lat1) * share, lon1 + (lon2 - lon1) * share


class RoadNetwork:
    """Exact travel times of one profile. Safe to fork after loading; RoadDataError if the folder is damaged."""

    exact: Final = True

    def __init__(self, folder: Path | str, *, snap_limit: float = SNAP_LIMIT) -> None:
        # The link is resolved once: files changed under an open engine kill the process or change its answers.
        self.folder = Path(folder).resolve()
        manifest = checked(self.folder)
        self.profile = manifest.profile
        self.identity = manifest.identity
        self.snap_limit = snap_limit
        try:
            self._engine = osrm.OSRM(
                algorithm="CH",
                storage_config=str(self.folder / STEM),
                use_shared_memory=False,
                max_locations_distance_table=-1,
                max_locations_viaroute=-1,
            )
        except RuntimeError as error:
            raise RoadDataError(self.folder, REBUILD, f"cannot be loaded ({error})") from error

    def table(self, sources: Sequence[Point], destinations: Sequence[Point] | None = None) -> Rows:
        """One row per source. OffTheMap counts sources first, then destinations."""
        targets = sources if destinations is None else destinations
        shape = (len(sources), len(targets))
        seconds, metres = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32)
        if not (sources and targets):
            return Rows(seconds, metres)
        step = max(1, CELLS_PER_CALL // len(targets))
        for start in range(0, len(sources), step):
            part = self._table(sources[start : start + step], targets, start, len(sources))
            seconds[start : start + step], metres[start : start + step] = part.seconds, part.metres
        return Rows(seconds, metres)

    def rows_to(self, point: Point, known: Sequence[Point]) -> Rows:
        """From each known point to the new one: len(known) x 1."""
        return self.table(known, [point])

    def rows_from(self, point: Point, known: Sequence[Point]) -> Rows:
        """From the new point to each known one: 1 x len(known)."""
        return self.table([point], known)

    def travel(self, points: Sequence[Point]) -> Travel:
        rows = self.table(points)
        return Travel(rows.seconds, rows.metres, exact=True)

    def nearest(self, point: Point) -> Snap:
        """Where the point meets a road; OffTheMap (index 0) when that is farther than the snap limit."""
        snap = self._snap(point)
        if snap.metres > self.snap_limit:
            raise OffTheMap(0, point, snap.metres)
        return snap

    def off_the_map(self, points: Sequence[Point]) -> list[OffTheMap]:
        """Every point that no road comes near (the table stops at the first)."""
        snaps = [(index, point, self._snap(point).metres) for index, point in enumerate(points)]
        return [OffTheMap(index, point, metres) for index, point, metres in snaps if metres > self.snap_limit]

    def leg(self, start: Point, end: Point) -> Leg:
        """The drive along the road; NoRoad if there is none."""
        parameters = osrm.RouteParameters(
            coordinates=[(start.lon, start.lat), (end.lon, end.lat)],
            radiuses=[self.snap_limit] * 2,
            geometries="geojson",
            overview="full",
            annotations=["duration"],
            generate_hints=False,
        )
        try:
            route = self._engine.Route(parameters)["routes"][0]
        except RuntimeError as error:
            if "NoRoute" in str(error):
                raise NoRoad(start, end) from error
            raise self._meant(error, [start, end], [0, 1]) from error
        return _leg(route)

    def route(self, points: Sequence[Point]) -> tuple[Leg, ...]:
        """One leg per pair of neighbours."""
        return tuple(self.leg(start, end) for start, end in pairwise(points))

    def _table(self, sources: Sequence[Point], targets: Sequence[Point], offset: int, total: int) -> Rows:
        places: dict[PointKey, int] = {}
        unique: list[Point] = []
        named: list[int] = []

        def place(point: Point, index: int) -> int:
            # Equal points are snapped once; snapping, not searching, is what small tables spend their time on.
            if point.key not in places:
                places[point.key] = len(unique)
                unique.append(point)
                named.append(index)
            return places[point.key]

        rows = [place(point, offset + i) for i, point in enumerate(sources)]
        columns = [place(point, total + i) for i, point in enumerate(targets)]
        row_of, column_of = _positions(rows), _positions(columns)
        parameters = osrm.TableParameters(
            coordinates=[(point.lon, point.lat) for point in unique],
            sources=list(row_of),
            destinations=list(column_of),
            annotations=["duration", "distance"],
            radiuses=[self.snap_limit] * len(unique),
            generate_hints=False,
        )
        try:
            answer = self._answer(parameters, len(unique))
        except RuntimeError as error:
            raise self._meant(error, unique, named) from error
        grid = np.ix_([row_of[i] for i in rows], [column_of[i] for i in columns])
        return Rows(answer.seconds[grid], answer.metres[grid])

    def _answer(self, parameters: Any, coordinates: int) -> Rows:
        if coordinates == 1:  # OSRM refuses a table of one coordinate, but the point must still be on the map
            only = parameters.coordinates[0]
            self.nearest(Point(only.lat, only.lon))
            return Rows(np.zeros((1, 1), dtype=np.int32), np.zeros((1, 1), dtype=np.int32))
        table = self._engine.Table(parameters)
        return Rows(_numbers(table["durations"]), _numbers(table["distances"]))

    def _snap(self, point: Point) -> Snap:
        parameters = osrm.NearestParameters(coordinates=[(point.lon, point.lat)], radiuses=[FAR], generate_hints=False)
        try:
            found = self._engine.Nearest(parameters)["waypoints"][0]
        except RuntimeError as error:
            raise OffTheMap(0, point, None) from error
        lon, lat = found["location"][0], found["location"][1]
        return Snap(Point(float(lat), float(lon)), float(found["distance"]), str(found["name"] or ""))

    def _meant(self, error: RuntimeError, points: Sequence[Point], named: Sequence[int]) -> TravelError:
        match = NO_SEGMENT.search(str(error))
        if match is None:
            return RoadDataError(self.folder, REBUILD, f"gave no answer ({error})")
        index = int(match.group(1))
        return OffTheMap(named[index], points[index], self._snap(points[index]).metres)


class Roads:
    """The networks of one roads directory, loaded on first use and again after `prepare_roads` has replaced one."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self._loaded: dict[str, RoadNetwork] = {}

    def network(self, profile: str) -> Network:
        """OSRM for what drives, the straight line for what flies; RoadDataError if the data is not there."""
        if profile == "air":
            return StraightLine("air")
        return self.road(profile)

    def road(self, profile: str) -> RoadNetwork:
        folder = (self.directory / profile).resolve()
        known = self._loaded.get(profile)
        if known is None or known.folder != folder:
            known = self._loaded[profile] = RoadNetwork(folder)
        return known


def _numbers(answer: Any) -> Ints:
    # None (no road) becomes NaN and then UNREACHABLE. Two points on one stretch may be -0.7 m apart, hence the maximum.
    return whole(np.maximum(np.array(answer, dtype=np.float64), 0.0))


def _positions(indices: Sequence[int]) -> dict[int, int]:
    return {index: position for position, index in enumerate(dict.fromkeys(indices))}


def _leg(route: Any) -> Leg:
    geometry = tuple((float(place[1]), float(place[0])) for place in route["geometry"]["coordinates"])
    raw = [float(seconds) for seconds in route["legs"][0]["annotation"]["duration"]]
    seconds, metres = whole(np.array([route["duration"], route["distance"]], dtype=np.float64))
    # The segments leave out what turning costs, so they are stretched to the whole.
    scale = int(seconds) / sum(raw) if sum(raw) > 0 else 0.0
    return Leg(geometry, int(seconds), int(metres), tuple(scale * part for part in raw))
