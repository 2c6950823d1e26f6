"""The dot: where the van is, for those who may see it, as its own tiny document beside the page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings

from apps.core import clock
from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery
from apps.fleet.models import Position, PositionSample
from apps.merchants.models import Policy
from apps.routing.planner.travel import Network, Point, TravelError
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.roads import network
from apps.tracking import rules
from apps.tracking.progress import Progress, progress_of
from apps.tracking.remaining import remaining_road

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
_NETWORK_SECONDS = 10.0


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

    def may_be_looked_for(self, now: datetime) -> bool:
        """Whether there is anything to show at all, wherever the van is."""
        if self.progress is None or self.progress.is_at_other_door or self.policy.visibility("position").is_never:
            return False
        return rules.is_on_the_way(self.state, self.progress, now)

    def way(self, fix: Fix, now: datetime) -> Progress | None:
        """The van's progress when it may be seen at `fix`; not at its depot, nor at somebody else's door."""
        progress = self.progress
        if progress is None or not self.may_be_looked_for(now) or is_at_depot(fix, progress):
            return None
        return progress if self.shows("position", fix, now) else None

    def shows(self, element: str, fix: Fix, now: datetime) -> bool:
        """The merchant's rule for "position", "road" or "distance" with the van at `fix`."""
        metres = self.progress.metres_from(fix.point) if self.progress else None
        return rules.shows(element, self.state, self.progress, self.policy, now, metres=metres)


def sights_of(delivery_ids: Collection[int]) -> dict[int, Sight]:
    deliveries = Delivery.objects.filter(pk__in=delivery_ids).values_list("pk", "state", "merchant_id")
    rows = list(deliveries)
    policies = {row.merchant_id: row for row in Policy.objects.filter(merchant_id__in={row[2] for row in rows})}
    progress = progress_of(delivery_ids)
    return {pk: Sight(state, policies[merchant], progress.get(pk)) for pk, state, merchant in rows}


def dot_documents(delivery_ids: Collection[int]) -> dict[int, Dot]:
    """By delivery, every id asked for; read from the rows, without a memory."""
    now, sights = clock.now(), sights_of(delivery_ids)
    steps = _steps({sight.vehicle_id for sight in sights.values() if sight.vehicle_id and sight.may_be_looked_for(now)})
    return {pk: dot_of(sights.get(pk), steps, now) for pk in delivery_ids}


def dot_of(sight: Sight | None, steps: Mapping[int, Step], now: datetime) -> Dot:
    """The dot for one delivery; `steps` by vehicle."""
    step = steps.get(sight.vehicle_id or 0) if sight else None
    way = sight.way(step.newest, now) if sight and step else None
    if sight is None or step is None or way is None:
        return HIDDEN
    dot = _dot(step.newest, step.before, way, now)
    metres = way.metres_from(step.newest.point)
    shown = rules.distance_shown(sight.state, way, sight.policy, now, metres=metres)
    if shown is not None:
        dot["distance_metres"] = shown
    if sight.shows("road", step.newest, now) and (road := remaining_road(step.newest.point, way)):
        dot["remaining"] = [list(spot) for spot in road]
    return dot


def _steps(vehicle_ids: Collection[int]) -> dict[int, Step]:
    newest = newest_fixes(vehicle_ids)
    before = _sampled_before(newest)
    return {vehicle: Step(fix, before.get(vehicle)) for vehicle, fix in newest.items()}


def newest_fixes(vehicle_ids: Collection[int]) -> dict[int, Fix]:
    """By vehicle, of those that ever told where they are."""
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


def is_at_depot(fix: Fix, way: Progress) -> bool:
    return way.depot_point is not None and distance_metres(fix.point, way.depot_point) < DEPOT_METRES


def _dot(fix: Fix, before: Fix | None, way: Progress, now: datetime) -> Dot:
    path, seconds = [fix.point], 0.0
    # A step that began at somebody else's door would give the door away.
    left = way.last_left_other_door_at
    if before and timedelta(0) < fix.at - before.at <= _LONGEST_STEP and (left is None or before.at > left):
        path = _between(before, fix, way.profile or "car")
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


@lru_cache(maxsize=8)
def _network(profile: str, _period: int) -> Network:
    """The road network, looked for on the disk only now and then."""
    return network(profile)


@lru_cache(maxsize=4096)
def _between(before: Fix, fix: Fix, profile: str) -> list[tuple[float, float]]:
    """Along the road where there is one without a detour, else straight; it ends at the fix, never beyond.

    Kept, because everybody who waits for the same van is shown the same step.
    """
    straight = [before.point, fix.point]
    try:
        roads = _network(profile, int(monotonic() // _NETWORK_SECONDS))
        if not isinstance(roads, RoadNetwork):
            return straight
        leg = roads.leg(Point(*before.point), Point(*fix.point))
    except TravelError:
        return straight
    if leg.metres > _DETOUR * distance_metres(*straight) + _SNAP_METRES:
        return straight
    return [before.point, *leg.geometry[1:-1], fix.point]
