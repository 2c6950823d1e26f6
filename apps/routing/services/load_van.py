"""The load scan: a parcel goes onto the van that its delivery is planned on, and stays there."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Delivery, Parcel
from apps.deliveries.services import load_parcel, move_state
from apps.deliveries.states import ENDED, State
from apps.routing import words
from apps.routing.collecting import open_collection
from apps.routing.models import Drop, Route, Visit
from apps.routing.services.write_routes import RouteMoved
from apps.routing.stops import day_began, zone_of
from apps.routing.waves import second_loads

TRIES = 3


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

    NotFound("unknown_parcel"); Refused("not_today" | "other_van" | "later_load" | "at_shop" | "left_depot" | "ended" |
    "plan_busy") in words for the clerk.
    """
    for _attempt in range(TRIES):
        parcel = Parcel.objects.select_related("delivery").filter(barcode=barcode.strip()).first()
        if parcel is None:
            raise NotFound("unknown_parcel", _("We do not know this barcode."))
        delivery = parcel.delivery
        drop, route, began = _bound_for(delivery, vehicle)
        if parcel.loaded_at is not None and parcel.loaded_at >= began:
            missing = delivery.parcels.exclude(loaded_at__gte=began).count()
            return Loaded(delivery.pk, route.pk, vehicle, missing, again=True)
        if open_collection([delivery.pk]):
            raise Refused("at_shop", _("A van collects this parcel at a shop. Put it aside and tell the dispatcher."))
        _check_turn(drop, vehicle)
        if route.departed_at is not None and not _is_back_for(drop, route):
            raise Refused("left_depot", _("%(van)s has already left.") % {"van": vehicle}, van=vehicle)
        try:
            return Loaded(delivery.pk, route.pk, vehicle, _load(parcel, drop, route, began, actor), again=False)
        except RouteMoved:
            continue
    raise Refused("plan_busy", str(words.BUSY))


def _bound_for(delivery: Delivery, vehicle: str) -> tuple[Drop, Route, datetime]:
    """The delivery's drop, its route and the day's midnight; Refused unless that vehicle brings it today."""
    if delivery.state in ENDED:
        raise Refused("ended", _("This delivery was called off or has ended. Put the parcel aside."))
    drop = (
        Drop.objects.filter(delivery=delivery, is_open=True, is_hold=False)
        .select_related("visit__plan__depot", "visit__route__shift__vehicle")
        .first()
    )
    route = drop.visit.route if drop else None
    if drop is None or route is None or not _is_today(drop):
        raise Refused("not_today", _("This parcel is not planned for today. Leave it at the depot."))
    if (code := route.shift.vehicle.code) != vehicle:
        raise Refused("other_van", _("This parcel goes on %(van)s.") % {"van": code}, van=code)
    return drop, route, day_began(drop.visit.plan)


def _load(parcel: Parcel, drop: Drop, route: Route, began: datetime, actor: str) -> int:
    """How many parcels are missing still. RouteMoved when the van left or the plan moved the stop since it was read."""
    with transaction.atomic():
        here = Route.objects.filter(pk=route.pk, departed_at=route.departed_at)
        if not here.update(revision=F("revision") + 1):
            raise RouteMoved(str(route))
        bound = Drop.objects.filter(pk=drop.pk, is_open=True, visit__route=route.pk)
        if not bound.update(lies_at=route.shift.vehicle.depot_id):
            raise RouteMoved(str(route))
        missing = load_parcel(parcel_id=parcel.pk, at=clock.now(), day_began=began)
        if not missing:
            state = State(parcel.delivery.state)
            if state in (State.CREATED, State.RETURNING, State.FAILED):
                move_state(delivery_id=parcel.delivery_id, to=State.ARRIVED, actor=actor)
            move_state(delivery_id=parcel.delivery_id, to=State.LOADED, actor=actor)
    return missing


def _is_back_for(drop: Drop, route: Route) -> bool:
    """Whether the van stands at the depot again, to take this parcel's part of its day on board."""
    calls = route.visits.filter(kind=Visit.Kind.RELOAD, state=Visit.State.ARRIVED, sequence__lt=drop.visit.sequence)
    return calls.exists()


def _check_turn(drop: Drop, vehicle: str) -> None:
    """Refused for what the van fetches when it is back: now it would take the room of what goes out first."""
    call = second_loads([drop.visit.route_id]).get(drop.visit.route_id or 0)
    if call is None or call.sequence > drop.visit.sequence:
        return
    zone = zone_of(drop.visit.plan.depot)
    at = call.planned_arrival.astimezone(zone).strftime("%H:%M") if call.planned_arrival else "–"
    words = _("This parcel goes with the second load of %(van)s, at about %(time)s. Leave it at the ramp.")
    raise Refused("later_load", words % {"van": vehicle, "time": at}, van=vehicle)


def _is_today(drop: Drop) -> bool:
    plan = drop.visit.plan
    return clock.now().astimezone(zone_of(plan.depot)).date() == plan.day
