"""A point without room when the van is there: to the nearest other one on the round, or back to the depot."""

from functools import partial

from apps.core import clock
from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.deliveries.services import change_place
from apps.deliveries.states import State
from apps.redirection.models import PickupPoint
from apps.redirection.rules import point_service_seconds
from apps.redirection.selectors import nearby_points, opening_span, point_of
from apps.redirection.services.offer_points import as_place
from apps.redirection.services.reserve import reserve
from apps.routing import services as routing
from apps.routing.models import Visit

REASON = "carrier_capacity_exceeded"
NEAREST = 5
MOST_METRES = 6_000
"""From the full point, as the crow flies: nobody is sent to a shop in another part of the country unasked."""


def bring_to_other_point(*, delivery_id: int) -> bool:
    """Finds the delivery another point that its van can still reach today; False when it comes back to the depot.

    The nearest with room for it whose hours and the van's plan allow it, where the shop lets places be changed at all.
    It is the operator who moves it, so nobody has to confirm anything; the recipient hears where, and may change it.
    """
    delivery = Delivery.objects.select_related("place", "merchant__policy").get(pk=delivery_id)
    failed = routing.failed_today(delivery_id)
    full = point_of(delivery)
    if failed is None or full is None or delivery.state != State.FAILED:
        return False
    near = _near(delivery, full) if delivery.merchant.policy.allow_place_change else []
    found = any(_bring(delivery, failed, point) for point in near[:NEAREST])
    routing.note_point_full(failed=failed, delivery_id=delivery_id, brought_on=found)
    return found


def _near(delivery: Delivery, full: PickupPoint) -> list[PickupPoint]:
    """Points with room for it, the nearest to the full one first."""
    offers = nearby_points(delivery=delivery, around=full.point)
    return [one.point for one in offers if one.fits and one.point != full and one.distance_metres <= MOST_METRES]


def _bring(delivery: Delivery, failed: Visit, point: PickupPoint) -> bool:
    span = opening_span(point, failed.plan.day)
    if span is None or span.latest <= clock.now():
        return False
    window = TimeWindow(max(span.earliest, clock.now()), span.latest)
    place = as_place(point)
    write = partial(_write, delivery.pk, point, window)
    try:
        routing.bring_on(delivery=delivery, failed=failed, place=place, window=window, write=write)
    except Refused:
        return False
    return True


def _write(delivery_id: int, point: PickupPoint, window: TimeWindow) -> Delivery:
    delivery = Delivery.objects.select_related("place").get(pk=delivery_id)
    changed = change_place(
        delivery=delivery,
        place=as_place(point),
        window=window,
        revision=delivery.revision,
        actor="system",
        service_seconds=point_service_seconds(delivery.parcels.count()),
    )
    reserve(delivery=changed, point=point)
    return changed
