"""A window that fits nowhere at once: asked for in one row, searched for where the solver is, answered once."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from apps.core import clock
from apps.core.errors import Refused, Stale
from apps.core.throttles import count_try
from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.models import Delivery
from apps.events.services import react
from apps.rescheduling.models import WindowRequest
from apps.rescheduling.services.change_window import require_change, require_revision, require_window
from apps.routing import services as routing

HANDLER: Final = "apps.rescheduling.handlers.answer_request"
LASTS: Final = timedelta(minutes=10)
"""How long after the question a window may still be taken: longer than a dead worker keeps its lease."""
TRIES: Final = 10
TRIES_SECONDS: Final = 3600
STANDS: Final = timedelta(minutes=1)
"""How long a no to the same question is not looked at again."""


def look_harder(*, delivery: Delivery, window: TimeWindow, revision: int, actor: str) -> WindowRequest:
    """The request for that window, which the planner will answer; one that waits, or was just refused, stands.

    Stale or Refused at once where the revision, the shop or the hour does not allow the change at all; Throttled after
    10 different questions in an hour: each is a search.
    """
    delivery.refresh_from_db()
    require_revision(delivery, revision)
    require_change(delivery, actor)
    require_window(delivery, window, actor)
    now = clock.wall()
    with transaction.atomic():
        last = WindowRequest.objects.select_for_update().filter(delivery=delivery).first()
        if last is not None and _stands(last, window, revision, now):
            return last
        count_try("look-harder", str(delivery.pk), limit=TRIES, seconds=TRIES_SECONDS)
        request, _is_new = WindowRequest.objects.update_or_create(
            delivery=delivery,
            defaults={
                "window_earliest": window.earliest,
                "window_latest": window.latest,
                "revision": revision,
                "actor": actor,
                "state": WindowRequest.State.OPEN,
                "code": "",
                "number": 1 if last is None else last.number + 1,
                "asked_at": now,
                "expires_at": now + LASTS,
                "answered_at": None,
            },
        )
        react(HANDLER, payload={"request": request.pk}, lane="planner", dedupe_key=f"window-request:{request.pk}")
    return request


def answer_request(*, request_id: int) -> None:
    """Searches, and writes the change with the plan that holds it, or why there is none. Does nothing twice.

    PlannerUnavailable when nobody could look: ask again, as long as the request lasts.
    """
    request = (
        WindowRequest.objects.select_related("delivery__place", "delivery__merchant__policy")
        .filter(pk=request_id, state=WindowRequest.State.OPEN)
        .first()
    )
    if request is None:
        return
    if request.expires_at <= clock.wall():
        _close(request, WindowRequest.State.EXPIRED)
        return
    try:
        _grant(request)
    except Stale:
        _close(request, WindowRequest.State.STALE)
    except Refused as refused:
        _close(request, WindowRequest.State.REFUSED, refused.code)


def request_of(delivery: Delivery) -> WindowRequest | None:
    """The last request of a delivery; one that nobody answered in time reads as expired."""
    request = WindowRequest.objects.filter(delivery=delivery).first()
    if request is not None and request.state == WindowRequest.State.OPEN and request.expires_at <= clock.wall():
        request.state = WindowRequest.State.EXPIRED
    return request


def _grant(request: WindowRequest) -> None:
    delivery, window = request.delivery, request.window
    require_revision(delivery, request.revision)
    require_change(delivery, request.actor)
    require_window(delivery, window, request.actor)

    def write() -> Delivery:
        changed = deliveries.change_window(
            delivery=delivery, window=window, revision=request.revision, actor=request.actor
        )
        if not _close(request, WindowRequest.State.GRANTED):
            raise Stale("asked_anew", "Another window was asked for meanwhile.")
        return changed

    routing.change_by_search(delivery=delivery, place=delivery.place, window=window, write=write, actor=request.actor)


def _close(request: WindowRequest, state: WindowRequest.State, code: str = "") -> bool:
    """False when the delivery's request is another one by now, or answered."""
    same = WindowRequest.objects.filter(pk=request.pk, number=request.number, state=WindowRequest.State.OPEN)
    return bool(same.update(state=state, code=code, answered_at=clock.wall()))


def _stands(last: WindowRequest, window: TimeWindow, revision: int, now: datetime) -> bool:
    if (last.window, last.revision) != (window, revision):
        return False
    waits = last.state == WindowRequest.State.OPEN and last.expires_at > now
    just_refused = last.state == WindowRequest.State.REFUSED and (last.answered_at or now) > now - STANDS
    return waits or just_refused
