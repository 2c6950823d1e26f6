"""What worker processes run: claim what is due, run each handler by itself, write down how it went.

A handler runs outside a transaction and is marked done afterwards, so it may run twice but never not at all.
"""

import logging
import secrets
from datetime import timedelta
from time import monotonic

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.module_loading import import_string

from apps.core import clock
from apps.events.models import Reaction
from apps.events.nudge import nudge_after_commit
from apps.events.rules import LEASE_SECONDS, PermanentFailure, RetryLater, described, retry_delay

log = logging.getLogger(__name__)
State = Reaction.State
BATCH = 10


def dispatch() -> None:
    """The one task of the worker pool; it takes no argument, so that losing or repeating it means nothing."""
    if sweep(limit=100) and due(Reaction.Lane.FAST).exists():
        nudge_after_commit()


def sweep(lane: str = "fast", limit: int = 10, seconds: float = 2.0) -> int:
    """Runs what is due in a lane, at most `limit` reactions or `seconds` (wall); how many were run, well or not."""
    ends, ran = monotonic() + seconds, 0
    while ran < limit and monotonic() < ends:
        batch = min(limit - ran, BATCH)
        candidates = list(due(lane).order_by("due_at", "pk").values_list("pk", flat=True)[:batch])
        if not candidates:
            break
        for pk in candidates:
            reaction = claim(pk, lane)
            if reaction is None:
                continue
            run(reaction)
            ran += 1
            if monotonic() >= ends:
                break
    return ran


def due(lane: str) -> QuerySet[Reaction]:
    """What may be claimed now: waiting and due, or running under a lease that has ended (its process is gone)."""
    return Reaction.objects.filter(
        lane=lane,
        state__in=[State.WAITING, State.RUNNING],
        due_at__lte=clock.now(),
        next_try_at__lte=clock.wall(),
    )


def claim(pk: int, lane: str) -> Reaction | None:
    """Takes one reaction under a fresh lease; None when somebody else was faster or it has used up its attempts."""
    lease = secrets.token_hex(8)
    taken = (
        due(lane)
        .filter(pk=pk)
        .update(
            state=State.RUNNING,
            lease=lease,
            attempts=F("attempts") + 1,
            next_try_at=clock.wall() + timedelta(seconds=LEASE_SECONDS[lane]),
        )
    )
    if not taken:
        return None
    reaction = Reaction.objects.filter(pk=pk, lease=lease).first()
    if reaction is not None and reaction.attempts > reaction.max_attempts:
        # Its attempts were spent by processes that died while running it.
        _settle(reaction, State.PARKED, "LeaseLost · every attempt ended with its process")
        return None
    return reaction


def run(reaction: Reaction) -> None:
    """Runs one claimed reaction and settles it."""
    try:
        import_string(reaction.handler)(dict(reaction.payload))
    except PermanentFailure as error:
        _settle(reaction, State.PARKED, described(error))
    except RetryLater as error:
        _fail(reaction, error, timedelta(seconds=error.seconds))
    except Exception as error:  # noqa: BLE001  (a handler's failure, whatever it is, must not reach its siblings)
        _fail(reaction, error, retry_delay(reaction.attempts))
    else:
        _settle(reaction, State.DONE)


def _fail(reaction: Reaction, error: Exception, pause: timedelta) -> None:
    words = described(error)
    log.debug("%s failed", reaction, exc_info=error)
    if reaction.attempts >= reaction.max_attempts:
        _settle(reaction, State.PARKED, words)
        return
    try:
        with transaction.atomic():
            moved = _mine(reaction).update(
                state=State.WAITING, lease="", next_try_at=clock.wall() + pause, last_error=words
            )
    except IntegrityError:
        # One with the same key was asked for meanwhile; it waits for the same work.
        _settle(reaction, State.CANCELLED, words)
        return
    if moved:
        log.warning("%s will be tried again in %.0f s: %s", reaction, pause.total_seconds(), words)
    else:
        _tell_late(reaction)


def _settle(reaction: Reaction, state: str, words: str = "") -> None:
    moved = _mine(reaction).update(state=state, lease="", last_error=words, done_at=clock.wall())
    if not moved:
        _tell_late(reaction)
    elif state == State.PARKED:
        log.error("%s is parked after %d attempts: %s", reaction, reaction.attempts, words)


def _tell_late(reaction: Reaction) -> None:
    log.warning("%s ended after its lease; whoever holds it now decides.", reaction)


def _mine(reaction: Reaction) -> QuerySet[Reaction]:
    return Reaction.objects.filter(pk=reaction.pk, lease=reaction.lease, state=State.RUNNING)
