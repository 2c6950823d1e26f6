"""Moves deliveries along the transition table, one or many at a time, and keeps their attempts in step."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from apps.core import clock
from apps.deliveries import events
from apps.deliveries.models import AccessCode, Attempt, CollectionCode, Delivery
from apps.deliveries.services.links import expire_links
from apps.deliveries.states import ENDED, State, sources_of
from apps.events.services import emit

# Where a try to hand over has come to its end, well or not.
_ENDS_ATTEMPT = frozenset({State.DELIVERED, State.FAILED, State.AT_POINT, State.RETURNING, State.CANCELLED})


def move_state(*, delivery_id: int, to: State, actor: str, reason: str = "", at: datetime | None = None) -> bool:
    """True when the delivery was moved; False when the table does not allow it from where it stands (also: again)."""
    return bool(move_states(delivery_ids=[delivery_id], to=to, actor=actor, reason=reason, at=at))


def move_states(
    *, delivery_ids: Iterable[int], to: State, actor: str, reason: str = "", at: datetime | None = None
) -> list[int]:
    """The ids that were moved, ascending; those the table does not allow are left as they are."""
    at = at or clock.now()
    with transaction.atomic():
        rows: list[tuple[int, str, int]] = list(
            Delivery.objects.select_for_update()
            .filter(pk__in=list(delivery_ids), state__in=sources_of(to))
            .order_by("pk")
            .values_list("pk", "state", "place_id")
        )
        ids = [row[0] for row in rows]
        if not ids:
            return []
        Delivery.objects.filter(pk__in=ids).update(
            state=to, page_version=F("page_version") + 1, **({"ended_at": at} if to in ENDED else {})
        )
        _keep_attempts(rows, to, reason, at)
        if to in ENDED:
            AccessCode.objects.filter(delivery__in=ids).delete()
            CollectionCode.objects.filter(delivery__in=ids, used_at=None).delete()
            expire_links(delivery_ids=ids)
        for delivery_id, before, _place in rows:
            _announce(delivery_id, before, to, reason, actor)
    return ids


def _announce(delivery_id: int, before: str, to: State, reason: str, actor: str) -> None:
    payload: dict[str, Any] = {"from": before, "to": to.value, "reason": reason}
    emit(events.STATE_CHANGED, delivery_id=delivery_id, payload=payload, actor=actor)
    if to == State.CANCELLED:
        emit(events.CANCELLED, delivery_id=delivery_id, payload={"reason": reason}, actor=actor)


def _keep_attempts(rows: Sequence[tuple[int, str, int]], to: State, reason: str, at: datetime) -> None:
    if to in _ENDS_ATTEMPT:
        Attempt.objects.filter(delivery__in=[row[0] for row in rows], ended_at=None).update(
            ended_at=at, outcome=to.value, reason_code=reason[:40]
        )
        return
    for delivery_id, before, place_id in rows:
        if before in (State.FAILED, State.RETURNING):
            start_attempt(delivery_id=delivery_id, place_id=place_id, at=at)


def start_attempt(*, delivery_id: int, place_id: int, at: datetime | None = None) -> Attempt:
    """The open attempt, which is a new one unless one is open already."""
    with transaction.atomic():
        tries = Attempt.objects.filter(delivery_id=delivery_id)
        open_one = tries.filter(ended_at=None).first()
        if open_one:
            return open_one
        number = (tries.aggregate(last=Max("number"))["last"] or 0) + 1
        return Attempt.objects.create(
            delivery_id=delivery_id, number=number, place_id=place_id, started_at=at or clock.now()
        )


def end_attempt(*, delivery_id: int, outcome: str, reason_code: str = "", at: datetime | None = None) -> bool:
    """True when there was an open attempt to end."""
    return bool(
        Attempt.objects.filter(delivery_id=delivery_id, ended_at=None).update(
            ended_at=at or clock.now(), outcome=outcome, reason_code=reason_code
        )
    )
