"""The end of a day: what was still on a van came back, what no van took waits, and everybody may choose another day."""

from django.db import transaction
from django.db.models import Q

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.deliveries.services import move_states
from apps.deliveries.states import State
from apps.events.services import emit
from apps.routing import events
from apps.routing.models import DayPlan, Drop, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.rows import REMAINING
from apps.routing.services.leave_behind import tell_unserved
from apps.routing.services.write_routes import GRACE, touch

REASON = "carrier_not_enough_time"


def close_day(*, plan: DayPlan) -> int:
    """Ends every stop of the day that no van reached; how many deliveries that were."""
    routes = Route.objects.filter(plan=plan, finished_at=None).order_by("pk")
    closed = sum(_come_back(route) for route in routes.filter(departed_at__isnull=False))
    closed += _call_off(plan)
    with transaction.atomic():
        emit(events.DAY_CLOSED, plan_id=plan.pk)
    return closed


def close_if_over(*, route_id: int) -> bool:
    """Closes a route that is out long after its shift; False while it may still deliver."""
    route = Route.objects.select_related("shift").get(pk=route_id)
    if route.departed_at is None or route.finished_at is not None or clock.now() < route.shift.ends_at + GRACE:
        return False
    _come_back(route)
    return True


def _come_back(route: Route) -> int:
    """A van that left and never reached these: they are failed, and their parcels come back."""
    now = clock.now()
    with transaction.atomic():
        touch(route.pk)
        deliveries = _end(Q(route=route))
        failed = move_states(delivery_ids=deliveries, to=State.FAILED, actor="system", reason=REASON, at=now)
        absent = set(deliveries) - set(failed)
        tell_unserved(dict.fromkeys(absent, route.plan_id), dict.fromkeys(absent, Reason.LEFT_DEPOT.value), once=True)
        Route.objects.filter(pk=route.pk).update(finished_at=now)
        emit(events.ROUTE_CHANGED, plan_id=route.plan_id, payload={"route": route.pk})
    return len(deliveries)


def _call_off(plan: DayPlan) -> int:
    """Vans that never left, and stops that no van was found for: what was loaded is at the depot still."""
    with transaction.atomic():
        routes = Route.objects.filter(plan=plan, departed_at=None, finished_at=None).order_by("pk")
        for route in routes:
            touch(route.pk)
        reasons = dict(
            Drop.objects.filter(
                Q(visit__route=None) | Q(visit__route__in=routes),
                visit__plan=plan,
                visit__state__in=REMAINING,
                is_open=True,
                is_hold=False,
            ).values_list("delivery_id", "visit__unserved_reason")
        )
        deliveries = _end(Q(plan=plan) & (Q(route=None) | Q(route__in=routes)))
        loaded = Delivery.objects.filter(pk__in=deliveries, state=State.LOADED).values_list("pk", flat=True)
        move_states(delivery_ids=list(loaded), to=State.ARRIVED, actor="system", reason=REASON)
        why = {pk: reasons.get(pk) or Reason.NOT_PLANNED.value for pk in deliveries}
        tell_unserved(dict.fromkeys(deliveries, plan.pk), why, once=True)
        routes.update(finished_at=clock.now())
    return len(deliveries)


def _end(which: Q) -> list[int]:
    """Ends the visits that are not done; the deliveries they were for."""
    left = Visit.objects.filter(which, state__in=REMAINING)
    drops = Drop.objects.filter(visit__in=left, is_open=True, is_hold=False)
    deliveries = sorted(drops.values_list("delivery_id", flat=True))
    drops.update(is_open=False)
    left.filter(hold_until__isnull=False).delete()
    left.update(state=Visit.State.FAILED, left_at=clock.now())
    return deliveries
