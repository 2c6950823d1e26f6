"""The scan at the door of the depot: a parcel came in for the first time, or came back with a van."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Parcel
from apps.deliveries.services import bump_pages, move_state, unload_parcel
from apps.deliveries.states import ON_A_VAN, State
from apps.events.services import react
from apps.fleet.models import Depot
from apps.routing.models import Drop, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.services.leave_behind import leave_behind
from apps.routing.services.off_the_road import FILL_HANDLER
from apps.routing.services.roll_forward import roll_forward_soon
from apps.routing.services.write_routes import touch

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
    elsewhere = _van_from_elsewhere(depot, drop)
    with transaction.atomic():
        if elsewhere is not None:
            touch(elsewhere.pk)
        was_out = unload_parcel(parcel_id=parcel.pk, at=clock.now())
        if drop is not None:
            Drop.objects.filter(pk=drop.pk).update(lies_at=depot)
        missing = delivery.parcels.filter(Q(loaded_at__isnull=False) | Q(arrived_at=None)).count()
        if not missing:
            # A return to the sender has come to its end here; everything else waits for its next van.
            after = State.RETURNED if delivery.state == State.RETURNING else State.ARRIVED
            move_state(delivery_id=delivery.pk, to=after, actor=actor)
        if elsewhere is not None:
            _find_another_van(elsewhere, delivery.pk)
    is_first = parcel.arrived_at is None
    return Back(delivery.pk, missing, again=not was_out and not is_first, first=is_first)


def _last_drop(delivery_id: int) -> Drop | None:
    """Its part in a plan, or the last one it had; None for what stood in no plan yet."""
    drops = Drop.objects.filter(delivery=delivery_id).order_by("-is_open", "is_hold", "-pk")
    return drops.select_related("lies_at__parent", "visit__plan", "visit__route__shift__vehicle").first()


def _belongs_to(depot: Depot, drop: Drop | None) -> bool:
    """Whether its van starts here; where it has none, or the goods have been carried between depots, whether this
    depot is part of its plan.
    """
    if drop is None:
        return True
    if drop.lies_at is not None:
        return drop.lies_at.plans_with == depot.plans_with
    if drop.visit.route is not None:
        return drop.visit.route.shift.vehicle.depot_id == depot.pk
    return drop.visit.plan.depot_id in (depot.pk, depot.parent_id)


def _is_coming(delivery_id: int) -> bool:
    open_drops = Drop.objects.filter(delivery=delivery_id, is_open=True, is_hold=False)
    under_way = Route.objects.filter(departed_at__isnull=False, finished_at=None)
    return open_drops.filter(visit__route__in=under_way).exists()


def _van_from_elsewhere(depot: Depot, drop: Drop | None) -> Route | None:
    """The route that was to bring what lies here now, of a van that starts at another depot."""
    if drop is None or not drop.is_open or drop.visit.route is None or drop.visit.state != Visit.State.PLANNED:
        return None
    return drop.visit.route if drop.visit.route.shift.vehicle.depot_id != depot.pk else None


def _find_another_van(route: Route, delivery_id: int) -> None:
    """Runs inside the caller's transaction, which has claimed the route."""
    visits = Visit.objects.filter(route=route, drops__delivery=delivery_id, drops__is_open=True)
    # Who still finds no van is told by whoever looks for one.
    leave_behind(visits=visits, deliveries=[delivery_id], reason=Reason.DEPOT, tell=False)
    bump_pages(delivery_ids=[delivery_id])
    roll_forward_soon(route_id=route.pk)
    react(FILL_HANDLER, plan_id=route.plan_id, lane="planner", dedupe_key=f"fill:{route.plan_id}")
