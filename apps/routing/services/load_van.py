"""The load scan: a parcel goes onto the van that its delivery is planned on, and stays there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Parcel
from apps.deliveries.services import load_parcel, move_state
from apps.deliveries.states import ENDED, State
from apps.routing.models import Drop, Route
from apps.routing.services.write_routes import touch
from apps.routing.stops import epoch_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was scanned; `missing` parcels of the same delivery are not on the van yet."""

    delivery: int
    route: int
    vehicle: str
    missing: int
    again: bool


def load(*, barcode: str, vehicle: str, actor: str) -> Loaded:
    """Notes that the parcel is on the vehicle (its code). Scanning it again changes nothing.

    NotFound("unknown_parcel"); Refused("not_today" | "other_van" | "left_depot" | "ended") in words for the clerk.
    """
    parcel = Parcel.objects.select_related("delivery").filter(barcode=barcode.strip()).first()
    if parcel is None:
        raise NotFound("unknown_parcel", _("We do not know this barcode."))
    delivery = parcel.delivery
    if delivery.state in ENDED:
        raise Refused("ended", _("This delivery was called off or has ended. Put the parcel aside."))
    drop = (
        Drop.objects.filter(delivery=delivery, is_open=True, is_hold=False)
        .select_related("visit__plan__depot", "visit__route__shift__vehicle")
        .first()
    )
    route = drop.visit.route if drop else None
    began = _day_began(drop) if drop else None
    if drop is None or route is None or began is None or not began <= clock.now() < _next(began):
        raise Refused("not_today", _("This parcel is not planned for today. Leave it at the depot."))
    if route.shift.vehicle.code != vehicle:
        code = route.shift.vehicle.code
        raise Refused("other_van", _("This parcel goes on %(van)s.") % {"van": code}, van=code)
    again = parcel.loaded_at is not None and parcel.loaded_at >= began
    if not again:
        if route.departed_at is not None:
            raise Refused("left_depot", _("%(van)s has already left.") % {"van": vehicle}, van=vehicle)
        missing = _load(parcel, route, began, actor)
    else:
        missing = delivery.parcels.exclude(loaded_at__gte=began).count()
    return Loaded(delivery.pk, route.pk, vehicle, missing, again)


def _load(parcel: Parcel, route: Route, began: datetime, actor: str) -> int:
    with transaction.atomic():
        touch(route.pk)
        missing = load_parcel(parcel_id=parcel.pk, at=clock.now(), day_began=began)
        if not missing:
            state = State(parcel.delivery.state)
            if state in (State.CREATED, State.RETURNING, State.FAILED):
                move_state(delivery_id=parcel.delivery_id, to=State.ARRIVED, actor=actor)
            move_state(delivery_id=parcel.delivery_id, to=State.LOADED, actor=actor)
    return missing


def _day_began(drop: Drop) -> datetime:
    plan = drop.visit.plan
    return datetime.fromtimestamp(epoch_of(plan.depot, plan.day), clock.now().tzinfo)


def _next(began: datetime) -> datetime:
    return began + timedelta(days=1)
