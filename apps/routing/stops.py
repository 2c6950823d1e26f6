"""One visit as the planner's stop: what its drops have in common, and when its place is open."""

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Protocol

from apps.deliveries.models import Place
from apps.fleet.models import Depot
from apps.places.selectors import opening_windows
from apps.routing.epoch_seconds import since
from apps.routing.models import DayPlan
from apps.routing.planner.intervals import intersect, next_start
from apps.routing.planner.problem import LATEST_INSTANT, NO_LOAD, Load, Stop, Window
from apps.routing.planner.stop import MOST_PRIORITY
from apps.routing.planner.travel import Point
from apps.routing.planner.wishing import common
from apps.routing.rows import DropRow, VisitRow

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

    @property
    def postcode(self) -> str: ...


def zone_of(depot: Depot) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(depot.time_zone)


def epoch_of(depot: Depot, day: date) -> int:
    """Posix seconds of the day's midnight at the depot."""
    return int(datetime.combine(day, time(), zone_of(depot)).timestamp())


def day_began(plan: DayPlan) -> datetime:
    """The plan's midnight at its depot."""
    return datetime.fromtimestamp(epoch_of(plan.depot, plan.day), UTC)


def local_instant(depot: Depot, day: date, at: time) -> datetime:
    """A time of day at the depot, also on the day the clocks change."""
    return datetime.combine(day, at, zone_of(depot)).astimezone(UTC)


def build_stop(
    key: str,
    row: VisitRow,
    drops: list[DropRow],
    *,
    location: int,
    day: date,
    depot: Depot,
    loads: Mapping[int, Load],
    promises: list[Window],
    aboard: bool,
    depots: frozenset[str] = frozenset(),
    now: int | None = None,
    factor: float = 1.0,
) -> Stop:
    """One visit as a stop: what its drops have in common. `factor` is what was learned of the time at the door.

    Where the van stands already, `now` tells how long the handing over has lasted; waiting for the window is none.
    """
    windows = open_windows(row, depot, day, *_common_window(row, drops))
    service = round(service_of(drop.service for drop in drops) * factor)
    if now is not None and row.arrived is not None:
        lasted = now - next_start(windows, row.arrived)
        service = lasted + STILL_BUSY_SECONDS if lasted > service else service
    shown = row.eta_earliest is not None and row.eta_latest is not None
    # A row that says nonsense must not take the whole depot-day with it.
    eta = clipped(row.eta_earliest or 0, row.eta_latest or 0) if shown else None
    brought = [drop for drop in drops if not drop.is_return]
    collects = bool(drops) and not brought
    return Stop(
        id=key,
        location=location,
        windows=windows,
        service=service,
        load=total_load(loads, drops if collects else brought),
        returns=NO_LOAD if collects else total_load(loads, [drop for drop in drops if drop.is_return]),
        promise=_common_promise(promises, windows),
        loaded_on=str(row.shift) if aboard else None,
        merge_key=row.merge_key,
        zone=row.postcode,
        per_parcel=SECONDS_PER_FURTHER_DROP,
        members=tuple(f"d{drop.delivery}" for drop in drops[1:]),
        eta=eta,
        skills=frozenset(need for drop in drops for need in drop.needs),
        collects=collects,
        priority=max((min(drop.priority, MOST_PRIORITY) for drop in drops), default=0),
        depots=depots,
        wish=common(windows, [clipped(*drop.wish) for drop in drops if drop.wish is not None]),
    )


def service_of(seconds: Iterable[int]) -> int:
    """Service time of a visit whose drops would take so long each: the longest, and a little for each further one."""
    each = list(seconds)
    return min(max(each, default=0) + SECONDS_PER_FURTHER_DROP * max(0, len(each) - 1), 86_400)


def carriers_of(visits: Mapping[int, VisitRow], drops: Mapping[int, list[DropRow]]) -> dict[int, int]:
    """The shift whose van has a delivery's parcels on board, by delivery."""
    return {
        drop.delivery: row.shift
        for visit, row in visits.items()
        if row.shift is not None
        for drop in drops[visit]
        if drop.is_aboard and not drop.is_hold
    }


def is_aboard(row: VisitRow, drops: Iterable[DropRow], carriers: Mapping[int, int]) -> bool:
    """Whether anything of this visit (a hold's delivery too) is on board of the van that makes it."""
    return row.shift is not None and any(carriers.get(drop.delivery) == row.shift for drop in drops)


def told_of(drops: Iterable[DropRow], promises: Mapping[int, Window]) -> list[Window]:
    """What was promised of a visit's drops. A hold is for a time nobody has been told yet."""
    return [promises[drop.delivery] for drop in drops if drop.delivery in promises and not drop.is_hold]


def total_load(loads: Mapping[int, Load], drops: Iterable[DropRow]) -> Load:
    total = NO_LOAD
    for drop in drops:
        total += loads.get(drop.delivery, NO_LOAD)
    return total


def open_windows(place: Whereabouts, depot: Depot, day: date, earliest: int, latest: int) -> tuple[Window, ...]:
    """When service may start: in the window, and at a point while it is open (with a margin to hand over)."""
    if earliest > latest:
        return ()
    if not place.opening_hours or place.kind == Place.Kind.ADDRESS:
        return ((earliest, latest),)
    return intersect(_open_spans(place.opening_hours, day, depot.time_zone), (earliest, latest))


def _common_window(row: VisitRow, drops: list[DropRow]) -> Window:
    """A hold's own window, or what the deliveries' windows share; reversed when they share nothing."""
    if row.window_earliest is not None and row.window_latest is not None:
        return clipped(row.window_earliest, row.window_latest)
    if not drops:
        return 1, 0
    return clipped(max(drop.earliest for drop in drops), min(drop.latest for drop in drops))


def _common_promise(promises: list[Window], windows: tuple[Window, ...]) -> Window | None:
    """What all promises share. One that lies outside the agreed window is being replaced and does not count."""
    counting = [promise for promise in promises if intersect(windows, promise)]
    if not counting:
        return None
    earliest, latest = max(first for first, _ in counting), min(last for _, last in counting)
    return (earliest, latest) if earliest <= latest else None


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


def clipped(earliest: int, latest: int) -> Window:
    return max(-LATEST_INSTANT, min(earliest, LATEST_INSTANT)), max(-LATEST_INSTANT, min(latest, LATEST_INSTANT))
