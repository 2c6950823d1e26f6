"""Expected times from where the van really is: one snapshot of one van, one statement."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.events.services import react
from apps.fleet.models import Position
from apps.routing import roads
from apps.routing.models import Route, Visit
from apps.routing.planner.intervals import lateness, permitted
from apps.routing.planner.travel import UNREACHABLE, Point, TravelError
from apps.routing.services.write_routes import RouteMoved, Written, announce, ask_for_replan, confirm, write
from apps.routing.snapshot import Snapshot, take

FRESH = timedelta(minutes=3)
"""An older position says nothing about where the van is now."""
EVERY = timedelta(seconds=90)
SOON_SECONDS = 3.0
# On the wall's clock: in a demo that runs fast, EVERY would be several times a second for all vans together.
AGAIN_SECONDS = 15.0
HANDLER = "apps.routing.handlers.roll_on"


def roll_forward(*, route_id: int) -> bool:
    """Times and ETA pairs of a van under way, as of now; False when somebody changed the route meanwhile.

    Tells only those whose pair moved past the tolerance, and asks for a re-plan when somebody will now be late.
    """
    route = Route.objects.select_related("plan__depot", "shift__vehicle").get(pk=route_id)
    snapshot = snapshot_of(route)
    van = str(route.shift_id)
    if van not in snapshot.shifts:
        return False
    try:
        with transaction.atomic():
            routes = confirm(snapshot, [van])
            written = write(snapshot, snapshot.timetable, routes)
            announce(route.plan_id, (), Written(moved=written.moved), actor="system")
            if newly_late(snapshot, van):
                Route.objects.filter(pk=route.pk).update(changes=F("changes") + 1)
                ask_for_replan(route.plan_id, reason="late")
    except RouteMoved:
        return False
    return True


def roll_forward_soon(*, route_id: int) -> None:
    """The same within seconds; many calls are one."""
    react(HANDLER, payload={"route": route_id}, delay_seconds=SOON_SECONDS, dedupe_key=f"roll-soon:{route_id}")


def keep_rolling(*, route_id: int) -> None:
    """Looks at the clock again while the van is under way, even when it sends nothing."""
    under_way = Route.objects.filter(pk=route_id, departed_at__isnull=False, finished_at=None)
    if under_way.exists():
        payload = {"route": route_id, "again": True}
        due_at, key = clock.now() + EVERY, f"roll:{route_id}"
        react(HANDLER, payload=payload, due_at=due_at, delay_seconds=AGAIN_SECONDS, dedupe_key=key)


def snapshot_of(route: Route) -> Snapshot:
    """One van's snapshot, its next arrival forecast from its position or its last stop."""
    depot, day = route.plan.depot, route.plan.day
    forecast = _forecast(route)
    arrivals = {route.shift_id: forecast} if forecast is not None else None
    return take(depot=depot, day=day, shift_id=route.shift_id, arrivals=arrivals)


def newly_late(snapshot: Snapshot, van: str) -> bool:
    """Whether a stop that was going to be in time no longer is."""
    table = snapshot.timetable.tables[van]
    for stop_id, times in zip(table.route.stops, table.times, strict=True):
        windows = permitted(snapshot.problem.stop[stop_id])
        planned = snapshot.visits[int(stop_id[1:])].planned
        if lateness(windows, times.start) and (planned is None or not lateness(windows, planned)):
            return True
    return False


def _forecast(route: Route) -> int | None:
    """Posix seconds of the arrival at the next stop; None when the van has not left or there is none."""
    if route.departed_at is None:
        return None
    following = (
        Visit.objects.filter(route=route, state=Visit.State.PLANNED, hold_until=None)
        .select_related("place")
        .order_by("sequence")
        .first()
    )
    if following is None:
        return None
    to = Point(*following.place.point)
    profile, now = route.shift.vehicle.profile, int(clock.now().timestamp())
    position = Position.objects.filter(vehicle=route.shift.vehicle_id, at__gte=clock.now() - FRESH).first()
    if position is not None:
        seconds = _drive(profile, Point(position.latitude, position.longitude), to)
        if seconds is not None:
            return now + seconds
    last = route.visits.exclude(left_at=None).select_related("place").order_by("-sequence").first()
    start = Point(*last.place.point) if last else Point(route.plan.depot.latitude, route.plan.depot.longitude)
    left = last.left_at if last is not None and last.left_at is not None else route.departed_at
    seconds = _drive(profile, start, to)
    return None if seconds is None else max(now, int(left.timestamp()) + seconds)


def _drive(profile: str, start: Point, end: Point) -> int | None:
    try:
        seconds = int(roads.network(profile).table([start], [end]).seconds[0, 0])
    except TravelError:
        return None
    return seconds if seconds < UNREACHABLE else None
