"""Rows of a depot-day turned into the planner's problem and the standing plan.

Done visits are left out; what is being driven to is frozen; a loaded parcel is pinned to its van; a slot hold counts
like a visit until it expires; the drops of one visit are one stop whose windows are what they have in common.
"""

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from typing import Protocol

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Place
from apps.deliveries.states import ON_A_VAN
from apps.fleet.models import Depot
from apps.places.selectors import opening_windows
from apps.routing import roads
from apps.routing.epoch_seconds import instant, since
from apps.routing.models import Visit
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.intervals import intersect
from apps.routing.planner.problem import LATEST_INSTANT, NEW_PLACE, NO_LOAD, Load, Problem, Stop, Vehicle, Window
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.travel import Point
from apps.routing.rows import DoneRow, DropRow, PlanRows, ShiftRow, VisitRow, read

SECONDS_PER_FURTHER_DROP = 20
"""Another delivery handed over at the same stop."""
STILL_BUSY_SECONDS = 30
"""How much longer a stop is expected to take that has already lasted longer than planned."""


class Whereabouts(Protocol):
    """What the plan needs to know of a place: a row or a caller's input."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...

    @property
    def kind(self) -> str: ...

    @property
    def opening_hours(self) -> str: ...

    @property
    def merge_key(self) -> str: ...


@dataclass(frozen=True)
class Snapshot:
    """A depot-day as it stood; instants are seconds since `epoch`, the depot's midnight."""

    depot: Depot
    day: date
    plan: int | None
    epoch: int
    now: int
    shifts: Mapping[str, ShiftRow]
    visits: Mapping[int, VisitRow]
    drops: Mapping[int, list[DropRow]]
    done: Mapping[int, DoneRow]
    promises: Mapping[int, Window]
    loads: Mapping[int, Load]
    ground: roads.Ground = field(repr=False)
    problem: Problem = field(repr=False)
    standing: Solution = field(repr=False)

    @cached_property
    def timetable(self) -> Timetable:
        return Timetable.of(self.problem, self.standing)

    def instant(self, seconds: int) -> datetime:
        return instant(self.epoch, seconds)

    def window(self, window: TimeWindow) -> Window:
        """A window in this day's seconds, cut to what a plan can hold."""
        return _clipped(since(self.epoch, window.earliest), since(self.epoch, window.latest))

    def visits_of(self, delivery_id: int) -> list[int]:
        """The visits a delivery has a part in: its drop, and its holds."""
        return [visit for visit, drops in self.drops.items() if any(drop.delivery == delivery_id for drop in drops)]

    def is_off_the_map(self, place: Whereabouts) -> bool:
        """True for a place that no road comes near."""
        return point_of(place).key in self.ground.off


def zone_of(depot: Depot) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(depot.time_zone)


def epoch_of(depot: Depot, day: date) -> int:
    """Posix seconds of the day's midnight at the depot."""
    return int(datetime.combine(day, time(), zone_of(depot)).timestamp())


def take(
    *,
    depot: Depot,
    day: date,
    shift_id: int | None = None,
    places: Iterable[Whereabouts] = (),
    arrivals: Mapping[int, int] | None = None,
) -> Snapshot:
    """The depot-day now, or one van of it; a day without rows is the empty plan of its roster.

    `places` may come into play: the straight line learns them at once, roads are asked when it comes to it
    (`new_places`). `arrivals` say in posix seconds when a shift's van will reach
    its next stop, where something better than the stored forecast is known.
    """
    epoch = epoch_of(depot, day)
    rows = read(depot=depot, day=day, epoch=epoch, shift_id=shift_id)
    now = since(epoch, clock.now())
    visits = {row.visit: row for row in rows.visits if row.hold_until is None or row.hold_until > now}
    drops = {visit: rows.drops.get(visit, []) for visit in visits}
    promises = {delivery: _clipped(*promise) for delivery, promise in rows.promises.items()}
    shifts = {row.key: row for row in rows.shifts}
    learned = places if roads.travel_source() == roads.STRAIGHT_LINE else ()
    ground = _ground(depot, day, shifts.values(), [*visits.values(), *learned], rows.done.values())
    build = _Builder(depot, day, now, rows, visits, drops, promises, rows.done, ground)
    routes = [build.route(shift) for shift in shifts.values()]
    ahead = {shift: at - epoch for shift, at in (arrivals or {}).items()}
    vehicles = [
        build.vehicle(shift, route, ahead.get(shift.shift))
        for shift, route in zip(shifts.values(), routes, strict=True)
    ]
    stops = [build.stop(row) for row in visits.values()]
    problem = Problem(epoch, tuple(vehicles), tuple(stops), dict(ground.travel))
    served = {stop for route in routes for stop in route.stops}
    unserved = {row.key: _reason(row) for row in visits.values() if row.key not in served}
    standing = Solution(tuple(routes), unserved)
    return Snapshot(
        depot=depot,
        day=day,
        plan=rows.plan,
        epoch=epoch,
        now=now,
        shifts=shifts,
        visits=visits,
        drops=drops,
        done=rows.done,
        promises=promises,
        loads=rows.loads,
        ground=ground,
        problem=problem,
        standing=standing,
    )


