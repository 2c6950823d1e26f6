"""What a van has on board that it is not to bring: back to the ramp before it leaves, not delivered once it has."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from apps.core import clock
from apps.deliveries.models import Delivery, Parcel
from apps.deliveries.services import move_states, unload_parcel
from apps.deliveries.states import ON_A_VAN, State
from apps.routing.models import Drop, Route, Visit
from apps.routing.rows import REMAINING, scanned_since
from apps.routing.stops import day_began


def put_back(route: Route, *, reason: str, visits: Collection[int] | None = None) -> list[int]:
    """The van has not left: what was scanned onto it (for these visits) stands at the depot again; the deliveries."""
    scanned = scanned_since(day_began(route.plan), "delivery_id")
    drops = _brought(route, visits).filter(Q(delivery__state=State.LOADED) | Q(scanned))
    ids = sorted(drops.values_list("delivery_id", flat=True))
    parcels = Parcel.objects.filter(delivery__in=ids)
    for pk in parcels.filter(loaded_at__isnull=False).values_list("pk", flat=True):
        unload_parcel(parcel_id=pk, at=clock.now())
    missing = set(parcels.filter(arrived_at=None).values_list("delivery_id", flat=True))
    move_states(delivery_ids=set(ids) - missing, to=State.ARRIVED, actor="system", reason=reason)
    return ids


def strand(route: Route, *, reason: str, actor: str, visits: Collection[int] | None = None) -> list[int]:
    """The van is out: what it has on board (for these visits) is not delivered today; the deliveries."""
    aboard = _brought(route, visits).filter(delivery__state__in=ON_A_VAN)
    ids = sorted(aboard.values_list("delivery_id", flat=True))
    stops = list(aboard.values_list("visit_id", flat=True))
    aboard.update(is_open=False)
    shared = Drop.objects.filter(visit__in=stops, is_open=True).values("visit")
    ended = Visit.objects.filter(pk__in=stops).exclude(pk__in=shared)
    ended.update(state=Visit.State.FAILED, left_at=clock.now())
    move_states(delivery_ids=ids, to=State.FAILED, actor=actor, reason=reason)
    return ids


def _brought(route: Route, visits: Collection[int] | None) -> QuerySet[Drop]:
    """Open drops of what this van was to bring; returns lie at the customer's."""
    drops = Drop.objects.filter(visit__route=route, visit__state__in=REMAINING, is_open=True, is_hold=False)
    if visits is not None:
        drops = drops.filter(visit__in=visits)
    return drops.exclude(delivery__kind=Delivery.Kind.RETURN)
