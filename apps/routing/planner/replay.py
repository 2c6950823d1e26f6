"""Days that have passed, forecast again as they went: what calibrates the quantiles, and shows whether learning helps.

A model is judged on days it was not fitted on: every day is left out once (leave-one-day-out; with many days, days are
left out in five groups). Instants are seconds since the day's local midnight.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from apps.routing.planner.learning import LONGEST_PAUSE, LONGEST_SERVICE, SHORTEST_LEG, Leg, Stay, Times
from apps.routing.planner.quantiles import ErrorModel, Sample, Seen, scales
from apps.routing.planner.solution import StopTimes

FOLDS: Final = 5
FEWEST_DAYS: Final = 2
FURTHEST: Final = 6 * 3600
EVERY: Final = 660
"""Not in step with hours, and often enough to meet vans at doors and between them as pages do."""
STILL_BUSY_SECONDS: Final = 30
"""How much longer a stop is expected to take that has already lasted longer than expected."""
_HOUR: Final = 3600


class PastStop(NamedTuple):
    """One stop as it was.

    `cell` is where the drive to it began, `opens` when its door opened at the earliest. `left_previous` lies behind a
    break that was planned before the drive. With `expected` 0 (nothing was handed over) only the drive teaches.
    """

    kind: str
    zone: str
    parcels: int
    floor: int | None
    expected: int
    cell: str
    free: int
    opens: int | None
    left_previous: int
    arrived: int
    left: int

    @property
    def start(self) -> int:
        return self.arrived if self.opens is None else max(self.arrived, min(self.opens, self.left))


@dataclass(frozen=True)
class Run:
    """One van's day, its stops in the order they were made."""

    day: str
    van: str
    profile: str
    stops: tuple[PastStop, ...]

    @property
    def van_day(self) -> str:
        return f"{self.day} {self.van}"


@dataclass(frozen=True, slots=True)
class Today:
    """How a van's day goes: what is left of its drives and stops takes so many times what was expected."""

    road: float = 1.0
    door: float = 1.0
    seen: Seen = field(default_factory=Seen)


@dataclass(frozen=True)
class Learned:
    """What a night's fit leaves for the next day. Without `errors` the documented spread speaks."""

    times: Times = field(default_factory=Times)
    errors: ErrorModel | None = None

    def to_json(self) -> dict[str, Any]:
        return {"times": self.times.to_json(), "errors": self.errors.to_json() if self.errors else None}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Learned:
        errors = content["errors"]
        return cls(Times.from_json(content["times"]), ErrorModel.from_json(errors) if errors else None)


def learn(runs: Sequence[Run]) -> Learned:
    """Fits everything on these days; the quantiles on each day with the times of the others."""
    times = times_of(runs)
    return Learned(times, ErrorModel.learn((sample for _run, sample in held_out(runs)), len(runs)))


def times_of(runs: Sequence[Run]) -> Times:
    stays = [_stay(run, stop) for run in runs for stop in run.stops]
    legs = [_leg(run, stop) for run in runs for stop in run.stops]
    return Times.learn(stays, legs)


def held_out(runs: Sequence[Run]) -> Iterator[tuple[Run, Sample]]:
    """Every forecast of every run, made with times that were learned on other days."""
    days = sorted({run.day for run in runs})
    if len(days) < FEWEST_DAYS:
        return
    for fold in range(min(FOLDS, len(days))):
        hidden = set(days[fold::FOLDS])
        times = times_of([run for run in runs if run.day not in hidden])
        for run in runs:
            if run.day in hidden:
                yield from ((run, sample) for sample in replay(run, times))


def replay(run: Run, times: Times) -> Iterator[Sample]:
    """Forecasts of a run as of when it set out and every EVERY seconds from then on."""
    if not run.stops:
        return
    services = [service_of(stop, times) for stop in run.stops]
    days, ends = course(run, times), [stop.left for stop in run.stops]
    for now in range(run.stops[0].left_previous, ends[-1], EVERY):
        index = bisect_right(ends, now)
        forecast = _forecast(run, index, services, times, days[index], now)
        seen = days[index].seen
        deviations = scales(forecast, now=now, road=times.road_pace, door=times.door_pace, seen=seen)
        for stop, simulated, scale in zip(run.stops[index:], forecast, deviations, strict=True):
            if stop.arrived > now and simulated.arrival - now <= FURTHEST:
                yield Sample(simulated.arrival - now, stop.arrived - simulated.arrival, scale)


def course(run: Run, times: Times) -> list[Today]:
    """How the day went so far before each stop, and at last behind all of them."""
    found, road, door = [], [0.0, 0.0], [0.0, 0.0]
    for stop in run.stops:
        found.append(_today(road, door, times))
        drove, served = stop.arrived - stop.left_previous, stop.left - stop.start
        if stop.free >= SHORTEST_LEG and drove <= stop.free + LONGEST_PAUSE:
            hour = _hour(stop.left_previous)
            road = [road[0] + drove, road[1] + stop.free * times.travel.factor(run.profile, stop.cell, hour)]
        if stop.expected and served <= LONGEST_SERVICE:
            door = [door[0] + served, door[1] + service_of(stop, times)]
    return [*found, _today(road, door, times)]


def service_of(stop: PastStop, times: Times) -> int:
    """Expected seconds at the door."""
    return times.service.seconds(stop.expected, stop.kind, stop.zone, stop.parcels, stop.floor)


def _today(road: Sequence[float], door: Sequence[float], times: Times) -> Today:
    paces = times.road_pace.factor(*road), times.door_pace.factor(*door)
    return Today(*paces, Seen(road[1], door[1]))


def mean_error(samples: Sequence[Sample]) -> float:
    """Mean absolute error in seconds."""
    return float(np.mean([abs(sample.error) for sample in samples])) if samples else 0.0


def _forecast(run: Run, index: int, services: Sequence[int], times: Times, today: Today, now: int) -> list[StopTimes]:
    """What is ahead of a van that stands at, or drives to, the stop of that index. A position is taken as exact."""
    found: list[StopTimes] = []
    clock, left = float(now), now
    for stop, service in zip(run.stops[index:], services[index:], strict=True):
        free, busy = float(stop.free), service * today.door
        if found:
            clock += max(0, stop.left_previous - left)
        elif stop.arrived <= now:
            free, busy = 0.0, max(busy, now - stop.start + STILL_BUSY_SECONDS)
            clock = stop.arrived
        else:
            clock = float(max(now, stop.left_previous))
            free *= (stop.arrived - clock) / max(1, stop.arrived - stop.left_previous)
        arrival = clock + free * times.travel.factor(run.profile, stop.cell, _hour(int(clock))) * today.road
        start = arrival if stop.opens is None else max(arrival, float(stop.opens))
        clock, left = start + busy, stop.left
        found.append(StopTimes(int(arrival), int(start), int(clock)))
    return found


def _hour(instant: int) -> int:
    return instant // _HOUR % 24


def _stay(run: Run, stop: PastStop) -> Stay:
    took = stop.left - stop.start
    return Stay(stop.kind, stop.zone, stop.parcels, stop.floor, stop.expected, took, run.day, run.van_day)


def _leg(run: Run, stop: PastStop) -> Leg:
    took, hour = stop.arrived - stop.left_previous, _hour(stop.left_previous)
    return Leg(run.profile, stop.cell, hour, stop.free, took, run.day, run.van_day)
