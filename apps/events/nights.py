"""Once a night whoever keeps rows for a time only forgets the old ones: one timer, one event, a handler per app."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched

from django.db import transaction
from django.db.models import QuerySet

from apps.core import clock
from apps.events import events
from apps.events.models import Reaction
from apps.events.services import emit, react

HOUR_UTC = 2
KEEP_REACTIONS = timedelta(days=7)
_TIMER = "events.night"
_BATCH = 1_000


def wind() -> None:
    """Asks for the coming night's round; harmless when it has been asked for."""
    react("apps.events.handlers.on_night", due_at=next_night(clock.now()), dedupe_key=_TIMER)


def begin() -> None:
    """Winds the timer anew and has everybody forget what is old."""
    with transaction.atomic():
        wind()
        emit(events.NIGHT_BEGUN)


def next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=HOUR_UTC, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)


def forget_reactions() -> int:
    """Deletes work that was done or called off a week ago (wall time); events, and what is parked, stay."""
    settled = Reaction.objects.filter(state__in=[Reaction.State.DONE, Reaction.State.CANCELLED])
    return sum(
        Reaction.objects.filter(pk__in=pks).delete()[0]
        for pks in _pks(settled.filter(done_at__lt=clock.wall() - KEEP_REACTIONS))
    )


def _pks(rows: QuerySet[Reaction]) -> Iterator[tuple[int, ...]]:
    """In small batches: SQLite's one writer must not be held for long."""
    yield from batched(list(rows.values_list("pk", flat=True)), _BATCH)