@dataclass(frozen=True)
class _Builder:
    depot: Depot
    day: date
    now: int
    rows: PlanRows
    visits: Mapping[int, VisitRow]
    drops: Mapping[int, list[DropRow]]
    promises: Mapping[int, Window]
    done: Mapping[int, DoneRow]
    ground: roads.Ground

    @cached_property
    def by_shift(self) -> dict[int, list[VisitRow]]:
        found: dict[int, list[VisitRow]] = {}
        for row in self.visits.values():
            if row.shift is not None:
                found.setdefault(row.shift, []).append(row)
        return found

    def route(self, shift: ShiftRow) -> Route:
        rows = self.by_shift.get(shift.shift, [])
        return Route(shift.key, tuple(row.key for row in rows), self._frozen(shift, rows))

    def _frozen(self, shift: ShiftRow, rows: list[VisitRow]) -> int:
        """How many leading stops a van on the road may no longer change: the one it drives to, at least."""
        if shift.departed is None or not rows:
            return 0
        frozen = 1
        for index, row in enumerate(rows):
            for drop in self.drops[row.visit]:
                stops, seconds = self.rows.freezes.get(drop.merchant, (2, 1200))
                if index < stops or (row.planned is not None and row.planned - self.now <= seconds):
                    frozen = index + 1
        return frozen

    def vehicle(self, shift: ShiftRow, route: Route, arrival: int | None) -> Vehicle:
        depot = self.ground.index[point_of(self.depot).key]
        capacity = Load(shift.grams, shift.cubic_centimetres, shift.pieces)
        if shift.departed is None:
            available = min(max(shift.starts, self.now), shift.ends)
            return Vehicle(shift.key, shift.profile, depot, depot, available, shift.ends, capacity)
        last, rows = self.done.get(shift.shift), self.by_shift.get(shift.shift, [])
        start = depot if last is None else self.ground.index[point_of(last).key]
        left = shift.departed if last is None or last.left is None else last.left
        available = left if rows else max(left, self.now)
        first = self._first_arrival(rows[0], arrival) if rows else None
        return Vehicle(
            shift.key, shift.profile, start, depot, available, shift.ends, capacity, started=True, first_arrival=first
        )

    def _first_arrival(self, row: VisitRow, forecast: int | None) -> int | None:
        if row.state == Visit.State.ARRIVED and row.arrived is not None:
            return row.arrived
        known = forecast if forecast is not None else row.planned
        return None if known is None else max(known, self.now)

    def stop(self, row: VisitRow) -> Stop:
        drops = self.drops[row.visit]
        return build_stop(
            row.key,
            row,
            drops,
            location=self.ground.index[point_of(row).key],
            day=self.day,
            depot=self.depot,
            load=self._load(drops),
            promises=[self.promises[drop.delivery] for drop in drops if drop.delivery in self.promises],
            aboard=is_aboard(row, drops, self.carriers),
            lasted=self.now - row.arrived if row.arrived is not None else 0,
        )

    @cached_property
    def carriers(self) -> dict[int, int]:
        return carriers_of(self.visits, self.drops)

    def _load(self, drops: list[DropRow]) -> Load:
        return total_load(self.rows.loads, drops)


def carriers_of(visits: Mapping[int, VisitRow], drops: Mapping[int, list[DropRow]]) -> dict[int, int]:
    """The shift whose van has a delivery's parcels on board, by delivery."""
    return {
        drop.delivery: row.shift
        for visit, row in visits.items()
        if row.shift is not None
        for drop in drops[visit]
        if drop.state in ON_A_VAN and not drop.is_hold
    }


def is_aboard(row: VisitRow, drops: Iterable[DropRow], carriers: Mapping[int, int]) -> bool:
    """Whether anything of this visit (a hold's delivery too) is on board of the van that makes it."""
    return row.shift is not None and any(carriers.get(drop.delivery) == row.shift for drop in drops)


def total_load(loads: Mapping[int, Load], drops: Iterable[DropRow]) -> Load:
    total = NO_LOAD
    for drop in drops:
        total += loads.get(drop.delivery, NO_LOAD)
    return total


