"""One half of a pair (`Stop.pair`) where the other half stands in the plan: which gaps keep order, van and load."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import Stop
from apps.routing.planner.rooms import triple
from apps.routing.planner.timetable import RouteTable, Timetable

type Mask = npt.NDArray[np.bool_]


def in_order(timetable: Timetable, stop: Stop) -> Mask:
    """Gaps on the other half's van, on the right side of it; none where that half is on no van."""
    gaps, found = timetable.gaps, _other(timetable, stop)
    if found is None:
        return np.zeros(gaps.van.size, dtype=np.bool_)
    number, _table, other = found
    right_side = gaps.position <= other if stop.collects else gaps.position > other
    allows: Mask = (gaps.van == number) & right_side
    return allows


def room_between(timetable: Timetable, stop: Stop) -> Mask:
    """Gaps from which (or up to which) the van has room for the load all the way to the other half."""
    gaps, found = timetable.gaps, _other(timetable, stop)
    allows = np.zeros(gaps.van.size, dtype=np.bool_)
    if found is None:
        return allows
    number, table, other = found
    arcs, room = table.rooms.arcs, np.array(table.rooms.room)
    fits = np.zeros(len(arcs), dtype=np.bool_)
    if stop.collects:
        fullest = np.maximum.accumulate(arcs[: other + 1][::-1], axis=0)[::-1]
        fits[: other + 1] = (fullest + triple(stop.load) <= room).all(axis=1)
    else:
        fullest = np.maximum.accumulate(arcs[other + 1 :], axis=0)
        fits[other + 1 :] = (fullest + triple(stop.load) <= room).all(axis=1)
    own = gaps.van == number
    allows[own] = fits[gaps.position[own]]
    return allows


def whole_pairs(stops: Iterable[Stop]) -> list[Stop]:
    """Without the halves whose other half is not among them: no solver may serve one alone."""
    known = list(stops)
    names = {stop.id for stop in known}
    return [stop for stop in known if not stop.pair or stop.pair in names]


def _other(timetable: Timetable, stop: Stop) -> tuple[int, RouteTable, int] | None:
    """(number of the van, its table, index on its route) of the other half."""
    van = timetable.vehicle_of.get(stop.pair)
    if van is None:
        return None
    table = timetable.tables[van]
    return timetable.vans.index(van), table, table.route.stops.index(stop.pair)
