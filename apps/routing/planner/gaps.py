"""The gaps of a plan as arrays of one length: what inserting there has to know, for every van and position at once.

A van with breaks has several rows for one gap: with so many breaks behind when leaving its first node, and with none or
some of the next ones taken at the new stop. Without breaks there is one row.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.breaks import LATER_THAN_ALL, Layers
from apps.routing.planner.intervals import NEVER, Instants
from apps.routing.planner.problem import Break
from apps.routing.planner.ride import Ride
from apps.routing.planner.rooms import Amounts, Rooms

type Indices = npt.NDArray[np.intp]

EVER: Final = -LATER_THAN_ALL


class Gaps(NamedTuple):
    """Rows of one van (`van` is 0) or of a whole plan, van by van in the problem's order.

    Leaving location `before` at `ready`, the van has to be at location `after` by `latest`; the direct way is `leg`
    seconds on the free road and `metres` long, and begins in traffic zone `zone`. Arriving at `after` by `calm`, the
    van has no overtime. `rest_*`: breaks at the new stop, as one: begins at the earliest then, at the latest then.
    """

    van: Indices
    position: Indices
    before: Indices
    after: Indices
    ready: Instants
    latest: Instants
    leg: Instants
    metres: Instants
    zone: Indices
    rest_earliest: Instants
    rest_latest: Instants
    rest_seconds: Instants
    calm: Instants

    @classmethod
    def joined(cls, of_vans: list[Gaps]) -> Gaps:
        """The rows of all vans, numbered in this order."""
        if len(of_vans) == 1:
            return of_vans[0]
        if not of_vans:
            return cls(*(np.zeros(0, dtype=np.int64) for _ in cls._fields))
        van = np.repeat(np.arange(len(of_vans)), [rows.position.size for rows in of_vans])
        return cls(*(np.concatenate(parts) for parts in zip(*of_vans, strict=True)))._replace(van=van)


class RoomColumns:
    """`rooms.Rooms` of every row, each column when it is first asked for."""

    def __init__(self, parts: list[tuple[Rooms, Gaps]]) -> None:
        # a carrier has one gap, whatever its position is called
        self.parts = [
            (room, columns.position if room.gaps > 1 else np.zeros_like(columns.position)) for room, columns in parts
        ]

    @cached_property
    def front(self) -> Amounts:
        return self._wide([room.front[gap] for room, gap in self.parts])

    @cached_property
    def whole(self) -> Amounts:
        return self._wide([room.whole[gap] for room, gap in self.parts])

    @cached_property
    def back(self) -> Amounts:
        return self._wide([room.back[gap] for room, gap in self.parts])

    @cached_property
    def beside(self) -> Amounts:
        return self._wide([np.broadcast_to(np.array(room.beside), (gap.size, 3)) for room, gap in self.parts])

    @cached_property
    def metres(self) -> Amounts:
        return self._flat([room.metres[gap] for room, gap in self.parts])

    @cached_property
    def ahead(self) -> Amounts:
        return self._flat([room.ahead[gap] for room, gap in self.parts])

    @cached_property
    def full(self) -> Amounts:
        return self._flat([room.full[gap] for room, gap in self.parts])

    @cached_property
    def fed(self) -> npt.NDArray[np.bool_]:
        return self._flat([room.fed[gap] for room, gap in self.parts]).astype(np.bool_)

    def _wide(self, columns: list[Amounts]) -> Amounts:
        if len(columns) == 1:
            return columns[0]
        return np.concatenate(columns) if columns else np.zeros((0, 3), dtype=np.int64)

    def _flat(self, columns: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)


def columns_of(ride: Ride, arrays: Layers, calm: Layers | None, metres: list[int], *, used: bool) -> Gaps:
    """The rows of one route. A van that stands still drives nothing, so its only leg counts for nothing."""
    if ride.vehicle.is_carrier:
        return _hand_over(ride)
    first, nodes = ride.route.frozen, ride.locations
    legs = ride.legs if used else [0] * len(ride.legs)
    metres = metres if used else [0] * len(metres)
    zones = ride.zones if ride.traffic else [0] * len(nodes)
    one = (
        np.arange(first, len(nodes) - 1),
        np.array(nodes[first:-1], dtype=np.int64),
        np.array(nodes[first + 1 :], dtype=np.int64),
        np.array(legs[first:], dtype=np.int64),
        np.array(metres[first:], dtype=np.int64),
        np.array(zones[first:-1], dtype=np.int64),
    )
    position, before, after, leg, length, zone = one
    breaks = ride.vehicle.breaks
    if not breaks:
        ready = np.array(arrays.ready[0][first:], dtype=np.int64)
        latest = np.array(arrays.latest[0][first + 1 :], dtype=np.int64)
        early = latest if calm is None else np.array(calm.latest[0][first + 1 :], dtype=np.int64)
        ever, none = np.full(position.size, EVER), np.zeros(position.size, dtype=np.int64)
        return Gaps(none, position, before, after, ready, latest, leg, length, zone, ever, -ever, none, early)
    return _worth_trying(_with_rests(ride, arrays, calm or arrays, one, breaks))


def _worth_trying(rows: Gaps) -> Gaps:
    """Without the rows that no time of day could make work, as long as every gap keeps one."""
    hope = (rows.ready < LATER_THAN_ALL) & (rows.latest > NEVER)
    if np.unique(rows.position[hope]).size < np.unique(rows.position).size:
        return rows
    return Gaps(*(column[hope] for column in rows))


def _with_rests(ride: Ride, arrays: Layers, calm: Layers, one: tuple[Indices, ...], breaks: tuple[Break, ...]) -> Gaps:
    """A row for every number of breaks behind, and every number of breaks taken at the new stop."""
    position, before, after, leg, metres, zone = one
    first, count, size = ride.route.frozen, len(breaks), position.size
    pairs = [(taken, then) for taken in range(count + 1) for then in range(taken, count + 1)]
    rests = [_as_one(breaks[taken:then], arrays, taken) for taken, then in pairs]
    ready = [arrays.ready[taken][first:] for taken, _ in pairs]
    latest = [arrays.latest[then][first + 1 :] for _, then in pairs]
    early = [calm.latest[then][first + 1 :] for _, then in pairs]
    order = np.arange(size * len(pairs)).reshape(len(pairs), size).T.ravel()  # gap by gap

    def each(values: npt.NDArray[np.int64]) -> Instants:
        return np.repeat(values, len(pairs))

    def of_pair(column: int) -> Instants:
        return np.tile(np.array([rest[column] for rest in rests], dtype=np.int64), size)

    return Gaps(
        np.zeros(order.size, dtype=np.int64),
        each(position),
        each(before),
        each(after),
        np.array(ready, dtype=np.int64).ravel()[order],
        np.array(latest, dtype=np.int64).ravel()[order],
        each(leg),
        each(metres),
        each(zone),
        of_pair(0),
        of_pair(1),
        of_pair(2),
        np.array(early, dtype=np.int64).ravel()[order],
    )


def _as_one(breaks: tuple[Break, ...], arrays: Layers, taken: int) -> tuple[int, int, int]:
    """Breaks one after the other as one: earliest and latest beginning, length."""
    earliest, latest, seconds = EVER, LATER_THAN_ALL, 0
    for number, rest in enumerate(breaks, start=taken):
        latest = min(latest, arrays.last_rests[number] - seconds)
        earliest = max(earliest, rest.earliest - seconds)
        seconds += rest.seconds
    return earliest, latest, seconds


def _hand_over(ride: Ride) -> Gaps:
    """A carrier takes a parcel whenever it is ready, and order means nothing."""
    zero = np.zeros(1, dtype=np.int64)
    ready, late = zero + ride.vehicle.available, zero + LATER_THAN_ALL
    position = zero + len(ride.stops)
    start, end = zero + ride.vehicle.start, zero + ride.vehicle.end
    ever = zero - LATER_THAN_ALL
    return Gaps(zero, position, start, end, ready, late, zero, zero, zero, ever, late, zero, late)
