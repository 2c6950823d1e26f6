"""Expected times from where the van really is: one snapshot of one van, one statement."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.events.models import Reaction
from apps.events.services import react
from apps.fleet.models import Position
from apps.routing import roads
from apps.routing.days_so_far import Sight
from apps.routing.expected import OFF_ROUTE, STALE_POSITION
from apps.routing.models import Route, Visit
from apps.routing.planner.intervals import lateness, permitted
from apps.routing.planner.learning import cell_of
from apps.routing.planner.travel import UNREACHABLE, Point, TravelError
from apps.routing.services.write_routes import RouteMoved, Written, announce, ask_for_replan, confirm, write
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import point_of

FRESH = timedelta(minutes=3)
"""An older position says nothing about where the van is now."""
STALE = timedelta(minutes=10)
"""A van that has been silent for so long may be anywhere, and its customers are told so."""
DETOUR_FACTOR, DETOUR_SECONDS = 1.5, 480
"""By way of where the van is, the stop is this much further than it was: it is not on its way there."""
EVERY = timedelta(seconds=90)
SOON_SECONDS = 3.0
# On the wall's clock: in a demo that runs fast, EVERY would be several times a second for all vans together.
AGAIN_SECONDS = 15.0
HANDLER = "apps.routing.handlers.roll_on"


def roll_forward(*, route_id: int) -> bool:
    """Times and ETA pairs of a van under way, as of now; False when somebody changed the route meanwhile.

    Tells only those whose pair moved past the tolerance, and asks for a re-plan when somebody will now be late.
    """
    route = Route.objects.select_related("plan__depot", "shift__vehicle__depot").get(pk=route_id)
    snapshot = snapshot_of(route)
    van = str(route.shift_id)
    if van not in snapshot.shifts:
        return False
    try:
        with transaction.atomic():
            routes = confirm(snapshot, [van])
            written = write(snapshot, snapshot.timetable, routes)
            told = Written(moved=written.moved, explained=written.explained, notices=written.notices)
            announce(route.plan_id, (), told, actor="system")
            if newly_late(snapshot, van):
                Route.objects.filter(pk=route.pk).update(changes=F("changes") + 1)
                ask_for_replan(route.plan_id, reason="late")
    except RouteMoved:
        return False
    return True


def roll_forward_soon(*, route_id: int) -> None:
    """The same within seconds; many calls are one."""
    react(HANDLER, payload={"route": route_id}, delay_seconds=SOON_SECONDS, dedupe_key=_soon_key(route_id))


def roll_many_forward_soon(*, route_ids: Iterable[int]) -> None:
    """The same for many routes with one look at what is waiting already."""
    keys = {_soon_key(route_id): route_id for route_id in route_ids}
    waiting = Reaction.objects.filter(dedupe_key__in=keys, state=Reaction.State.WAITING)
    for key in keys.keys() - set(waiting.values_list("dedupe_key", flat=True)):
        roll_forward_soon(route_id=keys[key])


def keep_rolling(*, route_id: int) -> None:
    """Looks at the clock again while the van is under way, even when it sends nothing."""
    under_way = Route.objects.filter(pk=route_id, departed_at__isnull=False, finished_at=None)
    if under_way.exists():
        payload = {"route": route_id, "again": True}
        due_at, key = clock.now() + EVERY, f"roll:{route_id}"
        react(HANDLER, payload=payload, due_at=due_at, delay_seconds=AGAIN_SECONDS, dedupe_key=key)


def snapshot_of(route: Route) -> Snapshot:
    """One van's snapshot, its next arrival forecast from its position or its last stop."""
    sight = _sight(route)
    sights = {route.shift_id: sight} if sight is not None else None
    return take(depot=route.plan.depot, day=route.plan.day, shift_id=route.shift_id, sights=sights)


def newly_late(snapshot: Snapshot, van: str) -> bool:
    """Whether a stop that was going to be in time no longer is."""
    table = snapshot.timetable.tables[van]
    for stop_id, times in zip(table.route.stops, table.times, strict=True):
        windows = permitted(snapshot.problem.stop[stop_id])
        planned = snapshot.visits[int(stop_id[1:])].planned
        if lateness(windows, times.start) and (planned is None or not lateness(windows, planned)):
            return True
    return False


def _sight(route: Route) -> Sight | None:
    """Where a van under way is on its way to its next stop; None when it has not left or there is none."""
    if route.departed_at is None:
        return None
    remaining = Visit.objects.filter(route=route, hold_until=None).select_related("place").order_by("sequence")
    following = remaining.filter(state=Visit.State.PLANNED).first()
    if following is None:
        return None
    to, profile = Point(*following.place.point), route.shift.vehicle.profile
    last = route.visits.exclude(left_at=None).select_related("place").order_by("-sequence").first()
    start = Point(*last.place.point) if last else point_of(route.shift.vehicle.depot)
    left = last.left_at if last is not None and last.left_at is not None else route.departed_at
    position = Position.objects.filter(vehicle=route.shift.vehicle_id, at__gte=left).first()
    now = clock.now()
    if position is not None and position.at >= now - FRESH:
        here = Point(position.latitude, position.longitude)
        found = _from_position(profile, start, here, to, position.at)
        if found is not None:
            return found
    seconds = _drive(profile, [start], [to])[0]
    if seconds is None:
        return None
    is_at_door = remaining.filter(state=Visit.State.ARRIVED).exists()
    silent = now - (position.at if position is not None else left) > STALE and not is_at_door
    return Sight(int(left.timestamp()), seconds, cell_of(start.lat, start.lon), STALE_POSITION if silent else "")


def _from_position(profile: str, start: Point, here: Point, to: Point, at: datetime) -> Sight | None:
    """The drive from where it was seen; off the road to its stop when going by way of there takes far longer."""
    straight, ahead, behind, _back = _drive(profile, [start, here], [to, here], square=True)
    if ahead is None:
        return None
    away = None not in (straight, behind) and _is_detour(straight or 0, (behind or 0) + ahead)
    return Sight(int(at.timestamp()), ahead, cell_of(here.lat, here.lon), OFF_ROUTE if away else "")


def _is_detour(straight: int, driven: int) -> bool:
    return driven > straight * DETOUR_FACTOR + DETOUR_SECONDS


def _drive(profile: str, starts: list[Point], ends: list[Point], *, square: bool = False) -> list[int | None]:
    """Seconds on the empty road; None where there is none. With `square`: to and from the second of two points."""
    count = 4 if square else 1
    try:
        table = roads.network(profile).table(starts, ends).seconds
    except TravelError:
        return [None] * count
    found = [table[0, 0], table[1, 0], table[0, 1], table[1, 1]] if square else [table[0, 0]]
    return [int(seconds) if seconds < UNREACHABLE else None for seconds in found]


def _soon_key(route_id: int) -> str:
    return f"roll-soon:{route_id}"
