"""Several parcels for one pick-up point are one visit: one approach, and a little more for each further parcel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from apps.routing.planner.breaks import Limits, keeps, settled
from apps.routing.planner.intervals import intersect, lateness, next_start, permitted
from apps.routing.planner.load import NO_LOAD
from apps.routing.planner.problem import Stop
from apps.routing.planner.rooms import Allowed, Rooms
from apps.routing.planner.timetable import RouteTable
from apps.routing.planner.wishing import common as common_wish


def join(visit: Stop, stop: Stop) -> Stop:
    """One visit for both: the longer service by one more parcel, what is common of their times, no new approach."""
    windows = visit.windows
    common = tuple(piece for window in stop.windows for piece in intersect(windows, window))
    collects = visit.collects and stop.collects
    promises = [promise for promise in (visit.promise, stop.promise) if promise is not None]
    promise = (max(first for first, _ in promises), min(last for _, last in promises)) if promises else None
    if promise is not None and promise[1] < promise[0]:  # two words that cannot both be kept: nobody can come
        common, promise = (), visit.promise
    windows = tuple(sorted(common))
    return visit.replace(
        windows=windows,
        promise=promise,
        service=_service_of_both(visit, stop),
        load=visit.load + stop.load if collects else visit.brings + stop.brings,
        returns=NO_LOAD if collects else visit.takes + stop.takes,
        loaded_on=visit.loaded_on or stop.loaded_on,
        collects=collects,
        skills=visit.skills | stop.skills,
        members=(*visit.members, stop.id, *stop.members),
        priority=max(visit.priority, stop.priority),
        depots=_common(visit.depots, stop.depots),
        wish=common_wish(windows, [wish for wish in (visit.wish, stop.wish) if wish is not None]),
    )


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Where the goods of both lie: "anywhere" leaves the choice to the other."""
    return one & other if one and other else one | other


def _service_of_both(visit: Stop, stop: Stop) -> int:
    """The longest handing over of all, and `per_parcel` for each other one."""
    own, new = len(visit.members), len(stop.members)
    longest = max(visit.service - stop.per_parcel * own, stop.service - stop.per_parcel * new)
    return longest + stop.per_parcel * (own + new + 1)


def joined_tables(tables: Iterable[RouteTable], stop: Stop) -> Iterable[tuple[int, Stop, RouteTable]]:
    """(position, visit as it is, the van's table with it) of every visit that the stop can join with all holding."""
    for table in tables:
        if table.vehicle.is_carrier:  # it asks its price for each parcel
            continue
        for index in range(table.route.frozen, len(table.route.stops)):
            visit = table.stops[index]
            if visit.merge_key != stop.merge_key or (stop.lies_at_depot and not table.rooms.fed[index]):
                continue
            if _belong_together(visit, stop):
                found = _joined(table, index, join(visit, stop))
                if found is not None and _is_where_it_was(visit, table.times[index].start, found.times[index].start):
                    yield index, visit, found


def _belong_together(visit: Stop, stop: Stop) -> bool:
    """One place, and goods that lie at one depot."""
    if visit.location != stop.location or visit.is_reload or visit.pair or stop.pair:
        return False
    return not (visit.depots and stop.depots) or bool(visit.depots & stop.depots)


def _is_where_it_was(visit: Stop, before: int, after: int) -> bool:
    """Who stands in the plan already keeps the time they are shown; another one's wish is no reason to come later."""
    return visit.eta is None or after <= max(before, visit.eta[1])


def _joined(table: RouteTable, index: int, both: Stop) -> RouteTable | None:
    """The table with a larger visit in place of one; None when something then no longer holds."""
    ride = table.ride
    windows = permitted(both)
    if not ride.breaks:  # one look at the time is cheaper than driving it all
        start = next_start(windows, table.times[index].arrival)
        if lateness(windows, start) or start + both.service > table.layers.leave[0][index + 1]:
            return None
    stops, spans, limits = list(ride.stops), list(ride.windows), list(table.limits.windows)
    stops[index], spans[index], limits[index] = both, windows, windows
    larger = dataclasses.replace(ride, stops=stops, windows=spans)
    new_limits = Limits(limits, table.limits.rests, table.limits.end)
    larger, driven = settled(larger, new_limits)
    if not keeps(larger, driven, new_limits):
        return None
    found = RouteTable(table.problem, larger, driven, new_limits, {}, table.standing or table)
    return found if _has_room(found) else None


def _has_room(table: RouteTable) -> bool:
    base = (table.standing or table).rooms
    room = Rooms(table.vehicle, table.stops, [0] * len(table.legs), Allowed(base.fullest))
    return bool((room.front >= 0).all())
