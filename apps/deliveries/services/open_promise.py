"""Keeps what a message told the customer."""

from typing import Any

from django.db import transaction

from apps.core import clock
from apps.core.errors import NotFound
from apps.core.time_windows import TimeWindow
from apps.deliveries import events
from apps.deliveries.models import Delivery, Promise
from apps.events.services import emit


def open_promise(*, delivery_id: int, window: TimeWindow, actor: str = "system") -> Promise:
    """The open promise, which is the next version unless the open one says the same already."""
    payload: dict[str, Any] = {}
    with transaction.atomic():
        if Delivery.objects.select_for_update().filter(pk=delivery_id).values_list("pk").first() is None:
            raise NotFound("delivery_not_found")
        last = Promise.objects.filter(delivery_id=delivery_id).order_by("-version").first()
        if last and last.closed_at is None:
            if (last.earliest, last.latest) == (window.earliest, window.latest):
                return last
            last.closed_at = clock.now()
            last.save(update_fields=["closed_at"])
            payload = _widening(last, window, actor)
        promise = Promise.objects.create(
            delivery_id=delivery_id,
            version=last.version + 1 if last else 1,
            earliest=window.earliest,
            latest=window.latest,
            opened_at=clock.now(),
        )
        emit(
            events.PROMISE_OPENED, delivery_id=delivery_id, payload={"version": promise.version, **payload}, actor=actor
        )
    return promise


def _widening(before: Promise, window: TimeWindow, actor: str) -> dict[str, Any]:
    """What the customer counted on holds no longer, and nobody asked for it: the page has to say so."""
    if actor != "system" or (before.earliest <= window.earliest and window.latest <= before.latest):
        return {}
    return {"widened": [window.earliest.isoformat(), window.latest.isoformat()]}