def build_stop(
    key: str,
    row: VisitRow,
    drops: list[DropRow],
    *,
    location: int,
    day: date,
    depot: Depot,
    load: Load,
    promises: list[Window],
    aboard: bool,
    lasted: int = 0,
) -> Stop:
    """One visit as a stop: what its drops have in common."""
    windows = _opening(row, depot, day, *_common_window(row, drops))
    service = service_of(drop.service for drop in drops)
    if lasted > service:
        service = lasted + STILL_BUSY_SECONDS
    eta = (row.eta_earliest, row.eta_latest) if row.eta_earliest is not None and row.eta_latest is not None else None
    return Stop(
        id=key,
        location=location,
        windows=windows,
        service=service,
        load=load,
        promise=_common_promise(promises, windows),
        loaded_on=str(row.shift) if aboard else None,
        merge_key=row.merge_key,
        per_parcel=SECONDS_PER_FURTHER_DROP,
        eta=eta,
    )


def new_stop(
    snapshot: Snapshot, *, place: Whereabouts, window: TimeWindow, service: int, load: Load, loaded_on: str | None
) -> Stop:
    """A stop that is not in the plan yet; `NEW_PLACE` when no matrix knows its place."""
    location = snapshot.ground.location(point_of(place))
    earliest, latest = snapshot.window(window)
    return Stop(
        id="new",
        location=NEW_PLACE if location is None else location,
        windows=_opening(place, snapshot.depot, snapshot.day, earliest, latest),
        service=service,
        load=load,
        loaded_on=loaded_on,
        merge_key=place.merge_key,
        per_parcel=SECONDS_PER_FURTHER_DROP,
    )


def service_of(seconds: Iterable[int]) -> int:
    """Service time of a visit whose drops would take so long each: the longest, and a little for each further one."""
    each = list(seconds)
    return min(max(each, default=0) + SECONDS_PER_FURTHER_DROP * max(0, len(each) - 1), 86_400)


def _common_window(row: VisitRow, drops: list[DropRow]) -> Window:
    """A hold's own window, or what the deliveries' windows share; reversed when they share nothing."""
    if row.window_earliest is not None and row.window_latest is not None:
        return _clipped(row.window_earliest, row.window_latest)
    if not drops:
        return 1, 0
    return _clipped(max(drop.earliest for drop in drops), min(drop.latest for drop in drops))


def _common_promise(promises: list[Window], windows: tuple[Window, ...]) -> Window | None:
    """What all promises share. One that lies outside the agreed window is being replaced and does not count."""
    counting = [promise for promise in promises if intersect(windows, promise)]
    if not counting:
        return None
    earliest, latest = max(first for first, _ in counting), min(last for _, last in counting)
    return (earliest, latest) if earliest <= latest else None


def _opening(place: Whereabouts, depot: Depot, day: date, earliest: int, latest: int) -> tuple[Window, ...]:
    """When service may start: in the window, and at a point while it is open (with a margin to hand over)."""
    if earliest > latest:
        return ()
    if not place.opening_hours or place.kind == Place.Kind.ADDRESS:
        return ((earliest, latest),)
    return intersect(_open_spans(place.opening_hours, day, depot.time_zone), (earliest, latest))


@lru_cache(maxsize=4_000)
def _open_spans(opening_hours: str, day: date, zone: str) -> tuple[Window, ...]:
    """When a point is open on a day, in seconds since that day's midnight, the closing second excluded."""
    midnight = int(datetime.combine(day, time(), zoneinfo.ZoneInfo(zone)).timestamp())
    spans: list[Window] = []
    for span in opening_windows(opening_hours, day, zoneinfo.ZoneInfo(zone)):
        opens, closes = since(midnight, span.earliest), since(midnight, span.latest) - 1
        if spans and opens <= spans[-1][1] + 1:
            opens = spans.pop()[0]
        spans.append((opens, closes))
    return tuple(spans)


def _ground(
    depot: Depot,
    day: date,
    shifts: Iterable[ShiftRow],
    places: Iterable[Whereabouts | VisitRow],
    done: Iterable[DoneRow],
) -> roads.Ground:
    profiles = sorted({shift.profile for shift in shifts})
    points = [point_of(depot), *map(point_of, places), *map(point_of, done)]
    return roads.ground(depot_code=depot.code, day=day, points=points, profiles=profiles)


class _HasDegrees(Protocol):
    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


def point_of(place: _HasDegrees) -> Point:
    """Where a row or a caller's input lies."""
    return _degrees(place.latitude, place.longitude)


@lru_cache(maxsize=20_000)
def _degrees(latitude: float, longitude: float) -> Point:
    return Point(latitude, longitude)


def _reason(row: VisitRow) -> Reason:
    return Reason(row.unserved_reason) if row.unserved_reason in Reason else Reason.NOT_PLANNED


def _clipped(earliest: int, latest: int) -> Window:
    return max(-LATEST_INSTANT, min(earliest, LATEST_INSTANT)), max(-LATEST_INSTANT, min(latest, LATEST_INSTANT))
