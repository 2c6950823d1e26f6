"""Days that have passed, forecast again as they went: what calibrates the quantiles, and shows whether learning helps.

A model is judged on days it was not fitted on: every day is left out once (leave-one-day-out; with many days, days are
left out in five groups). Instants are seconds since the day's local midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from apps.routing.planner.learning import Leg, Stay, Times
from apps.routing.planner.quantiles import ErrorModel, Sample, Seen, scales
from apps.routing.planner.solution import StopTimes

FOLDS: Final = 5
FEWEST_DAYS: Final = 2
FURTHEST: Final = 6 * 3600
_HOUR: Final = 3600


class PastStop(NamedTuple):
    """One stop as it was. `cell` is where the drive to it began, `opens` when its door opened at the earliest."""

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
    return Learned(times, ErrorModel.learn(sample for _run, sample in held_out(runs)))


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
    """Forecasts of a run from where it stood each time it left a stop."""
    services = [times.service.seconds(s.expected, s.kind, s.zone, s.parcels, s.floor) for s in run.stops]
    took = [0.0, 0.0]
    expected = [0.0, 0.0]
    for index, standing in enumerate(run.stops):
        now = standing.left_previous
        seen = Seen(expected[0], expected[1])
        ahead = run.stops[index:]
        road = times.road_pace.factor(took[0], expected[0])
        door = times.door_pace.factor(took[1], expected[1])
        forecast = _forecast(run.profile, ahead, services[index:], times, now, road, door)
        deviations = scales(forecast, now=now, road=times.road_pace, door=times.door_pace, seen=seen)
        for stop, simulated, scale in zip(ahead, forecast, deviations, strict=True):
            if simulated.arrival - now <= FURTHEST:
                yield Sample(simulated.arrival - now, stop.arrived - simulated.arrival, scale)
        hour = _hour(standing.left_previous)
        took[0] += standing.arrived - standing.left_previous
        expected[0] += standing.free * times.travel.factor(run.profile, standing.cell, hour)
        took[1] += standing.left - standing.start
        expected[1] += services[index]


def mean_error(samples: Sequence[Sample]) -> float:
    """Mean absolute error in seconds."""
    return float(np.mean([abs(sample.error) for sample in samples])) if samples else 0.0


def _forecast(
    profile: str,
    ahead: Sequence[PastStop],
    services: Sequence[int],
    times: Times,
    now: int,
    road: float,
    door: float,
) -> list[StopTimes]:
    clock, found = float(now), []
    for stop, service in zip(ahead, services, strict=True):
        arrival = clock + stop.free * times.travel.factor(profile, stop.cell, _hour(int(clock))) * road
        start = arrival if stop.opens is None else max(arrival, float(stop.opens))
        clock = start + service * door
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
