"""Where the plan's travel times come from: the road network, matrix files per depot-day, or an admitted straight line.

Nothing here is stored in rows. A process keeps what it has opened; a file that was replaced is opened anew.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from django.conf import settings

from apps.routing.planner.travel import (
    UNREACHABLE,
    Ints,
    Network,
    Point,
    PointKey,
    RoadDataError,
    StraightLine,
    Travel,
)
from apps.routing.planner.travel_matrix import MatrixFile
from apps.routing.planner.travel_osrm import RoadNetwork, Roads

ROADS, STRAIGHT_LINE = "roads", "straight_line"
# Grounds of this many depot-days stay in memory (1000 places and two profiles are 16 MB).
_KEPT = 8


def travel_source() -> str:
    """`roads`, or `straight_line` where this install has no road data at all."""
    return ROADS if Path(settings.ROADS_DIR).is_dir() else STRAIGHT_LINE


def network(profile: str) -> Network:
    """What answers travel questions of this profile. RoadDataError when road data is there but damaged."""
    if travel_source() == STRAIGHT_LINE:
        return StraightLine(profile)
    return _roads(str(settings.ROADS_DIR)).network(profile)


@dataclass(frozen=True)
class Ground:
    """The places a depot-day knows and the travel between all of them, per profile, under one numbering."""

    points: tuple[Point, ...]
    index: dict[PointKey, int]
    travel: dict[str, Travel]
    base: tuple[Any, ...] = ()
    """The matrix files it stands on, to notice when one was replaced."""
    off: frozenset[PointKey] = frozenset()
    """Known places that no road comes near; nothing can be driven to them."""

    def location(self, point: Point) -> int | None:
        return self.index.get(point.key)

    def nearest(self, point: Point, count: int) -> list[int]:
        """Known places by air, nearest first."""
        degrees = np.array([(known.lat, known.lon) for known in self.points])
        flat = (degrees - (point.lat, point.lon)) * (1.0, np.cos(np.radians(point.lat)))
        order: list[int] = np.argsort((flat**2).sum(axis=1), kind="stable")[:count].tolist()
        return order


def ground(*, depot_code: str, day: date, points: Iterable[Point], profiles: Sequence[str]) -> Ground:
    """The ground of a depot-day with at least these points and profiles.

    Points that no matrix file holds yet are asked of the network once per process, until `keep_points` adds them.
    """
    wanted = list(points)
    found = _standing(depot_code, day, profiles)
    missing = [profile for profile in profiles if profile not in found.travel]
    fresh = list({point.key: point for point in wanted if point.key not in found.index}.values())
    if fresh or missing:
        found = _grown(found, fresh, missing)
    _remember((str(settings.MATRIX_DIR), depot_code, day), found)
    return found


def keep_points(*, depot_code: str, day: date, points: Iterable[Point], profiles: Sequence[str]) -> int:
    """Writes the matrix files of a depot-day so that they hold these points too; how many places they hold then.

    Points that no road comes near are left out. With the straight line nothing is written.
    """
    wanted = list(points)
    if travel_source() == STRAIGHT_LINE:
        return len(wanted)
    folder, known = _folder(depot_code, day), list(wanted)
    for profile in profiles:
        if (file := _opened(folder, profile)) is not None:
            known = [*file.points, *known]
    held = {point.key for point in known[: -len(wanted)]} if wanted else set()
    off = _off_the_map([point for point in wanted if point.key not in held], profiles)
    known = [point for point in known if point.key not in off]
    sizes = [_written(folder, profile, known) for profile in profiles]
    return max(sizes, default=0)


def forget() -> None:
    """Drops what this process keeps (tests, benchmarks)."""
    with _writing:
        _grounds.clear()
    _roads.cache_clear()


def _written(folder: Path, profile: str, points: list[Point]) -> int:
    file, roads = _opened(folder, profile), network(profile)
    if file is None:
        file = MatrixFile.write(folder, points, roads)
    elif file.identity != roads.identity:
        file = file.write(folder, points, roads)
    else:
        file = file.extend(points, roads)
    return len(file.points)


def _standing(depot_code: str, day: date, profiles: Sequence[str]) -> Ground:
    known = _grounds.get((str(settings.MATRIX_DIR), depot_code, day))
    if travel_source() == STRAIGHT_LINE:
        straight = known if known is not None and not known.base else None
        return straight or Ground((), {}, {})
    folder = _folder(depot_code, day)
    # A day without files is asked of the network place by place; making them is the planner process's work.
    files = tuple(file for profile in profiles if (file := _opened(folder, profile)) is not None)
    if (
        known is not None
        and len(known.base) == len(files)
        and all(one is other for one, other in zip(known.base, files, strict=True))
    ):
        return known
    return _on(files)


def _on(files: tuple[MatrixFile, ...]) -> Ground:
    """One numbering over files that were written one after the other: the places that all of them hold."""
    if not files:
        return Ground((), {}, {})
    first = files[0]
    if all(file.points == first.points for file in files):
        shared: tuple[Point, ...] = first.points
        travel = {file.profile: file.travel for file in files}
    else:
        shared = tuple(point for point in first.points if all(file.find(point) is not None for file in files))
        travel = {file.profile: file.travel.take([file.index_of(point) for point in shared]) for file in files}
    return Ground(shared, {point.key: number for number, point in enumerate(shared)}, travel, files)


def _grown(old: Ground, fresh: list[Point], profiles: list[str]) -> Ground:
    """The ground with more places and more profiles."""
    points = (*old.points, *fresh)
    index = {point.key: number for number, point in enumerate(points)}
    off = old.off | _off_the_map(fresh, [*old.travel, *profiles])
    travel = {profile: _with(known, old.points, fresh, off, network(profile)) for profile, known in old.travel.items()}
    for profile in profiles:
        empty = np.zeros((0, 0), dtype=np.int32)
        nothing = Travel(empty, empty, network(profile).exact)
        travel[profile] = _with(nothing, (), list(points), off, network(profile))
    return Ground(points, index, travel, old.base, off)


def _with(
    known: Travel, points: Sequence[Point], fresh: list[Point], off: frozenset[PointKey], roads: Network
) -> Travel:
    """A matrix with more places; those no road comes near are not asked about and stay unreachable."""
    if not fresh:
        return known
    everything = [*points, *fresh]
    near = [number for number, point in enumerate(everything) if point.key not in off]
    old, new = [number for number in near if number < len(points)], [n for n in near if n >= len(points)]
    out = roads.table([everything[number] for number in new], [everything[number] for number in near])
    back = roads.table([everything[number] for number in old], [everything[number] for number in new])

    def grown(before: Ints, away: Ints, there: Ints) -> Ints:
        matrix = np.full((len(everything), len(everything)), UNREACHABLE, dtype=np.int32)
        np.fill_diagonal(matrix, 0)
        matrix[: len(points), : len(points)] = before
        matrix[np.ix_(new, near)] = away
        matrix[np.ix_(old, new)] = there
        return matrix

    exact = known.exact and roads.exact
    return Travel(grown(known.seconds, out.seconds, back.seconds), grown(known.metres, out.metres, back.metres), exact)


def _off_the_map(points: list[Point], profiles: Iterable[str]) -> frozenset[PointKey]:
    """Those points that no road of one of these profiles comes near."""
    roads = [network(profile) for profile in profiles]
    found = [road.off_the_map(points) for road in roads if isinstance(road, RoadNetwork)]
    return frozenset(error.point.key for errors in found for error in errors)


def _opened(folder: Path, profile: str) -> MatrixFile | None:
    try:
        return MatrixFile.open(folder, profile)
    except RoadDataError:
        if (folder / f"{profile}.matrix").exists():
            raise
        return None


def _folder(depot_code: str, day: date) -> Path:
    return Path(settings.MATRIX_DIR) / depot_code / day.isoformat()


@cache
def _roads(directory: str) -> Roads:
    return Roads(directory)


_grounds: OrderedDict[tuple[str, str, date], Ground] = OrderedDict()


# Threads of a web process share them.
_writing = Lock()


def _remember(key: tuple[str, str, date], found: Ground) -> None:
    with _writing:
        _grounds[key] = found
        _grounds.move_to_end(key)
        while len(_grounds) > _KEPT:
            _grounds.popitem(last=False)
