"""A zone was drawn or changed: what vans may no longer bring leaves their routes, and finds another van.

What is on board already is still brought by its van, and so is the stop it is driving to or standing at.
"""

from django.db import transaction

from apps.core import clock
from apps.events.services import react
from apps.routing.drawn_zones import kept_out, zones_on
from apps.routing.models import DayPlan, Drop, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.services.leave_behind import leave_behind
from apps.routing.services.off_the_road import FILL_HANDLER
from apps.routing.services.roll_forward import roll_forward_soon
from apps.routing.services.write_routes import touch
from apps.routing.snapshot import Snapshot, take


def keep_out() -> int:
    """Every plan from today on, looked at anew; how many stops left their vans."""
    today = clock.now().date()
    left = 0
    for plan in DayPlan.objects.filter(day__gte=today).select_related("depot").order_by("pk"):
        left += _of_plan(plan)
    return left


def _of_plan(plan: DayPlan) -> int:
    zones = zones_on(plan.depot, plan.day)
    snapshot = take(depot=plan.depot, day=plan.day)
    gone = 0
    for van, shift in snapshot.shifts.items():
        barred = kept_out(snapshot.problem.vehicle[van], zones).barred_zones
        visits = [visit for visit in _ahead(snapshot, van) if snapshot.problem.stop[f"v{visit}"].areas & barred]
        if visits and shift.route is not None:
            _leave(plan, shift.route, visits, is_out=shift.departed is not None)
            gone += len(visits)
    # What may be brought by more vans now finds a place as well.
    react(FILL_HANDLER, plan_id=plan.pk, lane="planner", dedupe_key=f"fill:{plan.pk}")
    return gone


def _ahead(snapshot: Snapshot, van: str) -> list[int]:
    """Visits behind the one that the van is driving to or standing at."""
    route = snapshot.standing.route[van]
    first = 1 if snapshot.shifts[van].departed is not None else 0
    return [int(stop[1:]) for stop in route.stops[first:] if stop.startswith("v")]


def _leave(plan: DayPlan, route: int, visits: list[int], *, is_out: bool) -> None:
    with transaction.atomic():
        Route.objects.select_for_update().get(pk=route)
        touch(route)
        left = Visit.objects.filter(pk__in=visits, route=route, state=Visit.State.PLANNED)
        people = Drop.objects.filter(visit__in=left, is_open=True).values_list("delivery_id", flat=True)
        told = is_out or plan.stage == DayPlan.Stage.PUBLISHED
        leave_behind(visits=left, deliveries=set(people), reason=Reason.ZONE, tell=told)
    roll_forward_soon(route_id=route)
