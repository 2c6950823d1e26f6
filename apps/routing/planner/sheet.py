"""What every solver is told of a problem: whole-number matrices per van, prices, and who may serve whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import Problem, Stop, TrafficTable, Vehicle
from apps.routing.planner.travel import UNREACHABLE

type Matrix = npt.NDArray[np.int64]
type Places = npt.NDArray[np.intp]
type Leaving = npt.NDArray[np.int64]
"""When the standing plan leaves each place; -1 where it does not say."""


class Manner(NamedTuple):
    """How a van drives: vans of one manner share their matrices."""

    profile: str
    slowdown_percent: int
    hours: tuple[int, int]
    """First and last hour on the road, where traffic counts; (0, 0) where it does not."""

    @classmethod
    def of(cls, problem: Problem, vehicle: Vehicle, ready: int) -> Manner:
        hours = (ready // 3600, max(ready, vehicle.shift_end) // 3600) if vehicle.profile in problem.traffic else (0, 0)
        return cls(vehicle.profile, vehicle.slowdown_percent, hours)


def seconds(problem: Problem, manner: Manner, places: Places, leaving: Leaving | None = None) -> Matrix:
    """Driving between the places. Solvers know no hours: in traffic every leg takes as long as in the hour in which the
    plan leaves its place (`leaving`, -1 where nobody knows), else its mean over the van's hours.
    """
    found: Matrix = problem.travel[manner.profile].seconds[np.ix_(places, places)].astype(np.int64)
    road = found < UNREACHABLE
    if manner.slowdown_percent != 100:
        found = np.where(road, -(-found * manner.slowdown_percent // 100), found)
    table = problem.traffic.get(manner.profile)
    if table is not None:
        found = np.where(road, np.ceil(found * _slowness(table, manner.hours, places, leaving)[:, None]), found)
    return found.astype(np.int64)


def metres(problem: Problem, profile: str, places: Places) -> Matrix:
    found: Matrix = problem.travel[profile].metres[np.ix_(places, places)].astype(np.int64)
    return found


def _slowness(
    table: TrafficTable, hours: tuple[int, int], places: Places, leaving: Leaving | None
) -> npt.NDArray[np.float64]:
    """How many times longer than on the free road a leg from each of the places takes."""
    slowness = 1000.0 / np.array(table.permille, dtype=np.float64)
    last, zones = slowness.shape[1] - 1, table.zones[places]
    found: npt.NDArray[np.float64] = slowness[:, np.clip(np.arange(hours[0], hours[1] + 1), 0, last)].mean(axis=1)[
        zones
    ]
    if leaving is not None:
        found = np.where(leaving >= 0, slowness[zones, np.clip(leaving // 3600, 0, last)], found)
    return found


def suitable(vehicle: Vehicle, stop: Stop) -> bool:
    """Whether this van may serve the stop at all, wherever its parcel lies and however full it is."""
    if stop.reload_of is not None:
        return stop.reload_of == vehicle.id
    if stop.loaded_on is not None:
        return stop.loaded_on == vehicle.id
    if stop.pair and vehicle.is_carrier:
        return False
    elsewhere = stop.lies_at_depot and vehicle.depot and stop.depots and vehicle.depot not in stop.depots
    in_zone = not vehicle.zones or stop.zone in vehicle.zones
    barred = stop.zone in vehicle.barred_zones or not stop.areas.isdisjoint(vehicle.barred_zones)
    return stop.skills <= vehicle.skills and in_zone and not barred and not elsewhere


def reloads_of(problem: Problem, vans: Collection[str]) -> list[Stop]:
    """The optional calls at the depot that these vans have."""
    return [stop for stop in problem.stops if stop.reload_of in vans and stop.windows]


def sums(stops: Sequence[Stop], what: str, name: str) -> int:
    """Total of one dimension of what the stops bring or take."""
    values: list[Any] = [getattr(getattr(stop, what), name) for stop in stops]
    return int(sum(values))
