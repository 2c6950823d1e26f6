"""Takes and gives back room at a point."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.selectors import LIVE, room_left


def reserve(
    *, delivery: Delivery, point: PickupPoint, before: TimeWindow | None = None, service_seconds: int | None = None
) -> Reservation:
    """Room for the delivery's parcels, in place of what it had reserved elsewhere. Refused("full") when there is none.

    `before` and `service_seconds` are what was agreed for the door. Row order: delivery, point, reservation.
    """
    with transaction.atomic():
        # Whoever reserves here waits for this row, so the room counted is the room there is.
        PickupPoint.objects.select_for_update().values_list("pk").get(pk=point.pk)
        if room_left([point.pk], besides=delivery.pk)[point.pk] < delivery.parcels.count():
            raise Refused("full", _("There is no room left at that point."))
        agreed = _agreed_for_the_door(delivery, before, service_seconds)
        release(delivery_id=delivery.pk)
        return Reservation.objects.create(point=point, delivery=delivery, made_at=clock.now(), **agreed)


def _agreed_for_the_door(delivery: Delivery, before: TimeWindow | None, service_seconds: int | None) -> dict[str, Any]:
    """What is known now, or what an earlier reservation of this delivery remembers."""
    if before is not None:
        return {
            "home_earliest": before.earliest,
            "home_latest": before.latest,
            "home_service_seconds": service_seconds,
        }
    names = ("home_earliest", "home_latest", "home_service_seconds")
    return Reservation.objects.filter(delivery=delivery).order_by("-pk").values(*names).first() or {}


def release(*, delivery_id: int) -> bool:
    """Gives back what the delivery has reserved; False when that is nothing."""
    return bool(
        Reservation.objects.filter(delivery=delivery_id, state__in=LIVE).update(
            state=Reservation.State.RELEASED, ended_at=clock.now()
        )
    )
