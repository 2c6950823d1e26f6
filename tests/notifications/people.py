"""Deliveries as these tests need them, and a way to say that something happened to one."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link
from apps.events.models import Event
from apps.events.services import emit
from apps.fleet.models import Shift
from apps.routing.models import DayPlan, Drop, Route, Visit
from tests import world


def alice(*, email: str | None = "", phone: str | None = None, language: str = "en") -> Delivery:
    """Alice's delivery with a tracking link. She has a phone and, unless asked for, no e-mail."""
    delivery = world.delivery("Alice")
    person = delivery.recipient
    person.email = person.email if email is None else email
    person.phone = person.phone if phone is None else phone
    person.language = language
    person.save()
    make_link(delivery=delivery)
    return delivery


def announce(kind: str, delivery: Delivery, **payload: object) -> Event:
    with transaction.atomic():
        return emit(kind, delivery_id=delivery.pk, payload=payload)


def visit_at(delivery: Delivery, arrival: datetime, minutes: int = 5) -> Visit:
    """Puts the delivery's stop on today's route with an arrival and a pair `minutes` either side."""
    shift = Shift.objects.first() or world.shift()
    plan = DayPlan.objects.get_or_create(depot=world.depot(), day=shift.day)[0]
    route = Route.objects.get_or_create(plan=plan, shift=shift)[0]
    visit = Visit.objects.filter(drops__delivery=delivery).first() or Visit(
        plan=plan, route=route, place=delivery.place, service_seconds=120
    )
    visit.planned_arrival = arrival
    visit.eta_earliest, visit.eta_latest = arrival - timedelta(minutes=minutes), arrival + timedelta(minutes=minutes)
    visit.save()
    Drop.objects.get_or_create(visit=visit, delivery=delivery)
    return visit
