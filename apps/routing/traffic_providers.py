"""Who knows how slow the roads are at an hour: nobody, the fleet's own past, or measured speeds of road segments.

Each provider says what it can do (`abilities`) and answers with speeds per grid cell and local hour, which checker,
insertion, slots and expected times all read. An install that measures nothing plans with the empty road's times.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from django.conf import settings

from apps.routing import roads
from apps.routing.planner.learning import HOURS, Times, cell_of
from apps.routing.planner.traffic import FASTEST, FREE_FLOW, SLOWEST, TrafficTable
from apps.routing.planner.travel import Point, RoadDataError, Travel
from apps.routing.planner.travel_prepare import TIMED, timed

POINTS_PER_CELL = 3
MOST_POINTS = 90
"""A table of so many places takes an hour's network some 30 ms, once per process and depot-day."""
_SPEED_FILE = re.compile(r"^([01]\d|2[0-3])\.csv$")


class Ability(StrEnum):
    FREE_FLOW = "free_flow"
    LEARNED = "learned"
    SEGMENT_SPEEDS = "segment_speeds"


class TrafficProvider(Protocol):
    @property
    def abilities(self) -> frozenset[Ability]: ...

    def tables(self, travel: Mapping[str, Travel], points: Sequence[Point]) -> dict[str, TrafficTable]:
        """Speeds by profile over these locations, hour 0 being the day's local midnight; a profile may be missing."""


class LearnedTraffic:
    """What the fleet's own drives taught; before any, the empty road."""

    def __init__(self, times: Times) -> None:
        self.times = times

    @property
    def abilities(self) -> frozenset[Ability]:
        known = {Ability.LEARNED} if self.times.travel.profiles else set()
        return frozenset({Ability.FREE_FLOW, *known})

    def tables(self, travel: Mapping[str, Travel], points: Sequence[Point]) -> dict[str, TrafficTable]:
        cells = [cell_of(point.lat, point.lon) for point in points] if self.times.travel.profiles else []
        found = {profile: self.times.travel.table(profile, cells) for profile in travel}
        return {profile: table for profile, table in found.items() if table is not None}


class SegmentSpeeds(LearnedTraffic):
    """Cars as fast as measured on each road at these hours, by the networks `prepare_roads` made; else as learned."""

    def __init__(self, times: Times, hours: Sequence[int]) -> None:
        super().__init__(times)
        self.hours = tuple(hours)

    @property
    def abilities(self) -> frozenset[Ability]:
        return super().abilities | {Ability.SEGMENT_SPEEDS}

    def tables(self, travel: Mapping[str, Travel], points: Sequence[Point]) -> dict[str, TrafficTable]:
        found = super().tables(travel, points)
        if TIMED not in travel or not points:
            return found
        cells = [cell_of(point.lat, point.lon) for point in points]
        number = {cell: index for index, cell in enumerate(dict.fromkeys(cells))}
        free = ((FREE_FLOW,) * HOURS,) * len(number)
        speeds = [list(row) for row in (found[TIMED].permille if TIMED in found else free)]
        sample = _sample(points, cells)
        for hour in self.hours:
            for cell, permille in _measured(str(settings.ROADS_DIR), hour, sample).items():
                speeds[number[cell]][hour] = permille
        found[TIMED] = TrafficTable(tuple(number[cell] for cell in cells), tuple(map(tuple, speeds)))
        return found


def provider(times: Times) -> TrafficProvider:
    """The best there is on this install."""
    hours = _prepared_hours() if roads.travel_source() == roads.ROADS else []
    return SegmentSpeeds(times, hours) if hours else LearnedTraffic(times)


def segment_speed_files(directory: Path | str) -> dict[int, Path]:
    """OSRM segment speed files by local hour: "07.csv" is what was measured from seven to eight."""
    folder = Path(directory)
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {int(file.stem): file for file in files if _SPEED_FILE.match(file.name)}


def _prepared_hours() -> list[int]:
    hours = sorted(segment_speed_files(settings.SEGMENT_SPEEDS_DIR))
    return [hour for hour in hours if (Path(settings.ROADS_DIR) / timed(TIMED, hour)).exists()]


def _sample(points: Sequence[Point], cells: Sequence[str]) -> tuple[Point, ...]:
    """Some places of every cell."""
    seen: dict[str, list[Point]] = {}
    for point, cell in zip(points, cells, strict=True):
        seen.setdefault(cell, []).append(point)
    chosen = [point for mine in seen.values() for point in mine[:POINTS_PER_CELL]]
    return tuple(chosen[:MOST_POINTS])


@lru_cache(maxsize=64)
def _measured(directory: str, hour: int, sample: tuple[Point, ...]) -> dict[str, int]:
    """Permille of the empty road's speed for drives that begin in a cell, at that hour."""
    places = list(sample)
    try:
        busy = roads.network(timed(TIMED, hour)).table(places).seconds
        free = roads.network(TIMED).table(places).seconds
    except RoadDataError:
        return {}
    cells = np.array([cell_of(point.lat, point.lon) for point in places])
    on_road = (free > 0) & (free < 1_000_000) & (busy < 1_000_000)
    found = {}
    for cell in np.unique(cells):
        chosen = on_road & (cells == cell)[:, None]
        if chosen.any():
            speed = round(FREE_FLOW * float(free[chosen].sum()) / float(busy[chosen].sum()))
            found[str(cell)] = min(FASTEST, max(SLOWEST, speed))
    return found
