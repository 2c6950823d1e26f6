"""Every gap at once: which would take the stop whatever the time, at what price, and which in time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.approach import Approach
from apps.routing.planner.eligible import Mask
from apps.routing.planner.halves import in_order, room_between
from apps.routing.planner.intervals import Instants, next_starts
from apps.routing.planner.problem import Stop, Window
from apps.routing.planner.rooms import triple
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import Timetable
from apps.routing.planner.travel import UNREACHABLE

FAR: Final = 2**60


class Ways(NamedTuple):
    """What does not depend on the window: `may` (van, goods, load, road and range allow it), the arrival, the price
    without overtime, and, when none may, the reason of the row that came closest.
    """

    may: Mask
    arrival: Instants
    price: Instants
    reason: Reason


class Fit(NamedTuple):
    """What inserting into each gap would mean. `onward`: arrival at the gap's second node."""

    arrival: Instants
    start: Instants
    onward: Instants
    in_time: Mask
    holds: Mask
    """In time, on a van that may, and nothing behind it breaks."""


def ways_in(timetable: Timetable, stop: Stop, approach: Approach, able: Mask) -> Ways:
    """Who may come at all, and what it costs. Where metres or seconds are lower bounds, so is the price."""
    gaps = timetable.gaps
    may, reason = able[gaps.van], Reason.NO_VEHICLE
    reachable = (approach.to < UNREACHABLE) & (approach.away < UNREACHABLE)
    stages = (
        (Reason.LEFT_DEPOT, timetable.rooms.fed if stop.lies_at_depot and timetable.some_call_again else None),
        (Reason.COLLECTION, in_order(timetable, stop) if stop.pair else None),
        (Reason.CAPACITY, has_room(timetable, stop)),
        (Reason.UNREACHABLE, reachable),
        (Reason.RANGE, _in_range(timetable, stop, approach)),
    )
    for code, allows in stages:
        if allows is None:
            continue
        left = may & allows
        if may.any() and not left.any():
            reason = code
        may = left
    arrival = arrivals(timetable, gaps.zone, gaps.ready, approach.to, may)
    return Ways(may, arrival, prices_of(timetable, stop, approach), reason)


def fits(
    timetable: Timetable,
    stop: Stop,
    intervals: tuple[Window, ...],
    approach: Approach,
    ways: Ways,
    *,
    late: bool = False,
) -> Fit:
    """Try every gap at once. `late`: what happens behind the stop matters even where it comes too late itself."""
    gaps = timetable.gaps
    start, in_time = next_starts(intervals, ways.arrival)
    leave = start + stop.service
    rested: Mask | bool = True
    if timetable.rested:
        rested = leave <= gaps.rest_latest
        leave = np.maximum(leave, gaps.rest_earliest) + gaps.rest_seconds
    tried = ways.may & in_time
    # in traffic only where there is hope: every arrival costs
    driven = ways.may if late else tried & (leave <= gaps.latest)
    onward = arrivals(timetable, approach.zone, leave, approach.away, driven)
    holds = tried & rested & (onward <= gaps.latest)
    return Fit(ways.arrival, start, onward, in_time, holds)


def refused_because(ways: Ways, fit: Fit) -> Reason:
    """How far the best row came."""
    if not ways.may.any():
        return ways.reason
    return Reason.OTHERS if (ways.may & fit.in_time).any() else Reason.WINDOW


def arrivals(
    timetable: Timetable, zones: npt.NDArray[np.int64], departs: Instants, legs: Instants, may: Mask
) -> Instants:
    """Ends of legs, in traffic where there is any and the row counts."""
    traffic = timetable.problem.traffic
    found = departs + legs
    if traffic:
        for profile, numbers in timetable.profiles.items():
            if profile in traffic:
                numbers = numbers[may[numbers]]
                found[numbers] = traffic[profile].arrivals(zones[numbers], departs[numbers], legs[numbers])
    return found


def has_room(timetable: Timetable, stop: Stop) -> Mask:
    """Load on the way: what is brought counts up to the gap, what is taken along from it on."""
    rooms = timetable.rooms
    brings, takes = np.array(triple(stop.brings)), np.array(triple(stop.takes))
    if stop.pair:
        return room_between(timetable, stop)
    if stop.loaded_on is None:
        allows: Mask = (brings <= rooms.front).all(axis=1)
        return allows & (takes <= rooms.back).all(axis=1) if takes.any() else allows
    on_board = np.maximum(brings - rooms.beside, 0)  # what is on board is no reason to say no
    allows = (brings <= rooms.whole + on_board).all(axis=1)
    return allows & (takes <= rooms.back + on_board).all(axis=1) if takes.any() else allows


def _in_range(timetable: Timetable, stop: Stop, approach: Approach) -> Mask | None:
    if not timetable.ranged:
        return None
    rooms, gaps = timetable.rooms, timetable.gaps
    if not stop.is_reload:
        return approach.to_metres + approach.away_metres - gaps.metres <= rooms.metres
    up_to_here = approach.to_metres - gaps.metres - rooms.ahead <= rooms.metres
    return up_to_here & (approach.away_metres + rooms.ahead <= rooms.full)


def prices_of(timetable: Timetable, stop: Stop, approach: Approach) -> Instants:
    """What the stop would add in each gap, without overtime."""
    gaps, prices = timetable.gaps, timetable.prices
    added = approach.to + approach.away - gaps.leg
    if prices is None:
        return added
    metres = approach.to_metres + approach.away_metres - gaps.metres
    fixed = prices.first + stop.service * prices.service + (0 if stop.is_reload else prices.stop)
    price: Instants = added * prices.second[gaps.van] + metres * prices.metre[gaps.van] + fixed[gaps.van]
    return price
