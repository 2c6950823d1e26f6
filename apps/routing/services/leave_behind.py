"""Deliveries that a van does not bring after all: they keep a visit, but one without a route and without times."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from apps.deliveries.services import bump_pages
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
}


def leave_behind(*, visits: QuerySet[Visit], deliveries: Collection[int], reason: Reason) -> None:
    """Takes these deliveries off the visits' routes, per drop: who shares a stop with them keeps it.

    Runs inside the caller's transaction, which has claimed the routes.
    """
    drops = Drop.objects.filter(visit__in=visits, is_open=True, is_hold=False)
    left = drops.filter(delivery__in=list(deliveries))
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
    bump_pages(delivery_ids=deliveries)
