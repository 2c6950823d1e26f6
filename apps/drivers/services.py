"""What a driver does on the road. Only today's own stops can be touched, and every call may be repeated."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Delivery, Place, Proof
from apps.deliveries.services import record_proof
from apps.drivers import rules
from apps.drivers.photos import cleaned_photo
from apps.drivers.rounds import shift_today
from apps.fleet.models import Driver, Shift
from apps.fleet.services import Fix, record_positions
from apps.instructions import services as instructions
from apps.redirection.services import store_at_point
from apps.routing import services as routing
from apps.routing.models import Route, Visit


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: the same had been said before, nothing was changed."""

    visit: int
    state: str
    again: bool


def depart(*, driver: Driver, at: datetime | None = None) -> bool:
    """The van leaves; False when it had left before."""
    route = Route.objects.select_related("plan__depot", "shift__vehicle").filter(shift=_shift(driver)).first()
    if route is None:
        raise Refused("no_route", _("There is no route for you today."))
    return routing.depart(route=route, actor=_actor(driver), at=at)


def arrive(*, driver: Driver, visit_id: int, at: datetime | None = None) -> Outcome:
    visit = own_visit(driver, visit_id)
    if visit.state in (Visit.State.DONE, Visit.State.FAILED):
        raise Refused("stop_closed", _("This stop is closed already."))
    came = routing.arrive(visit=visit, actor=_actor(driver), at=at)
    return Outcome(visit.pk, Visit.State.ARRIVED, not came)


def complete(
    *,
    driver: Driver,
    visit_id: int,
    at: datetime | None = None,
    photo: Any = None,
    received_by: str = "",
    left_at: str = rules.IN_PERSON,
) -> Outcome:
    """Hands over all that is for this place, with its proof. At a pick-up point everything goes onto the shelf."""
    visit = own_visit(driver, visit_id)
    if visit.state == Visit.State.FAILED:
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.DONE:
        return Outcome(visit.pk, visit.state, again=True)
    is_point = visit.place.kind != Place.Kind.ADDRESS
    name = rules.clean_name(received_by)
    rules.check_proof(left_at=left_at, received_by=name, has_photo=photo is not None, is_point=is_point)
    image = cleaned_photo(photo) if photo is not None else None
    with transaction.atomic():
        ids = routing.complete(visit=visit, actor=_actor(driver), at=at)
        deliveries = list(Delivery.objects.filter(pk__in=ids).order_by("pk"))
        for delivery in deliveries:
            if image is not None:
                image.seek(0)
            record_proof(
                delivery=delivery,
                kind=Proof.Kind.PHOTO if image is not None else Proof.Kind.SIGNATURE,
                taken_at=visit.left_at or delivery.created_at,
                image=image,
                received_by="" if is_point else name,
                left_at="" if is_point else left_at,
                point=visit.place.point,
            )
        if is_point:
            store_at_point(delivery_ids=ids, actor=_actor(driver), at=visit.left_at)
    return Outcome(visit.pk, visit.state, again=not ids)


def fail(*, driver: Driver, visit_id: int, reason: str, at: datetime | None = None) -> Outcome:
    """Nothing could be handed over; the parcels stay on the van."""
    visit = own_visit(driver, visit_id)
    rules.check_reason(reason)
    if visit.state == Visit.State.DONE:
        raise Refused("stop_closed", _("This stop is closed already."))
    ids = routing.fail(visit=visit, reason=reason, actor=_actor(driver), at=at)
    return Outcome(visit.pk, Visit.State.FAILED, again=not ids)


def record_fixes(*, driver: Driver, fixes: list[Fix]) -> int:
    """Positions of the driver's own van; how many were believed. The route's times follow within seconds."""
    shift = _shift(driver)
    believed = record_positions(vehicle=shift.vehicle, fixes=fixes)
    if believed:
        under_way = Route.objects.filter(shift=shift, departed_at__isnull=False, finished_at=None)
        for route_id in under_way.values_list("pk", flat=True):
            routing.roll_forward_soon(route_id=route_id)
    return believed


def acknowledge(*, driver: Driver, delivery: str, version: int) -> bool:
    """True when the instructions the driver has read are the current ones."""
    row = own_delivery(driver, delivery)
    return instructions.acknowledge_instruction(delivery_id=row.pk, version=version, driver_id=driver.pk)


def reveal_code(*, driver: Driver, delivery: str) -> str:
    """The door code of the next stop. Every look leaves an event."""
    return instructions.reveal_access_code(delivery=own_delivery(driver, delivery), driver_id=driver.pk)


def own_visit(driver: Driver, visit_id: int) -> Visit:
    """A stop of the driver's route of today; NotFound for every other, whether it exists or not."""
    visit = (
        Visit.objects.select_related("place", "route__plan__depot", "route__shift__vehicle", "plan__depot")
        .filter(pk=visit_id, route__shift=_shift(driver), hold_until=None)
        .first()
    )
    if visit is None:
        raise NotFound("stop_not_found", _("That stop is not on your route today."))
    return visit


def own_delivery(driver: Driver, public_id: str) -> Delivery:
    """A delivery that the driver brings today; NotFound for every other."""
    delivery = Delivery.objects.filter(
        public_id=public_id[:24].replace("\0", ""),
        drops__is_open=True,
        drops__is_hold=False,
        drops__visit__route__shift=_shift(driver),
    ).first()
    if delivery is None:
        raise NotFound("delivery_not_found", _("That delivery is not on your route today."))
    return delivery


def _shift(driver: Driver) -> Shift:
    shift = shift_today(driver)
    if shift is None:
        raise Refused("no_shift", _("You are not on today's roster."))
    return shift


def _actor(driver: Driver) -> str:
    return f"driver:{driver.pk}"
