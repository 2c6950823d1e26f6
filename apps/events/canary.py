"""One tick a second through the worker pool: the tick is work, and its disappearance proves that the pool lives."""

import logging
from datetime import timedelta
from time import monotonic

from django.db import DatabaseError, InterfaceError, connection
from django_q.models import OrmQ

from apps.core import clock
from apps.events.models import Reaction
from apps.events.nudge import enqueue

log = logging.getLogger(__name__)
# Importing the product takes a while on a busy machine.
STARTUP_SECONDS = 15.0
# A pool that is behind but works must not be killed for it: that only puts it further behind.
BUSY_FACTOR = 4


class Canary:
    """A django-q2 row vanishes only after pusher, worker and monitor have each done their part."""

    def __init__(self, cluster: str, deadline_seconds: float) -> None:
        self.cluster = cluster
        self.deadline_seconds = deadline_seconds
        self.restart()

    def restart(self) -> None:
        """A new pool has been started: it gets its start-up time."""
        self._tick: int | None = None
        self._asked = monotonic()
        self._allowed = max(STARTUP_SECONDS, self.deadline_seconds)

    def is_answering(self) -> bool:
        """False when a tick has been waiting past the deadline. A database that is away is nobody's fault."""
        try:
            if self._tick is None:
                self._ask()
            elif not OrmQ.objects.filter(pk=self._tick).exists():
                self._allowed = self.deadline_seconds
                self._ask()
        except (DatabaseError, InterfaceError) as error:
            log.warning("The database does not answer the supervisor: %s", type(error).__name__)
            connection.close()
            self._asked = monotonic()
        silent = monotonic() - self._asked
        return silent <= self._allowed or (silent <= self._allowed * BUSY_FACTOR and self._is_busy())

    def _is_busy(self) -> bool:
        """Whether the pool has finished work while the tick was waiting."""
        since = clock.wall() - timedelta(seconds=self._allowed)
        return Reaction.objects.filter(lane=Reaction.Lane.FAST, done_at__gt=since, state=Reaction.State.DONE).exists()

    def forget_nudges(self) -> None:
        """Rows that a killed pool had taken would stay locked for minutes; the outbox does not need them."""
        try:
            OrmQ.objects.filter(key=self.cluster).delete()
        except (DatabaseError, InterfaceError):
            connection.close()

    def _ask(self) -> None:
        self._tick = enqueue(self.cluster)
        self._asked = monotonic()
