"""The scan at the door of the depot: a parcel came in for the first time, or came back with a van."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Parcel
from apps.deliveries.services import move_state, unload_parcel
from apps.deliveries.states import ON_A_VAN, State
from apps.fleet.models import Depot
from apps.routing.models import Drop, Route

_HANDED_OVER = frozenset({State.DELIVERED, State.COLLECTED, State.AT_POINT})


@dataclass(frozen=True, slots=True)
class Back:
    """What was scanned; `missing` parcels of the same delivery are not here yet, `again`: this one was.

    `first`: it has never been here before.
    """

    delivery: int
    missing: int
    again: bool
    first: bool


def bring_back(*, barcode: str, depot: Depot, actor: str) -> Back:
    """Notes that a parcel is here. When the last of a delivery is, it stands *at the depot* for its (next) try.

    NotFound("unknown_parcel"); Refused("other_depot" | "handed_over" | "still_out") in words for the clerk.
    """
    parcel = Parcel.objects.select_related("delivery").filter(barcode=barcode.strip()).first()
    if parcel is None:
        raise NotFound("unknown_parcel", _("We do not know this barcode."))
    delivery = parcel.delivery
    if not _belongs_to(depot, drop := _last_drop(delivery.pk)):
        raise Refused("other_depot", _("This parcel belongs to another depot. Put it aside and tell the dispatcher."))
    if delivery.state in _HANDED_OVER:
        raise Refused("handed_over", _("This parcel is said to be handed over. Put it aside and tell the dispatcher."))
    if delivery.state in ON_A_VAN and _is_coming(delivery.pk):
        raise Refused("still_out", _("Its van is still to deliver it. Ask the driver to close the stop first."))
    with transaction.atomic():
        was_out = unload_parcel(parcel_id=parcel.pk, at=clock.now())
        if drop is not None:
            Drop.objects.filter(pk=drop.pk).update(lies_at=depot)
        missing = delivery.parcels.filter(Q(loaded_at__isnull=False) | Q(arrived_at=None)).count()
        if not missing:
            # A return to the sender has come to its end here; everything else waits for its next van.
            after = State.RETURNED if delivery.state == State.RETURNING else State.ARRIVED
            move_state(delivery_id=delivery.pk, to=after, actor=actor)
    is_first = parcel.arrived_at is None
    return Back(delivery.pk, missing, again=not was_out and not is_first, first=is_first)


def _last_drop(delivery_id: int) -> Drop | None:
    """Its part in a plan, or the last one it had; None for what stood in no plan yet."""
    drops = Drop.objects.filter(delivery=delivery_id).order_by("-is_open", "is_hold", "-pk")
    return drops.select_related("visit__plan", "visit__route__shift__vehicle").first()


def _belongs_to(depot: Depot, drop: Drop | None) -> bool:
    """Whether its van starts here; where it has none, whether this depot is part of its plan."""
    if drop is None:
        return True
    if drop.lies_at_id is not None:
        return drop.lies_at_id == depot.pk
    if drop.visit.route is not None:
        return drop.visit.route.shift.vehicle.depot_id == depot.pk
    return drop.visit.plan.depot_id in (depot.pk, depot.parent_id)


def _is_coming(delivery_id: int) -> bool:
    open_drops = Drop.objects.filter(delivery=delivery_id, is_open=True, is_hold=False)
    under_way = Route.objects.filter(departed_at__isnull=False, finished_at=None)
    return open_drops.filter(visit__route__in=under_way).exists()
