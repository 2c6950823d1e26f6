"""A failure that nobody saw, only the evening's closing assumed, is taken back: the phone had been without signal."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.core.errors import Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import events
from apps.deliveries.models import Attempt, Delivery, Promise
from apps.deliveries.services.change_delivery import still_preferred
from apps.deliveries.states import State
from apps.events.services import emit

# Where the system alone may have moved it since.
_SINCE = (State.FAILED, State.PLANNED, State.CREATED, State.ARRIVED)


def withdraw_failure(*, delivery_id: int, since: datetime, window: TimeWindow | None, actor: str) -> None:
    """The delivery is *out* in its last failed attempt again, in `window` where another had been chosen for it.

    This stands beside the table of states: it says that something never was, not that something follows. Attempts and
    promises made after `since` are withdrawn. Call it where the hand-over follows in the same transaction, and where
    the plan has let go of it. Stale when the delivery has moved on.
    """
    again: dict[str, Any] = {}
    if window is not None:
        again = {"window_earliest": window.earliest, "window_latest": window.latest, **still_preferred(window)}
    with transaction.atomic():
        found = Delivery.objects.filter(pk=delivery_id, state__in=_SINCE).update(
            state=State.OUT, revision=F("revision") + 1, page_version=F("page_version") + 1, **again
        )
        failed = Attempt.objects.filter(delivery=delivery_id, outcome=State.FAILED).order_by("-number").first()
        if not found or failed is None:
            raise Stale("changed_meanwhile")
        Attempt.objects.filter(delivery=delivery_id, number__gt=failed.number).delete()
        Attempt.objects.filter(pk=failed.pk).update(ended_at=None, outcome="", reason_code="")
        Promise.objects.filter(delivery=delivery_id, closed_at=None, opened_at__gte=since).update(closed_at=clock.now())
        emit(events.FAILURE_WITHDRAWN, delivery_id=delivery_id, payload={"attempt": failed.number}, actor=actor)
