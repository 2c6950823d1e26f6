"""Deliveries that no van brings that day: they keep a visit without route and times, and their people are told."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.deliveries.models import Delivery
from apps.deliveries.services import bump_pages
from apps.deliveries.states import OPEN
from apps.events.models import Event
from apps.events.services import emit
from apps.routing import events
from apps.routing.models import Drop, Visit
from apps.routing.planner.solution import Reason
from apps.routing.stops import service_of

NO_TIMES: dict[str, Any] = {
    "route": None,
    "sequence": 0,
    "planned_arrival": None,
    "planned_departure": None,
    "eta_earliest": None,
    "eta_latest": None,
    "sure_earliest": None,
    "sure_latest": None,
    "eta_reason": "",
}


def leave_behind(*, visits: QuerySet[Visit], deliveries: Collection[int], reason: Reason, tell: bool = True) -> None:
    """Takes these deliveries off the visits' routes, per drop: who shares a stop with them keeps it.

    Runs inside the caller's transaction, which has claimed the routes. Without `tell` nobody hears of it (a draft).
    """
    drops = Drop.objects.filter(visit__in=visits, is_open=True, is_hold=False)
    left = drops.filter(delivery__in=list(deliveries))
    plans = dict(left.values_list("delivery_id", "visit__plan_id"))
    for visit in Visit.objects.filter(pk__in=left.values("visit")).order_by("pk"):
        mine, others = left.filter(visit=visit), drops.filter(visit=visit).exclude(delivery__in=list(deliveries))
        staying = list(others.values_list("delivery__service_seconds", flat=True))
        if not staying and visit.state == Visit.State.PLANNED:
            Visit.objects.filter(pk=visit.pk).update(**NO_TIMES, unserved_reason=reason.value)
            continue
        service = service_of(mine.values_list("delivery__service_seconds", flat=True))
        own = Visit.objects.create(
            plan_id=visit.plan_id, place_id=visit.place_id, service_seconds=service, unserved_reason=reason.value
        )
        Drop.objects.filter(pk__in=list(mine.values_list("pk", flat=True))).update(visit=own)
        if staying:
            Visit.objects.filter(pk=visit.pk).update(service_seconds=service_of(staying))
    shops = Visit.objects.filter(collects__in=list(plans), plan__in=set(plans.values()), state=Visit.State.PLANNED)
    shops.filter(hold_until=None).update(**NO_TIMES, unserved_reason=reason.value)
    if tell:
        tell_unserved(plans, dict.fromkeys(plans, reason.value))


def tell_unserved(plans: Mapping[int, int], reasons: Mapping[int, str], *, once: bool = False) -> list[int]:
    """Says of deliveries (their plan and the reason, by id) that no van brings them that day; those it was said of.

    With `once`, whoever was told so of that plan before is left in peace.
    """
    told: set[tuple[int | None, int | None]] = set()
    if once:
        before = Event.objects.filter(kind=events.STOP_UNSERVED, delivery_id__in=list(plans))
        told = set(before.values_list("delivery_id", "plan_id"))
    waiting = Delivery.objects.filter(pk__in=[pk for pk in plans if (pk, plans[pk]) not in told], state__in=OPEN)
    ids = sorted(waiting.values_list("pk", flat=True))
    for pk in ids:
        emit(events.STOP_UNSERVED, delivery_id=pk, plan_id=plans[pk], payload={"reason": reasons[pk]})
    bump_pages(delivery_ids=ids)
    return ids
