"""A failure that nobody saw, only the evening's closing assumed: the phone had been without signal.

It is taken back where something else happened, and corrected where it was for another reason.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.core.errors import Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import events
from apps.deliveries.models import Attempt, Delivery, Promise
from apps.deliveries.services.bump_pages import bump_pages
from apps.deliveries.services.change_delivery import still_preferred
from apps.deliveries.services.note_attempt import LONGEST_NOTE
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


def correct_failure(
    *, delivery_ids: Iterable[int], reason: str, at: datetime, for_staff: str = "", for_recipient: str = ""
) -> None:
    """The last failed attempt of each ended at `at`, for this reason (a code), with the driver's notes.

    Where the delivery stands now is not touched: somebody, or the evening, has decided on it since.
    """
    ids = list(delivery_ids)
    notes = {"staff_note": for_staff[:LONGEST_NOTE], "recipient_note": for_recipient[:LONGEST_NOTE]}
    with transaction.atomic():
        for delivery_id in ids:
            failed = Attempt.objects.filter(delivery=delivery_id, outcome=State.FAILED).order_by("-number").first()
            if failed is not None:
                ended_at = max(at, failed.started_at)
                Attempt.objects.filter(pk=failed.pk).update(reason_code=reason, ended_at=ended_at, **notes)
        bump_pages(delivery_ids=ids)
