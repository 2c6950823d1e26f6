"""Looks into the running product's database from a process of its own: a question per line, a JSON answer per line.

Started by processes.py in the product's environment, so nothing here shares memory with what is being tested.
"""

import json
import sys
from datetime import date, datetime
from typing import Any

from django.db import close_old_connections

from apps.core import clock
from apps.deliveries.models import Delivery, Link, Promise
from apps.deliveries.services import collection_code_of, token_of
from apps.demo.models import DemoKey, PhoneMessage
from apps.events.models import Event, Reaction
from apps.fleet.models import Depot, Shift
from apps.routing.models import DayPlan, Drop, Replan, Visit
from apps.routing.planner.check import violations
from apps.routing.snapshot import take


def people(van: str, day: str) -> list[dict[str, Any]]:
    """Who is on that van's route, in order."""
    rows = Drop.objects.filter(is_open=True, visit__plan__day=day, visit__route__shift__vehicle__code=van)
    rows = rows.exclude(visit__state__in=[Visit.State.DONE, Visit.State.FAILED])
    return [_person(drop.delivery) for drop in rows.order_by("visit__sequence").select_related("delivery")]


def person(delivery: int) -> dict[str, Any]:
    return _person(Delivery.objects.get(pk=delivery))


def plans() -> dict[str, dict[str, Any]]:
    """Each day's plan as the independent checker sees it: whom it serves, and what is wrong."""
    depot, found = Depot.objects.get(), {}
    for plan in DayPlan.objects.order_by("day"):
        snapshot = take(depot=depot, day=plan.day)
        wrong = violations(snapshot.problem, snapshot.standing)
        served = Drop.objects.filter(visit__plan=plan, visit__route__isnull=False, is_open=True)
        found[plan.day.isoformat()] = {
            "serves": sorted(served.values_list("delivery_id", flat=True)),
            "wrong": [str(one) for one in wrong],
        }
    return found


def texts(phone: str) -> list[str]:
    return list(PhoneMessage.objects.filter(channel="sms", to=phone).order_by("pk").values_list("body", flat=True))


def milliseconds_of(kind: str, delivery: int) -> float:
    """The wall's Unix milliseconds of the newest such fact (the journeys' clock runs at the wall's pace)."""
    fact = Event.objects.filter(kind=kind, delivery_id=delivery).latest("pk")
    return (clock.wall() - (clock.now() - fact.at)).timestamp() * 1000


def is_quiet() -> bool:
    """Nothing that was to be done by now is still to be done."""
    waiting = Reaction.objects.filter(state__in=[Reaction.State.WAITING, Reaction.State.RUNNING])
    return not waiting.filter(due_at__lte=clock.now()).exists()


def key(kind: str, name: str) -> str:
    return str(DemoKey.objects.get(kind=kind, name__contains=name).secret)


def counter_of(point: str) -> str:
    return str(DemoKey.objects.get(kind=DemoKey.Kind.POINT, name=point).secret)


def replans() -> list[list[str]]:
    return [[row.reason, row.outcome, row.detail] for row in Replan.objects.order_by("pk")]


def parked() -> list[str]:
    return [f"{row.handler}: {row.last_error}" for row in Reaction.objects.filter(state=Reaction.State.PARKED)]


def vans(day: str) -> list[str]:
    return sorted(Shift.objects.filter(day=day).values_list("vehicle__code", flat=True))


def collection_code(delivery: int) -> str:
    return collection_code_of(delivery) or ""


def _person(delivery: Delivery) -> dict[str, Any]:
    link = Link.objects.filter(delivery=delivery, kind=Link.Kind.FULL, revoked_at=None).latest("pk")
    promise = Promise.objects.filter(delivery=delivery, closed_at=None).order_by("-version").first()
    drop = Drop.objects.filter(delivery=delivery, is_open=True, is_hold=False).select_related("visit__plan").first()
    route = drop.visit.route if drop else None
    return {
        "id": delivery.pk,
        "public_id": delivery.public_id,
        "path": f"/t/{token_of(link)}",
        "phone": delivery.recipient.phone,
        "name": delivery.recipient.name,
        "merchant": delivery.merchant.slug,
        "state": delivery.state,
        "window": [delivery.window_earliest, delivery.window_latest],
        "promise": [promise.earliest, promise.latest] if promise else None,
        "van": route.shift.vehicle.code if route else None,
        "day": drop.visit.plan.day if drop else None,
        "arrival": drop.visit.planned_arrival if drop else None,
    }


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def serve() -> None:
    for line in sys.stdin:
        close_old_connections()
        question = json.loads(line)
        answer = globals()[question["ask"]](**question["about"])
        print(json.dumps(answer, default=_plain), flush=True)
