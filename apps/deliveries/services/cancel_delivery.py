"""Calls a delivery off."""

from django.db import transaction
from django.db.models import F

from apps.deliveries.models import Delivery
from apps.deliveries.services.change_delivery import why_not
from apps.deliveries.services.move_state import move_state
from apps.deliveries.states import State, sources_of


def cancel_delivery(*, delivery: Delivery, reason: str, revision: int, actor: str) -> Delivery:
    """The cancelled delivery. Stale when `revision` has moved on, Refused when it is too late.

    Only writes: rescheduling.services.cancel_delivery also takes it out of its route.
    """
    with transaction.atomic():
        written = Delivery.objects.filter(
            pk=delivery.pk, revision=revision, state__in=sources_of(State.CANCELLED)
        ).update(revision=F("revision") + 1)
        if not written:
            raise why_not(delivery.pk, revision)
        move_state(delivery_id=delivery.pk, to=State.CANCELLED, actor=actor, reason=reason)
    delivery.refresh_from_db()
    return delivery
