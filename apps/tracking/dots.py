"""The dot: where the van is, for those who may see it, as its own tiny document beside the page."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, NamedTuple

from django.conf import settings

from apps.core import clock
from apps.core.geo import distance_metres
from apps.core.time_windows import TimeWindow
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


class _Rule(NamedTuple):
    """A merchant's rule with everything in it that neither the clock nor the van's way decides."""

    is_met: bool
    from_at: datetime | None = None
    metres: float | None = None

    def shows(self, now: datetime, metres: float | None) -> bool:
        if self.is_met or (self.from_at is not None and now >= self.from_at):
            return True
        return self.metres is not None and metres is not None and metres <= self.metres


class _Outlook(NamedTuple):
    """What a delivery on its way still depends on. Kept with the sight, since vans move more often than facts."""

    progress: Progress
    on_duty: TimeWindow
    position: _Rule
    road: _Rule
    distance: _Rule
    audience: str
    """All that _Van asks of the progress: two sights of one route may have been learned at different times.

    Text, because Python works out a text's hash once and a tuple's every time.
    """


@dataclass(frozen=True, slots=True)
class Sight:
    """What decides whether a delivery's holder may see its van."""

    state: str
    policy: Policy
    progress: Progress | None
    outlook: _Outlook | None = field(init=False, repr=False, compare=False)
    """None when there is nothing to show at all, wherever the van is and whatever the time."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "outlook", self._outlook())

    @property
    def vehicle_id(self) -> int | None:
        return self.progress.vehicle_id if self.progress else None

    def may_be_looked_for(self, now: datetime) -> bool:
        """Whether there is anything to show now, wherever the van is."""
        return self.outlook is not None and self.outlook.on_duty.contains(now)

    def shows(self, element: str, fix: Fix, now: datetime) -> bool:
        """The merchant's rule for "position", "road" or "distance" with the van at `fix`."""
        if self.outlook is None:
            return False
        rule: _Rule = getattr(self.outlook, element)
        return rule.shows(now, self.outlook.progress.metres_from(fix.point))

    def _outlook(self) -> _Outlook | None:
        progress = self.progress
        if progress is None or progress.is_at_other_door or self.policy.visibility("position").is_never:
            return None
        duty = progress.on_duty
        if duty is None or not rules.is_on_the_way(self.state, progress, duty.earliest):
            return None
        position, road, distance = (_rule(self.policy, progress, name) for name in ("position", "road", "distance"))
        return _Outlook(progress, duty, position, road, distance, _audience(progress))


def _audience(progress: Progress) -> str:
    asked = (
        *(progress.vehicle_id, progress.depot_point, progress.next_point),
        *(progress.last_left_other_door_at, progress.last_left_other_point, progress.profile),
        *(progress.is_at_own_door, bool(progress.stops_away)),
    )
    return repr(asked)


def _rule(policy: Policy, progress: Progress, element: str) -> _Rule:
    """The same decision as rules.shows() makes for a delivery that is on its way."""
    rule, away, eta = policy.visibility(element), progress.stops_away, progress.eta
    is_met = rule.is_always or (rule.stops is not None and away is not None and away <= rule.stops)
    from_at = eta.earliest - timedelta(minutes=rule.minutes) if eta and rule.minutes is not None else None
    return _Rule(is_met, from_at, rule.metres)


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
    view = Moment(steps, now).view(sight)
    return view.dot if view else HIDDEN


class _Van:
    """A van at an instant, as all who wait for it see it."""

    __slots__ = ("at", "is_hidden", "metres_to_next", "shown", "views")

    def __init__(self, fix: Fix, progress: Progress, shown: "_Shown") -> None:
        self.is_hidden = is_at_depot(fix, progress) or progress.is_near_other_door(fix.point)
        self.at, self.shown = shown.at, shown
        self.metres_to_next = progress.metres_to_next(fix.point)
        self.views: dict[int | None, View] = {}


class _Shown:
    """A van's step as it is drawn, and as text: several audiences share it."""

    __slots__ = ("at", "dot", "text")

    def __init__(self, dot: Dot) -> None:
        self.dot, self.at = dot, str(dot["at"])
        self.text = dot_message(dot)


class View:
    """What one audience is shown: the same for all of a van's deliveries but for the distance and the last road.

    `message` is what a socket is sent: one object for all who share the view, so that it is framed once.
    """

    __slots__ = ("_shown", "at", "message", "more")

    def __init__(self, shown: _Shown, more: Dot) -> None:
        self.at, self._shown, self.more = shown.at, shown, more
        # The text of the step, with what is added put before its two closing braces.
        self.message = f"{shown.text[:-2]},{_encoded(more)[1:-1]}}}}}" if more else shown.text

    @property
    def dot(self) -> Dot:
        return {**self._shown.dot, **self.more}


_encoded = json.JSONEncoder(separators=(",", ":")).encode


def dot_message(dot: Dot) -> str:
    return f'{{"type":"dot","dot":{_encoded(dot)}}}'


class Moment:
    """All dots of one instant: what a van's deliveries have in common is worked out once."""

    def __init__(self, steps: Mapping[int, Step], now: datetime) -> None:
        self._steps, self._now = steps, now
        self._vans: dict[str, _Van] = {}
        self._shown: dict[tuple[object, ...], _Shown] = {}

    def view(self, sight: Sight | None) -> View | None:
        """None where the van stays hidden."""
        outlook, now = sight.outlook if sight else None, self._now
        if outlook is None:
            return None
        progress, duty, position, road_rule, distance, audience = outlook
        step = self._steps.get(progress.vehicle_id or 0)
        if step is None or not duty.earliest <= now <= duty.latest:
            return None
        van = self._vans.get(audience)
        if van is None:
            van = self._vans[audience] = _Van(step.newest, progress, self._step_shown(step, progress))
        if van.is_hidden:
            return None
        metres = None if van.metres_to_next is None else van.metres_to_next + progress.metres_beyond_next
        if not position.shows(now, metres):
            return None
        told = rules.rounded_metres(metres) if metres is not None and distance.shows(now, metres) else None
        view = van.views.get(told)
        if view is None:
            view = van.views[told] = View(van.shown, {} if told is None else {"distance_metres": told})
        if progress.stops_away == 0 and road_rule.shows(now, metres):
            road = remaining_road(step.newest.point, progress)
            spots = {"remaining": [list(spot) for spot in road]} if road else {}
            return View(van.shown, {**view.more, **spots}) if spots else view
        return view

    def _step_shown(self, step: Step, progress: Progress) -> _Shown:
        before = step.before if step.before and not _began_at_other_door(step.before, progress) else None
        key = (progress.vehicle_id, progress.profile, before is None)
        shown = self._shown.get(key)
        if shown is None:
            shown = self._shown[key] = _Shown(_dot(step.newest, before, progress.profile or "car", self._now))
        return shown


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


def _began_at_other_door(before: Fix, way: Progress) -> bool:
    """A step that began there would give the door away."""
    left = way.last_left_other_door_at
    return (left is not None and before.at <= left) or way.is_near_other_door(before.point)


def _dot(fix: Fix, before: Fix | None, profile: str, now: datetime) -> Dot:
    path, seconds = [fix.point], 0.0
    if before and timedelta(0) < fix.at - before.at <= _LONGEST_STEP:
        path = _between(before, fix, profile)
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
