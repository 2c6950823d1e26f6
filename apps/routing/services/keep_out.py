"""A zone was drawn or changed: what vans may no longer bring leaves their routes, and finds another van.

What is on board already is still brought by its van, and so is the stop it is driving to or standing at.
"""

from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.events.services import react
from apps.routing.drawn_zones import kept_out, zones_on
from apps.routing.models import DayPlan, Drop, Visit
from apps.routing.planner.solution import Reason
from apps.routing.services.change_plan import TRIES
from apps.routing.services.hold_window import release_held
from apps.routing.services.leave_behind import leave_behind
from apps.routing.services.off_the_road import FILL_HANDLER
from apps.routing.services.roll_forward import roll_forward_soon
from apps.routing.services.write_routes import RouteMoved, claim
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import zone_of


def keep_out() -> int:
    """Every plan from today on, looked at anew; how many stops left their vans. Held room there is given up.

    RouteMoved when a route kept changing meanwhile: try again later.
    """
    now, left = clock.now(), 0
    # By a depot's own clock it may be the day before still.
    plans = DayPlan.objects.filter(day__gte=now.date() - timedelta(days=1)).select_related("depot")
    for plan in plans.order_by("pk"):
        if plan.day >= now.astimezone(zone_of(plan.depot)).date():
            left += _of_plan(plan)
    return left


def _of_plan(plan: DayPlan) -> int:
    release_held(visit_ids=[visit for visits in _barred(_snapshot(plan)).values() for visit in visits])
    gone, moved = 0, None
    for _attempt in range(TRIES):
        snapshot, moved = _snapshot(plan), None
        for van, visits in _barred(snapshot).items():
            try:
                gone += _leave(snapshot, plan, van, visits)
            except RouteMoved as error:
                moved = error
        if moved is None:
            break
    # What may be brought by more vans now finds a place as well.
    react(FILL_HANDLER, plan_id=plan.pk, lane="planner", dedupe_key=f"fill:{plan.pk}")
    if moved is not None:
        raise moved
    return gone


def _snapshot(plan: DayPlan) -> Snapshot:
    return take(depot=plan.depot, day=plan.day)


def _barred(snapshot: Snapshot) -> dict[str, list[int]]:
    """Visits that their van may no longer make, by van, and what it was to bring from a shop it may not enter."""
    zones, problem = zones_on(snapshot.depot, snapshot.day), snapshot.problem
    found: dict[str, list[int]] = {}
    for van, shift in snapshot.shifts.items():
        barred = kept_out(problem.vehicle[van], zones).barred_zones
        stops = [problem.stop[stop] for stop in _ahead(snapshot, van) if problem.stop[stop].areas & barred]
        names = {stop.id for stop in stops} | {stop.pair for stop in stops if stop.collects and stop.pair}
        if names and shift.route is not None:
            found[van] = sorted(int(name[1:]) for name in names)
    return found


def _ahead(snapshot: Snapshot, van: str) -> list[str]:
    """Stops behind the one that the van is driving to or standing at."""
    route = snapshot.standing.route[van]
    first = 1 if snapshot.shifts[van].departed is not None else 0
    return [stop for stop in route.stops[first:] if stop.startswith("v")]


def _leave(snapshot: Snapshot, plan: DayPlan, van: str, visits: list[int]) -> int:
    """How many stops left. RouteMoved when something was loaded, or the van went on, since the snapshot."""
    with transaction.atomic():
        route = claim(snapshot, [van])[van]
        left = Visit.objects.filter(pk__in=visits, route=route, state=Visit.State.PLANNED)
        people = Drop.objects.filter(visit__in=left, is_open=True, is_hold=False)
        told = snapshot.shifts[van].departed is not None or plan.stage == DayPlan.Stage.PUBLISHED
        deliveries = set(people.values_list("delivery_id", flat=True))
        leave_behind(visits=left, deliveries=deliveries, reason=Reason.ZONE, tell=told)
        gone = Visit.objects.filter(pk__in=visits, route=None).count()
    roll_forward_soon(route_id=route)
    return gone
