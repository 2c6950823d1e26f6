"""A road that is closed for a while: every van drives around it, and whom nobody can reach is told.

What no van gets to any more that day leaves its route: what lies at the depot may find another van (a bicycle goes
where a car may not), what is on board is not delivered. A stop that opens again later goes to the end of its route.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput
from apps.core.geo import is_coordinate
from apps.events.services import react
from apps.fleet.models import Depot
from apps.routing.collecting import with_other_halves
from apps.routing.epoch_seconds import since
from apps.routing.models import Closure, DayPlan, Drop, Incident, Route, Visit
from apps.routing.planner.intervals import permitted
from apps.routing.planner.solution import Reason
from apps.routing.services.drive import catch_up
from apps.routing.services.hold_window import release_held
from apps.routing.services.incidents import note
from apps.routing.services.leave_behind import leave_behind
from apps.routing.services.off_the_road import FILL_HANDLER
from apps.routing.services.off_van import put_back, strand
from apps.routing.services.roll_forward import roll_forward_soon
from apps.routing.services.write_routes import touch
from apps.routing.shift_rows import codes_in
from apps.routing.snapshot import take

WIDEST_METRES = 20_000
REASON = "carrier_road_closed"


def close_road(
    *, depot: Depot, name: str, point: tuple[float, float], radius_metres: int, begins: datetime, ends: datetime
) -> Closure:
    """Keeps the depot's cars out of a round area (degrees, metres). InvalidInput when that makes no sense."""
    if not is_coordinate(*point) or not 0 < radius_metres <= WIDEST_METRES or ends <= begins:
        raise InvalidInput("closure_not_understood", _("A closure needs a place, a radius and an end."))
    with transaction.atomic():
        closure = Closure.objects.create(
            depot=depot,
            name=name[:80],
            latitude=point[0],
            longitude=point[1],
            radius_metres=radius_metres,
            begins_at=begins,
            ends_at=ends,
        )
        note_closure(closure)
    return closure


def open_road(*, closure: Closure) -> None:
    """The road is free again from now on."""
    with transaction.atomic():
        Closure.objects.filter(pk=closure.pk).update(ends_at=min(closure.ends_at, clock.now()))
        note_closure(closure, word="open")


def note_closure(closure: Closure, *, word: str = "closed") -> None:
    """Lets the planner look at every day that the closure touches, and times at every van under way."""
    plans = DayPlan.objects.filter(depot=closure.depot.plans_with, routes__shift__ends_at__gt=closure.begins_at)
    plans = plans.filter(routes__shift__starts_at__lt=closure.ends_at, routes__finished_at=None).distinct()
    for plan in plans.select_related("depot"):
        routes = list(Route.objects.filter(plan=plan, finished_at=None).order_by("pk").select_related("shift__vehicle"))
        for route in routes:
            _leave_out(closure, plan, route)
        key, kind = f"road:{closure.pk}:{word}", Incident.Kind.ROAD_CLOSED
        note(plan=plan, kind=kind, key=key, routes=[route.pk for route in routes], figures={"closure": closure.pk})
        for route in routes:
            if route.departed_at is not None:
                roll_forward_soon(route_id=route.pk)
        # What another van can reach, or any van again, finds a place.
        react(FILL_HANDLER, plan_id=plan.pk, lane="planner", dedupe_key=f"fill:{plan.pk}")


def _leave_out(closure: Closure, plan: DayPlan, route: Route) -> None:
    """Takes what this van no longer reaches off its route."""
    if route.shift.vehicle.profile not in codes_in(closure.profiles):
        return
    touch(route.pk)
    never, later = map(with_other_halves, _inside(closure, plan, route))
    release_held(visit_ids=never)
    if not never and not later:
        return
    first = _following(route)
    _to_the_end(route, later)
    if route.departed_at is None:
        put_back(route, reason=REASON, visits=never)
    else:
        strand(route, reason=REASON, actor="system", visits=never)
    left = Visit.objects.filter(pk__in=never, state=Visit.State.PLANNED)
    people = Drop.objects.filter(visit__in=left, is_open=True, is_hold=False).values_list("delivery_id", flat=True)
    told = plan.stage == DayPlan.Stage.PUBLISHED or route.departed_at is not None
    leave_behind(visits=left, deliveries=set(people), reason=Reason.UNREACHABLE, tell=told)
    if route.departed_at is not None:
        catch_up(route_id=route.pk, actor="system", next_stop=first != _following(route))
    else:
        roll_forward_soon(route_id=route.pk)


def _inside(closure: Closure, plan: DayPlan, route: Route) -> tuple[list[int], list[int]]:
    """Visits of the van inside the closed place: those it never gets to, and those it would come to too early."""
    snapshot, never, later = take(depot=plan.depot, day=plan.day, shift_id=route.shift_id), [], []
    begins, ends = since(snapshot.epoch, closure.begins_at), since(snapshot.epoch, closure.ends_at)
    for visit, row in snapshot.visits.items():
        if row.shift != route.shift_id or row.is_reload or row.state != Visit.State.PLANNED:
            continue
        if not closure.holds(row.latitude, row.longitude):
            continue
        windows = permitted(snapshot.problem.stop[row.key])
        if not windows or windows[-1][1] < snapshot.now:
            never.append(visit)
        elif row.planned is not None and begins <= row.planned < ends:
            later.append(visit)
    return never, later


def _to_the_end(route: Route, visits: list[int]) -> None:
    last = Visit.objects.filter(route=route).aggregate(last=Max("sequence"))["last"] or 0
    for number, visit in enumerate(visits, start=1):
        Visit.objects.filter(pk=visit).update(sequence=last + number)


def _following(route: Route) -> int | None:
    remaining = Visit.objects.filter(route=route, state__in=Visit.REMAINING, hold_until=None)
    return remaining.order_by("sequence").values_list("pk", flat=True).first()
