"""Traffic as speeds per zone and hour: first in, first out, exact in whole seconds, forwards and backwards.

A leg of `base` seconds on the free road is done when so much progress is made: an hour at 800 permille makes 48 minutes
of it. Whoever leaves later never arrives earlier, because progress only ever adds up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from apps.routing.planner.checked import ProblemError, whole
from apps.routing.planner.travel import UNREACHABLE

type Instants = npt.NDArray[np.int64]

BUCKET: Final = 3600
FREE_FLOW: Final = 1000
SLOWEST, FASTEST = 50, 5000
MOST_ZONES: Final = 500
_APART: Final = 2**53
"""More progress than anything makes, so that the zones' rows do not overlap."""


@dataclass(frozen=True, eq=False)
class TrafficTable:
    """Speeds of one profile, in permille of the free road's.

    `zone_of_location` says for every location of the matrices in which zone a leg that begins there is driven;
    `permille[zone][hour]` counts hours from the problem's epoch. What lies before the first or after the last hour
    goes at that hour's speed.
    """

    zone_of_location: tuple[int, ...]
    permille: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.permille or any(len(speeds) != len(self.permille[0]) for speeds in self.permille):
            raise ProblemError("traffic: permille", "needs one row of equally many hours for every zone")
        if not 1 <= len(self.permille[0]) <= 24 * 14:
            raise ProblemError("traffic: permille", f"{len(self.permille[0])} hours lie outside 1..336")
        if len(self.permille) > MOST_ZONES:
            raise ProblemError("traffic: permille", f"{len(self.permille)} zones, more than {MOST_ZONES}")
        for speeds in self.permille:
            for speed in speeds:
                whole("traffic: permille", speed, SLOWEST, FASTEST)
        for zone in set(self.zone_of_location):
            whole("traffic: zone_of_location", zone, 0, len(self.permille) - 1)

    @cached_property
    def zones(self) -> npt.NDArray[np.int64]:
        """`zone_of_location` as an array."""
        return np.array(self.zone_of_location, dtype=np.int64)

    def grown(self, like: int) -> TrafficTable:
        """The table with one more location, in the zone of a known one."""
        return TrafficTable((*self.zone_of_location, self.zone_of_location[like]), self.permille)

    def take(self, places: Sequence[int]) -> TrafficTable:
        """The table over a subset of the locations, in the given order."""
        return TrafficTable(tuple(self.zone_of_location[place] for place in places), self.permille)

    def arrive(self, zone: int, depart: int, base: int) -> int:
        """The first second at which a leg of `base` free seconds that begins at `depart` is done."""
        if base >= UNREACHABLE:
            return depart + base
        wanted = self._progress(zone, depart) + base * FREE_FLOW
        return self._reached(zone, wanted)

    def leave_by(self, zone: int, deadline: int, base: int) -> int:
        """The last second at which one may leave to arrive by the deadline: the exact inverse of `arrive`."""
        if base >= UNREACHABLE:
            return deadline - base
        allowed = self._progress(zone, deadline) - base * FREE_FLOW
        speeds, done = self.permille[zone], self._edges[zone]
        hour = _last_not_above(done, allowed)
        return hour * BUCKET + (allowed - done[hour]) // speeds[hour]

    def arrivals(self, zones: npt.NDArray[np.int64], departs: Instants, bases: Instants) -> Instants:
        """`arrive` for many legs at once."""
        speeds, done, edges = self._flat
        hours = len(self.permille[0])
        first = zones * hours
        hour = np.minimum(np.maximum(departs // BUCKET, 0), hours - 1)
        at = first + hour
        wanted = done[at] + (departs - hour * BUCKET) * speeds[at] + bases * FREE_FLOW
        at = np.searchsorted(edges, wanted + zones * _APART, side="left") - 1
        at = np.minimum(np.maximum(at, first), first + hours - 1)
        found = (at - first) * BUCKET - (done[at] - wanted) // speeds[at]
        return np.where(bases < UNREACHABLE, found, departs + bases)

    def _progress(self, zone: int, instant: int) -> int:
        speeds = self.permille[zone]
        hour = min(max(instant // BUCKET, 0), len(speeds) - 1)
        return self._edges[zone][hour] + (instant - hour * BUCKET) * speeds[hour]

    def _reached(self, zone: int, wanted: int) -> int:
        """The first second with so much progress."""
        speeds, done = self.permille[zone], self._edges[zone]
        hour = _last_below(done, wanted)
        return hour * BUCKET - (done[hour] - wanted) // speeds[hour]

    @cached_property
    def _flat(self) -> tuple[Instants, Instants, Instants]:
        """Speeds, progress at each hour's beginning, and the latter with the zones far apart in one sorted row."""
        done = np.concatenate(self._done)
        zone = np.repeat(np.arange(len(self.permille)), len(self.permille[0]))
        return np.concatenate(self._speeds), done, done + zone * _APART

    @cached_property
    def _edges(self) -> list[list[int]]:
        """Progress at the beginning of every hour, by zone."""
        return [done.tolist() for done in self._done]

    @cached_property
    def _done(self) -> list[Instants]:
        return [np.concatenate(([0], np.cumsum(speeds[:-1] * BUCKET))).astype(np.int64) for speeds in self._speeds]

    @cached_property
    def _speeds(self) -> list[Instants]:
        return [np.array(speeds, dtype=np.int64) for speeds in self.permille]


def _last_not_above(edges: list[int], value: int) -> int:
    return max(bisect_right(edges, value) - 1, 0)


def _last_below(edges: list[int], value: int) -> int:
    return max(bisect_left(edges, value) - 1, 0)
