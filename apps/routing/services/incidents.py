"""Writes down what went otherwise than planned, once, and asks the planner to look at it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.routing.models import DayPlan, Incident, Route, Visit
from apps.routing.services.write_routes import ask_for_replan
from apps.routing.stops import zone_of
from apps.routing.triggers import URGENT_PRIORITY


def note(
    *,
    plan: DayPlan,
    kind: str,
    key: str,
    routes: Iterable[int] = (),
    about: int | None = None,
    visit: Visit | None = None,
    at: datetime | None = None,
    figures: dict[str, Any] | None = None,
) -> bool:
    """Records an incident and lets the planner look at these routes; False when it was known already.

    `key` names the thing that happened within the day's plan, so that whoever notices it twice notes it once. `about`
    is the route it happened on, where that is not the one to look at.
    """
    touched = list(routes)
    with transaction.atomic():
        _incident, is_new = Incident.objects.get_or_create(
            plan=plan,
            key=key[:60],
            defaults={
                "kind": kind,
                "route_id": about or (touched[0] if len(touched) == 1 else None),
                "visit": visit,
                "at": at or clock.now(),
                "figures": figures or {},
            },
        )
        if is_new:
            Route.objects.filter(pk__in=touched, finished_at=None).update(changes=F("changes") + 1)
            ask_for_replan(plan.pk, reason=kind)
    return is_new


def note_if_urgent(*, delivery: Delivery, visit_id: int) -> bool:
    """Lets the planner make good for a delivery for today that must not wait; False when it may."""
    if delivery.priority < URGENT_PRIORITY:
        return False
    visit = Visit.objects.select_related("plan__depot", "route").get(pk=visit_id)
    today = clock.now().astimezone(zone_of(visit.plan.depot)).date()
    if visit.plan.day != today or visit.route is None:
        return False
    kind = Incident.Kind.URGENT
    return note(plan=visit.plan, kind=kind, key=f"urgent:{delivery.pk}", routes=[visit.route.pk], visit=visit)


def still_to_look_at(plan: DayPlan) -> dict[int, str]:
    """Kinds by id of what has happened and the planner has not had before it yet, oldest first."""
    return dict(Incident.objects.filter(plan=plan, looked_at=None).order_by("pk").values_list("pk", "kind"))


def looked_at(incidents: Iterable[int]) -> None:
    Incident.objects.filter(pk__in=list(incidents)).update(looked_at=clock.now())
