"""Writes a change of window or place that the plan has already agreed to.

Called inside the transaction that also changes the routes (row order: plan, route, delivery).
"""

from typing import Any

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError, NotFound, Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import events
from apps.deliveries.inputs import PlaceInput
from apps.deliveries.models import Delivery, Place, Promise
from apps.deliveries.services.doorstep_codes import renew_doorstep_code
from apps.deliveries.services.home_key import with_home_key
from apps.deliveries.services.keep_codes import drop_codes
from apps.deliveries.services.move_state import end_attempt, start_attempt
from apps.deliveries.services.open_promise import open_promise
from apps.deliveries.states import ENDED, OPEN, State
from apps.events.services import emit

# A failed delivery may be booked anew; one that waits at a point, goes back or has ended is past all changes.
CHANGEABLE = OPEN | {State.FAILED}


def change_window(*, delivery: Delivery, window: TimeWindow, revision: int, actor: str) -> Delivery:
    """The delivery with its new window; Stale when `revision` is no longer the current one."""
    before = delivery.window
    with transaction.atomic():
        write_conditionally(delivery, revision, **_window(window), **_count(actor))
        emit(
            events.WINDOW_CHANGED,
            delivery_id=delivery.pk,
            payload={"from": _instants(before), "to": _instants(window)},
            actor=actor,
        )
        _promise_anew(delivery.pk, window, actor)
    delivery.refresh_from_db()
    return delivery


def change_place(
    *,
    delivery: Delivery,
    place: PlaceInput | Place,
    window: TimeWindow,
    revision: int,
    actor: str,
    service_seconds: int | None = None,
) -> Delivery:
    """The delivery with its new place and window, and a new attempt; codes of the old place are gone.

    A Place that is handed in saved (the delivery's home) is used as it is. Stale when `revision` has moved on.
    """
    before, old = delivery.window, delivery.place
    with transaction.atomic():
        where = place if isinstance(place, Place) else with_home_key(place, delivery.recipient).as_row()
        if where.pk is None:
            where.save()
        values = {**_window(window), **_count(actor), "collect_until": None}
        if where.kind != Place.Kind.ADDRESS:  # nobody waits there
            values |= {"preferred_earliest": None, "preferred_latest": None}
        if service_seconds is not None:
            values["service_seconds"] = service_seconds
        write_conditionally(delivery, revision, place=where, **values)
        drop_codes(delivery_id=delivery.pk)
        renew_doorstep_code(delivery=delivery)
        end_attempt(delivery_id=delivery.pk, outcome="redirected")
        start_attempt(delivery_id=delivery.pk, place_id=where.pk)
        emit(
            events.PLACE_CHANGED,
            delivery_id=delivery.pk,
            payload={
                "from_kind": old.kind,
                "to_kind": where.kind,
                "point": where.merge_key.removeprefix("point:") or None if where.kind != Place.Kind.ADDRESS else None,
                "home": where.pk == delivery.home_id,
                "revision": revision + 1,
            },
            actor=actor,
        )
        if window != before:
            emit(
                events.WINDOW_CHANGED,
                delivery_id=delivery.pk,
                payload={"from": _instants(before), "to": _instants(window)},
                actor=actor,
            )
        _promise_anew(delivery.pk, window, actor)
    delivery.refresh_from_db()
    return delivery


def write_conditionally(delivery: Delivery, revision: int, **values: Any) -> None:
    """Writes if nobody else did since `revision` and the state still allows it; raises Stale or Refused otherwise."""
    written = Delivery.objects.filter(pk=delivery.pk, revision=revision, state__in=CHANGEABLE).update(
        revision=F("revision") + 1, page_version=F("page_version") + 1, **values
    )
    if not written:
        raise why_not(delivery.pk, revision)


def why_not(delivery_id: int, revision: int) -> DoorstepError:
    """The error that explains why a conditional write of this delivery found no row."""
    row = Delivery.objects.filter(pk=delivery_id).values_list("revision", "state").first()
    if row is None:
        return NotFound("delivery_not_found", _("There is no such delivery."))
    if row[0] != revision:
        return Stale("changed_meanwhile", _("Someone changed this a moment ago."))
    if row[1] in ENDED:
        return Refused("ended", _("This delivery has ended. It can no longer be changed."))
    return Refused("too_late", _("It is too late to change this delivery."))


def _promise_anew(delivery_id: int, window: TimeWindow, actor: str) -> None:
    """The old promise is void the moment the customer chose anew; until the next is told, the window is the promise."""
    if Promise.objects.filter(delivery=delivery_id, closed_at=None).exists():
        open_promise(delivery_id=delivery_id, window=window, actor=actor)


def _window(window: TimeWindow) -> dict[str, Any]:
    return {"window_earliest": window.earliest, "window_latest": window.latest, **still_preferred(window)}


def still_preferred(window: TimeWindow) -> dict[str, Case]:
    """Columns to write with a new window: what somebody would like best stays while the window holds it."""
    held = {"preferred_earliest__gte": window.earliest, "preferred_latest__lte": window.latest}
    nothing = Value(None, output_field=DateTimeField())
    both = "preferred_earliest", "preferred_latest"
    return {name: Case(When(**held, then=F(name)), default=nothing) for name in both}


def _count(actor: str) -> dict[str, Any]:
    """Only the shopper's own changes count against Policy.change_limit."""
    return {"change_count": F("change_count") + 1} if actor == "shopper" else {}


def _instants(window: TimeWindow) -> list[str]:
    return [window.earliest.isoformat(), window.latest.isoformat()]
