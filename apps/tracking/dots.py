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
from apps.merchants.models import Policy
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


@dataclass(frozen=True, slots=True)
class Sight:
    """What decides whether a delivery's holder may see its van."""

    state: str
    policy: Policy
    progress: Progress | None

    @property
    def vehicle_id(self) -> int | None:
        return self.progress.vehicle_id if self.progress else None

    def way(self, now: datetime) -> Progress | None:
        """The van's progress when it may be seen; not while it stands at somebody else's door."""
        near = rules.van_is_near(self.state, self.progress, self.policy, now)
        return self.progress if near and self.progress and not self.progress.is_at_other_door else None


def sights_of(delivery_ids: Collection[int]) -> dict[int, Sight]:
    deliveries = Delivery.objects.filter(pk__in=delivery_ids).values_list("pk", "state", "merchant_id")
    rows = list(deliveries)
    policies = {row.merchant_id: row for row in Policy.objects.filter(merchant_id__in={row[2] for row in rows})}
    progress = progress_of(delivery_ids)
    return {pk: Sight(state, policies[merchant], progress.get(pk)) for pk, state, merchant in rows}


def dot_documents(delivery_ids: Collection[int]) -> dict[int, Dot]:
    """By delivery, every id asked for; read from the rows, without a memory."""
    now, sights = clock.now(), sights_of(delivery_ids)
    steps = _steps({sight.vehicle_id for sight in sights.values() if sight.vehicle_id and sight.way(now)})
    return {pk: dot_of(sights.get(pk), steps, now) for pk in delivery_ids}


def dot_of(sight: Sight | None, steps: Mapping[int, Step], now: datetime) -> Dot:
    """The dot for one delivery; `steps` by vehicle."""
    way = sight.way(now) if sight else None
    step = steps.get(way.vehicle_id or 0) if way else None
    if way is None or step is None or _at_depot(step.newest, way):
        return HIDDEN
    return _dot(step.newest, step.before, way, now)


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
    try:
        roads = network(way.profile or "car")
        if not isinstance(roads, RoadNetwork):
            return straight
        leg = roads.leg(Point(*before.point), Point(*fix.point))
    except TravelError:
        return straight
    if leg.metres > _DETOUR * distance_metres(*straight) + _SNAP_METRES:
        return straight
    return [before.point, *leg.geometry[1:-1], fix.point]
