"""The outbox: say what happened, ask for work later, call it off, run it again."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.core import clock
from apps.events import registry
from apps.events.models import Event, Reaction
from apps.events.nudge import nudge_after_commit
from apps.events.rules import PermanentFailure, RetryLater, UnknownKind, checked_payload
from apps.events.tasks import sweep

__all__ = ["PermanentFailure", "RetryLater", "UnknownKind", "cancel", "emit", "react", "rerun", "sweep"]

Handler = str | Callable[[dict[str, Any]], None]


def emit(
    kind: str,
    *,
    delivery_id: int | None = None,
    plan_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    actor: str = "system",
) -> Event:
    """Writes the event and one reaction per subscriber into the caller's transaction.

    RuntimeError outside a transaction: the fact and the change it tells of must stand or fall together.
    UnknownKind for a kind nobody declared; ValueError for a payload with anything but ids, codes and instants.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"emit({kind!r}) belongs inside the transaction of the change it announces.")
    if not registry.is_known(kind):
        raise UnknownKind(kind)
    details = checked_payload(payload)
    event = Event.objects.create(
        kind=kind, delivery_id=delivery_id, plan_id=plan_id, payload=details, actor=actor, at=clock.now()
    )
    told = {"event": event.pk, "kind": kind, "delivery": delivery_id, "plan": plan_id, **details}
    wall = clock.wall()
    reactions = [
        Reaction(
            event=event,
            handler=handler,
            lane=registry.lane_of(handler),
            payload=told,
            due_at=event.at,
            next_try_at=wall,
            created_at=wall,
        )
        for handler in registry.subscribers(kind)
    ]
    if reactions:
        Reaction.objects.bulk_create(reactions)
    if any(reaction.lane == Reaction.Lane.FAST for reaction in reactions):
        nudge_after_commit()
    return event


def react(
    handler: Handler,
    *,
    payload: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    delay_seconds: float = 0.0,
    dedupe_key: str | None = None,
    lane: str | None = None,
    delivery_id: int | None = None,
    plan_id: int | None = None,
) -> Reaction | None:
    """Asks for `handler` to be run at `due_at` (domain time, default now) but not within `delay_seconds` (wall).

    With a dedupe_key there is one waiting reaction per key: None means that one is waiting already and will see the
    caller's change. One that is running does not count, because it may have read the state before this change.
    """
    path = handler if isinstance(handler, str) else f"{handler.__module__}.{handler.__qualname__}"
    now, wall = clock.now(), clock.wall()
    reaction = Reaction(
        handler=path,
        lane=lane or registry.lane_of(path),
        payload={
            "event": None,
            "kind": None,
            "delivery": delivery_id,
            "plan": plan_id,
            **checked_payload(payload),
        },
        dedupe_key=dedupe_key,
        due_at=due_at or now,
        next_try_at=wall + timedelta(seconds=delay_seconds),
        created_at=wall,
    )
    with transaction.atomic():
        if not _insert_unless_waiting(reaction):
            return None
        if reaction.lane == Reaction.Lane.FAST and reaction.due_at <= now:
            nudge_after_commit(delay_seconds)
    return reaction


def cancel(dedupe_key: str) -> int:
    """Calls off the waiting reaction with this key; how many were (0 or 1). One that runs already is not stopped."""
    return Reaction.objects.filter(dedupe_key=dedupe_key, state=Reaction.State.WAITING).update(
        state=Reaction.State.CANCELLED, done_at=clock.wall()
    )


def rerun(reaction: Reaction) -> bool:
    """Gives a parked, done or cancelled reaction a fresh set of attempts, now.

    False when it is open already, or when another reaction with its key is waiting and will do its work.
    """
    wall = clock.wall()
    try:
        with transaction.atomic():
            moved = Reaction.objects.filter(
                pk=reaction.pk, state__in=[Reaction.State.PARKED, Reaction.State.DONE, Reaction.State.CANCELLED]
            ).update(
                state=Reaction.State.WAITING, attempts=0, lease="", due_at=clock.now(), next_try_at=wall, done_at=None
            )
            if moved and reaction.lane == Reaction.Lane.FAST:
                nudge_after_commit()
    except IntegrityError:
        return False
    return bool(moved)


def _insert_unless_waiting(reaction: Reaction) -> bool:
    if reaction.dedupe_key is None:
        reaction.save(force_insert=True)
        return True
    waiting = Reaction.objects.filter(dedupe_key=reaction.dedupe_key, state=Reaction.State.WAITING)
    while True:
        # The row lock keeps the waiting one from being claimed, and so from running, before this change is committed.
        if waiting.select_for_update().values_list("pk", flat=True).first() is not None:
            return False
        try:
            with transaction.atomic():
                reaction.save(force_insert=True)
        except IntegrityError:
            continue
        return True
