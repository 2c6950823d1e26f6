"""The dot: where the van is, for those who may see it, as its own tiny document beside the page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.core import clock
from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery
from apps.fleet.models import Position, PositionSample
from apps.routing.planner.travel import Point, TravelError
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.roads import network
from apps.tracking import rules
from apps.tracking.progress import Progress, progress_of

Dot = dict[str, Any]
HIDDEN: Dot = {"visible": False}
STALE_AFTER_SECONDS = 60
# The van at its depot is the driver's own business.
DEPOT_METRES = 150
_LONGEST_STEP = timedelta(minutes=2)
# A road this much longer than the crow's way was not the one driven: the fix snapped to the wrong carriageway.
_DETOUR, _SNAP_METRES = 2.5, 100
# A dot is never called stale within this many wall seconds: that long may the line itself take.
_LINE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Fix:
    """A measured position: degrees, and when the phone measured it."""

    latitude: float
    longitude: float
    at: datetime
    heading_degrees: float | None = None

    @property
    def point(self) -> tuple[float, float]:
        return self.latitude, self.longitude


@dataclass(frozen=True, slots=True)
class Step:
    """A van's newest fix and the one before it, where that is known."""

    newest: Fix
    before: Fix | None = None


def dot_documents(delivery_ids: Collection[int], steps: Mapping[int, Step] | None = None) -> dict[int, Dot]:
    """By delivery, every id asked for. `steps` (by vehicle) are what the caller remembers; else the rows are read."""
    now = clock.now()
    deliveries = Delivery.objects.filter(pk__in=delivery_ids).select_related("merchant__policy")
    progress = progress_of(delivery_ids)
    shown = {
        row.pk: progress[row.pk]
        for row in deliveries
        if rules.van_is_near(row.state, progress.get(row.pk), row.merchant.policy, now)
        and not progress[row.pk].is_at_other_door
    }
    if steps is None:
        steps = _steps({way.vehicle_id for way in shown.values() if way.vehicle_id is not None})
    dots: dict[int, Dot] = dict.fromkeys(delivery_ids, HIDDEN)
    for pk, way in shown.items():
        step = steps.get(way.vehicle_id or 0)
        if step is not None and not _at_depot(step.newest, way):
            dots[pk] = _dot(step.newest, step.before, way, now)
    return dots


def _steps(vehicle_ids: Collection[int]) -> dict[int, Step]:
    newest = _newest(vehicle_ids)
    before = _sampled_before(newest)
    return {vehicle: Step(fix, before.get(vehicle)) for vehicle, fix in newest.items()}


def _newest(vehicle_ids: Collection[int]) -> dict[int, Fix]:
    rows = Position.objects.filter(vehicle_id__in=vehicle_ids)
    return {
        vehicle: Fix(lat, lon, at, heading)
        for vehicle, lat, lon, at, heading in rows.values_list(
            "vehicle_id", "latitude", "longitude", "at", "heading_degrees"
        )
    }


def _sampled_before(newest: Mapping[int, Fix]) -> dict[int, Fix]:
    """The last kept sample before each newest fix: what a reader without a memory can know."""
    if not newest:
        return {}
    found: dict[int, Fix] = {}
    earliest = min(fix.at for fix in newest.values()) - _LONGEST_STEP
    rows = PositionSample.objects.filter(vehicle_id__in=newest, at__gte=earliest).order_by("at")
    for vehicle, lat, lon, at in rows.values_list("vehicle_id", "latitude", "longitude", "at"):
        if at < newest[vehicle].at:
            found[vehicle] = Fix(lat, lon, at)
    return found


def _at_depot(fix: Fix, way: Progress) -> bool:
    return way.depot_point is not None and distance_metres(fix.point, way.depot_point) < DEPOT_METRES


def _dot(fix: Fix, before: Fix | None, way: Progress, now: datetime) -> Dot:
    path, seconds = [fix.point], 0.0
    # A step that began at somebody else's door would give the door away.
    left = way.last_left_other_door_at
    if before and timedelta(0) < fix.at - before.at <= _LONGEST_STEP and (left is None or before.at > left):
        path = _between(before, fix, way)
        seconds = (fix.at - before.at).total_seconds()
    age = max(0.0, (now - fix.at).total_seconds())
    fresh = max(_LINE_SECONDS, STALE_AFTER_SECONDS / settings.CLOCK_SPEED) - age / settings.CLOCK_SPEED
    return {
        "visible": True,
        "at": fix.at.isoformat(),
        "lat": round(fix.latitude, 5),
        "lon": round(fix.longitude, 5),
        "heading": round(fix.heading_degrees) if fix.heading_degrees is not None else None,
        "path": [[round(lat, 5), round(lon, 5)] for lat, lon in path],
        "seconds": round(seconds / settings.CLOCK_SPEED, 2),
        "stale_after": round(max(0.0, fresh), 1),
    }


def _between(before: Fix, fix: Fix, way: Progress) -> list[tuple[float, float]]:
    """Along the road where there is one without a detour, else straight; it ends at the fix, never beyond."""
    straight = [before.point, fix.point]
    roads = network(way.profile or "car")
    if not isinstance(roads, RoadNetwork):
        return straight
    try:
        leg = roads.leg(Point(*before.point), Point(*fix.point))
    except TravelError:
        return straight
    if leg.metres > _DETOUR * distance_metres(*straight) + _SNAP_METRES:
        return straight
    return [before.point, *leg.geometry[1:-1], fix.point]
