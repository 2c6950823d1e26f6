"""The end of a day: what was still on a van came back, and its customers may choose another day."""

from django.db import transaction

from apps.core import clock
from apps.deliveries.services import move_states
from apps.deliveries.states import State
from apps.events.services import emit
from apps.routing import events
from apps.routing.models import DayPlan, Drop, Route, Visit
from apps.routing.rows import REMAINING
from apps.routing.services.write_routes import touch

REASON = "carrier_not_enough_time"


def close_day(*, plan: DayPlan) -> int:
    """Fails every stop that a van of that day left the depot for and never reached; how many deliveries that were."""
    routes = Route.objects.filter(plan=plan, departed_at__isnull=False, finished_at=None).order_by("pk")
    return sum(_close(route) for route in routes)


def _close(route: Route) -> int:
    now = clock.now()
    with transaction.atomic():
        touch(route.pk)
        left = Visit.objects.filter(route=route, state__in=REMAINING)
        drops = Drop.objects.filter(visit__in=left, is_open=True, is_hold=False)
        deliveries = sorted(drops.values_list("delivery_id", flat=True))
        drops.update(is_open=False)
        left.filter(hold_until__isnull=False).delete()
        left.update(state=Visit.State.FAILED, left_at=now)
        move_states(delivery_ids=deliveries, to=State.FAILED, actor="system", reason=REASON, at=now)
        Route.objects.filter(pk=route.pk).update(finished_at=now)
        emit(events.ROUTE_CHANGED, plan_id=route.plan_id, payload={"route": route.pk})
    return len(deliveries)
