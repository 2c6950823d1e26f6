"""What belongs to a driver today. Everything else does not exist for that phone.

What a phone tells late belongs to the shift of when it happened: `at` is that instant, now when nothing is said.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Delivery
from apps.drivers.rounds import shift_at
from apps.fleet.models import Driver, Shift
from apps.routing.models import Drop, Route, Visit


def own_shift(driver: Driver, at: datetime | None = None) -> Shift:
    now = clock.now()
    shift = shift_at(driver, min(at or now, now))
    if shift is None:
        raise Refused("no_shift", _("You are not on today's roster."))
    return shift


def own_route(driver: Driver, at: datetime | None = None) -> Route:
    shift = own_shift(driver, at)
    route = Route.objects.select_related("plan__depot", "shift__vehicle").filter(shift=shift).first()
    if route is None:
        raise Refused("no_route", _("There is no route for you today."))
    return route


def own_visit(driver: Driver, visit_id: int, at: datetime | None = None) -> Visit:
    """A stop of the driver's route of today; NotFound for every other, whether it exists or not."""
    visit = (
        Visit.objects.select_related("place", "route__plan__depot", "route__shift__vehicle", "plan__depot")
        .filter(pk=visit_id, route__shift=own_shift(driver, at), hold_until=None)
        .first()
    )
    if visit is None:
        raise NotFound("stop_not_found", _("That stop is not on your route today."))
    return visit


def own_delivery(driver: Driver, public_id: str, at: datetime | None = None) -> Delivery:
    """A delivery that the driver brings today; NotFound for every other."""
    delivery = Delivery.objects.filter(
        public_id=public_id[:24].replace("\0", ""),
        drops__is_open=True,
        drops__is_hold=False,
        drops__visit__route__shift=own_shift(driver, at),
    ).first()
    if delivery is None:
        raise NotFound("delivery_not_found", _("That delivery is not on your route today."))
    return delivery


def tried_for(driver: Driver, public_id: str, at: datetime) -> list[Delivery]:
    """Whom a call or a ring at the door was for: this delivery, and what else the same person gets at the same stop.

    What the stop was closed with since `at` still counts. NotFound for what is at no stop of the driver's.
    """
    drops = Drop.objects.filter(
        Q(is_open=True) | Q(visit__left_at__gt=at), is_hold=False, visit__route__shift=own_shift(driver, at)
    )
    rows = drops.select_related("delivery__recipient").order_by("delivery")
    asked = rows.filter(delivery__public_id=public_id[:24].replace("\0", "")).order_by("-is_open", "-pk").first()
    if asked is None:
        raise NotFound("delivery_not_found", _("That delivery is not on your route today."))
    person = person_of(asked.delivery)
    return [row.delivery for row in rows.filter(visit=asked.visit_id) if person_of(row.delivery) == person]


def person_of(delivery: Delivery) -> tuple[str, str]:
    recipient = delivery.recipient
    return recipient.name.casefold(), recipient.phone or recipient.email or str(recipient.pk)


def deliveries_at(visit: Visit, closed: Collection[int] = ()) -> list[Delivery]:
    """What is still to be handed over at a stop, with its parcels and its shop's rules; `closed` is what was there."""
    drops = Drop.objects.filter(visit=visit, is_hold=False)
    here = drops.filter(delivery__in=closed) if closed else drops.filter(is_open=True)
    rows = Delivery.objects.filter(pk__in=here.values("delivery"))
    return list(rows.select_related("merchant__policy", "recipient").prefetch_related("parcels").order_by("pk"))


def actor_of(driver: Driver) -> str:
    return f"driver:{driver.pk}"
