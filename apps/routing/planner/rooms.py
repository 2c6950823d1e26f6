"""How much room a route has at each of its gaps: load on the way, metres of range, goods from the depot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import NO_LOAD, Load, Stop, Vehicle

type Amounts = npt.NDArray[np.int64]
type Triple = tuple[int, int, int]

NOTHING: Final = (0, 0, 0)
ENDLESS: Final = 2**50


class Rooms:
    """Per gap (before node i+1, i from 0), and per dimension of the load where there are three columns.

    Everything is worked out when it is first asked for: most answers only need `front` and `beside`. Without an
    allowance the route is a standing one, which allows itself what it does.
    """

    def __init__(self, vehicle: Vehicle, stops: list[Stop], metres: list[int], allowed: Allowed | None) -> None:
        self.vehicle, self.stops, self.way = vehicle, stops, metres
        self.gaps = len(stops) + 1
        self.calls = [node for node, stop in enumerate(stops) if stop.reload_of is not None]
        self.takes = any(stop.collects or stop.pair or stop.returns is not NO_LOAD for stop in stops)
        self.allowed = allowed

    @cached_property
    def on_board(self) -> Triple:
        """What the van has on board whatever the plan."""
        van = self.vehicle.id
        return _total([stop.brings for stop in self.stops if stop.loaded_on == van])

    @cached_property
    def fullest(self) -> Triple:
        """The most on board at any time."""
        if self.calls or self.takes:
            return tuple(self.arcs.max(axis=0).tolist())
        return _total([stop.load for stop in self.stops])

    @cached_property
    def excess(self) -> int:
        """Metres that the longest way between two calls at the depot is over the range."""
        if self.vehicle.first_range is None and self.vehicle.range_metres is None:
            return 0
        driven = [sum(self.way[start:end]) for start, end in self.bounds]
        over = [0 if limit is None else way - limit for way, limit in zip(driven, self.limits, strict=True)]
        return max(0, *over)

    @cached_property
    def room(self) -> Triple:
        """What the van may carry: its capacity, or what the standing plan loads, or what is on board."""
        standing = self.fullest if self.allowed is None else self.allowed.fullest
        limits = zip(triple(self.vehicle.capacity), standing, self.on_board, strict=True)
        grams, volume, pieces = (max(each) for each in limits)
        return grams, volume, pieces

    @cached_property
    def beside(self) -> Triple:
        """Room beside all that is on board at the start: what is on board already is no reason to say no."""
        return _less(self.room, self.on_board)

    @cached_property
    def front(self) -> Amounts:
        """Room on the way from the depot to each gap: for what is fetched there."""
        if not self.calls and not self.takes:  # the load only ever shrinks
            return np.broadcast_to(np.array(_less(self.room, self.fullest)), (self.gaps, 3))
        found = np.empty_like(self.arcs)
        for start, end in self.bounds:
            found[start:end] = np.array(self.room) - np.maximum.accumulate(self.arcs[start:end], axis=0)
        return found

    @cached_property
    def whole(self) -> Amounts:
        """Room from the route's start to each gap: for what is on board already."""
        if not self.calls:
            return self.front
        found: Amounts = np.array(self.room) - np.maximum.accumulate(self.arcs, axis=0)
        return found

    @cached_property
    def back(self) -> Amounts:
        """Room from each gap to the next call at the depot: for what is taken along."""
        found = np.empty_like(self.arcs)
        for start, end in self.bounds:
            found[start:end] = np.array(self.room) - np.maximum.accumulate(self.arcs[start:end][::-1], axis=0)[::-1]
        return found

    @cached_property
    def arcs(self) -> Amounts:
        """What is on board on the way from each node to the next."""
        brings = np.array([NOTHING, *(triple(stop.brings) for stop in self.stops)], dtype=np.int64)
        takes = np.array([NOTHING, *(triple(stop.takes) for stop in self.stops)], dtype=np.int64)
        here = np.array([False, *(stop.loaded_on == self.vehicle.id for stop in self.stops)])
        on_board, fetched = brings * here[:, None], brings * ~here[:, None]
        arcs: Amounts = on_board.sum(axis=0) - np.cumsum(on_board, axis=0)
        for start, end in self.bounds:
            arcs[start:end] += fetched[start:end].sum(axis=0) - np.cumsum(fetched[start:end], axis=0)
            arcs[start:end] += np.cumsum(takes[start:end], axis=0)
        for first, last, load in self._carried:
            arcs[first:last] += triple(load)
        return arcs

    @property
    def _carried(self) -> Iterator[tuple[int, int, Load]]:
        """(first arc, the one behind the last, load) of what is collected on the way and handed over further on."""
        place = {stop.id: number for number, stop in enumerate(self.stops) if stop.pair}
        for number, stop in enumerate(self.stops):
            if stop.pair in place and stop.collects:
                yield number + 1, place[stop.pair] + 1, stop.load

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """First gap and the one behind the last, of each way between two calls at the depot."""
        return list(pairwise([0, *(call + 1 for call in self.calls), self.gaps]))

    @property
    def limits(self) -> list[int | None]:
        """Metres allowed on each of these ways."""
        return [self.vehicle.first_range, *([self.vehicle.range_metres] * len(self.calls))]

    @cached_property
    def metres(self) -> Amounts:
        """Metres that the way between two calls at the depot may still grow."""
        excess = self.excess if self.allowed is None else self.allowed.excess
        found = np.full(self.gaps, ENDLESS, dtype=np.int64)
        for (start, end), limit in zip(self.bounds, self.limits, strict=True):
            if limit is not None:
                found[start:end] = limit + excess - sum(self.way[start:end])
        return found

    @cached_property
    def ahead(self) -> Amounts:
        """Metres from the second node of each gap to the next call."""
        way, found = np.array(self.way, dtype=np.int64), np.zeros(self.gaps, dtype=np.int64)
        for start, end in self.bounds:
            found[start:end] = way[start:end].sum() - np.cumsum(way[start:end])
        return found

    @cached_property
    def full(self) -> Amounts:
        """Metres allowed between two calls further on."""
        excess = self.excess if self.allowed is None else self.allowed.excess
        limit = self.vehicle.range_metres
        return np.full(self.gaps, ENDLESS if limit is None else limit + excess, dtype=np.int64)

    @cached_property
    def fed(self) -> npt.NDArray[np.bool_]:
        """Whether a parcel that lies at the depot gets on board before each gap."""
        found = np.full(self.gaps, not self.vehicle.started)
        if self.calls:
            found[self.calls[0] + 1 :] = True
        return found


class ParcelByParcel(Rooms):
    """The one gap of a carrier: each parcel has to be small enough by itself."""

    def __init__(self, vehicle: Vehicle) -> None:
        super().__init__(vehicle, [], [0], None)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a standing plan already does: the most on board, metres over the range. It may stay so."""

    fullest: Triple = NOTHING
    excess: int = 0


def triple(load: Load) -> Triple:
    return load.grams, load.cubic_centimetres, load.pieces


def _total(loads: list[Load]) -> Triple:
    return (
        sum([load.grams for load in loads]),
        sum([load.cubic_centimetres for load in loads]),
        sum([load.pieces for load in loads]),
    )


def _less(one: Triple, other: Triple) -> Triple:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]
