"""How wrong a forecast may be: earliest and latest as quantiles that were calibrated on actuals.

The scale of a forecast's error is the root of what adds up on the way to the stop,

    base² + cv_road² Σ drive² + cv_door² Σ service² + (left_road Σ drive)² + (left_door Σ service)²

with each leg's and stop's own coefficient of variation, and what the van's day may still turn out to be (`DayPace`).
Where a van waits for a door to open, lateness before it is forgotten as far as the wait swallows it. What that scale
gets wrong is measured: quantiles of (arrival - forecast) / scale over replayed days that the model had not seen, by
lead time, each drawn towards all leads' quantile while its own observations are few (split conformal prediction: Lei et
al. 2018, with normalised residuals; its finite-sample correction counts van days, as one day's forecasts err together).
With too few of them all there is no model, and `eta.HONEST` speaks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, log, sqrt
from typing import Any, Final, NamedTuple

import numpy as np

from apps.routing.planner.learning import DayPace
from apps.routing.planner.solution import StopTimes

BASE_SECONDS: Final = 45.0
"""Where the van is, finding a place to stop, the tap on the phone."""
LEVELS: Final = (0.02, 0.1, 0.5, 0.9, 0.98)
LEADS: Final = (300, 600, 1200, 2400, 3600, 7200, 14400)
"""Seconds ahead around which errors are counted; between them quantiles are interpolated."""
FEWEST: Final = 200
BELIEF: Final = 150
"""A lead's own quantile counts like its observations, all leads' quantile like so many."""
PER_DAY: Final = 3
"""A van's day is one story: its hundreds of forecasts say as much as so many independent ones."""


class Honest(NamedTuple):
    """Seconds since the epoch: 96 of 100 arrivals lie inside surest, 80 inside earliest to latest, half before."""

    surest_earliest: int
    earliest: int
    expected: int
    latest: int
    surest_latest: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A van's day so far: seconds expected of its legs and of its stops at the door."""

    road: float = 0.0
    door: float = 0.0


class Sample(NamedTuple):
    """One forecast held against the arrival."""

    lead: float
    error: float
    scale: float


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Quantiles of scaled errors: one row per lead of LEADS, one column per level of LEVELS."""

    rows: tuple[tuple[float, ...], ...]
    count: int = 0

    @classmethod
    def learn(cls, samples: Iterable[Sample], van_days: int) -> ErrorModel | None:
        """None with too few samples to say anything; they come from so many days of vans."""
        seen = list(samples)
        if len(seen) < FEWEST:
            return None
        scaled = np.array([one.error / one.scale for one in seen])
        leads = np.log(np.maximum(1.0, [one.lead for one in seen]))
        bucket = np.abs(leads[:, None] - np.log(LEADS)).argmin(axis=1)
        free = PER_DAY * van_days
        overall = [_conformal(scaled, level, free) for level in LEVELS]
        rows = []
        for lead in range(len(LEADS)):
            mine = scaled[bucket == lead]
            weight = len(mine) / (len(mine) + BELIEF)
            own = [_conformal(mine, level, free) if len(mine) else 0.0 for level in LEVELS]
            rows.append(tuple(round(weight * a + (1 - weight) * b, 4) for a, b in zip(own, overall, strict=True)))
        return cls(tuple(rows), len(seen))

    def honest(self, arrival: int, *, now: int, scale: float, opens: int | None = None) -> Honest:
        """The quantiles around one simulated arrival; none lies in the past or before the door opens."""
        floor = now if opens is None else max(now, opens)
        at = self._at(max(1.0, arrival - now))
        return Honest(*(max(floor, round(arrival + scale * value)) for value in at))

    def _at(self, lead: float) -> list[float]:
        """The row at this lead: between two leads by the logarithm of the time."""
        after = bisect_right(LEADS, lead)
        if after in (0, len(LEADS)):
            return list(self.rows[min(after, len(LEADS) - 1)])
        low, high = LEADS[after - 1], LEADS[after]
        share = log(lead / low) / log(high / low)
        return [a + share * (b - a) for a, b in zip(self.rows[after - 1], self.rows[after], strict=True)]

    def to_json(self) -> dict[str, Any]:
        return {"rows": [list(row) for row in self.rows], "count": self.count}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ErrorModel:
        return cls(tuple(tuple(row) for row in content["rows"]), content["count"])


def scales(
    times: Sequence[StopTimes], *, now: int, road: DayPace, door: DayPace, seen: Seen = Seen(), waits: bool = True
) -> list[float]:
    """Standard deviations of the arrivals at a route's remaining stops, as simulated; seconds."""
    road_cv, door_cv = _cv(road.noise), _cv(door.noise)
    road_left, door_left = road.left_over(seen.road), door.left_over(seen.door)
    drives = squares = doors = door_squares = 0.0
    clock, found = now, []
    for stop in times:
        drive = max(0.0, stop.arrival - max(clock, now))
        drives, squares = drives + drive, squares + drive * drive
        own = road_cv**2 * squares + door_cv**2 * door_squares
        found.append(sqrt(BASE_SECONDS**2 + own + (road_left * drives) ** 2 + (door_left * doors) ** 2))
        if waits and stop.start > stop.arrival:
            keep = _later_than(stop.start - stop.arrival, found[-1])
            drives, doors = drives * keep, doors * keep
            squares, door_squares = squares * keep, door_squares * keep
        service = max(0.0, stop.departure - max(stop.start, now))
        doors, door_squares = doors + service, door_squares + service * service
        clock = stop.departure
    return found


def _cv(noise: float) -> float:
    """The coefficient of variation of a lognormal."""
    return sqrt(exp(noise * noise) - 1.0)


def _later_than(wait: float, deviation: float) -> float:
    """How likely a van is later than the wait swallows."""
    return 0.5 * erfc(wait / (deviation * sqrt(2.0)))


def _conformal(values: np.ndarray, level: float, free: int) -> float:
    """The quantile, so much further out that it holds for one more value after `free` independent ones."""
    if level == 0.5:
        return float(np.median(values))
    outer = min(1.0, (free + 1) * max(level, 1.0 - level) / free)
    return float(np.quantile(values, outer if level > 0.5 else 1.0 - outer))
