"""A van that drives no more today: its driver is sick, or it has broken down."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.services import bump_pages, move_states
from apps.deliveries.states import State
from apps.events.services import emit, react
from apps.fleet.models import Shift
from apps.routing import events
from apps.routing.models import Drop, Incident, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.rows import REMAINING
from apps.routing.services.incidents import note
from apps.routing.services.leave_behind import NO_TIMES
from apps.routing.services.off_van import put_back, strand
from apps.routing.services.write_routes import touch

FILL_HANDLER = "apps.routing.handlers.fill_day"
REASON = "carrier_vehicle_issue"


def mark_sick(*, shift: Shift, actor: str) -> int:
    """The driver does not come, or goes home: other vans take what they can; how many stops have to find one.

    What was loaded already goes back to the ramp. Once the van is out this is a breakdown: see `break_down`.
    """
    return _take_off(shift, "sick_at", Incident.Kind.SICK_DRIVER, actor)


def break_down(*, shift: Shift, actor: str) -> int:
    """The van stops for the day; how many stops it leaves.

    What it has on board is not delivered today, and its people are told and may choose again; the parcels are listed
    with the incident, to be fetched. What lies at the depot still, and what was to be collected, goes to other vans.
    """
    return _take_off(shift, "broken_down_at", Incident.Kind.BREAKDOWN, actor)


def _take_off(shift: Shift, column: str, kind: str, actor: str) -> int:
    with transaction.atomic():
        now = clock.now()
        taken = Shift.objects.filter(pk=shift.pk, sick_at=None, broken_down_at=None).update(**{column: now})
        shift.refresh_from_db()
        if not taken:
            raise Refused("off_the_road", _("This van is off the road already."))
        route = Route.objects.select_related("plan__depot").filter(shift=shift).first()
        if route is None or route.finished_at is not None:
            return 0
        touch(route.pk)
        if route.departed_at is None:
            put_back(route, reason=REASON)
        stranded = strand(route, reason=REASON, actor=actor) if route.departed_at is not None else []
        waiting = _set_free(route)
        if route.departed_at is not None:
            Route.objects.filter(pk=route.pk).update(finished_at=now)
        emit(events.ROUTE_CHANGED, plan_id=route.plan_id, payload={"route": route.pk}, actor=actor)
        figures = {"stops": waiting, "on_board": stranded}
        others = list(Route.objects.filter(plan=route.plan, finished_at=None).exclude(pk=route.pk))
        key, routes = f"{kind}:{shift.pk}", [one.pk for one in others]
        note(plan=route.plan, kind=kind, key=key, routes=routes, about=route.pk, figures=figures)
        react(FILL_HANDLER, plan_id=route.plan_id, lane="planner", dedupe_key=f"fill:{route.plan_id}")
    return waiting + len(stranded)


def _set_free(route: Route) -> int:
    """What another van can still bring waits for one; how many stops."""
    left = Visit.objects.filter(route=route, state__in=REMAINING)
    left.filter(kind=Visit.Kind.RELOAD).delete()
    left.filter(hold_until__isnull=False).delete()
    ids = list(left.values_list("pk", flat=True))
    people = Drop.objects.filter(visit__in=ids, is_open=True, is_hold=False).values_list("delivery_id", flat=True)
    move_states(
        delivery_ids=list(people.filter(delivery__state=State.OUT)), to=State.PLANNED, actor="system", reason=REASON
    )
    bump_pages(delivery_ids=list(people))
    Visit.objects.filter(pk__in=ids).update(
        **NO_TIMES, state=Visit.State.PLANNED, arrived_at=None, unserved_reason=Reason.NO_VEHICLE.value
    )
    return len(ids)
