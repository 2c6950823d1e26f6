"""Wakes other processes' live tails when something was committed: sooner than their poll, which stays the truth.

PostgreSQL carries it by NOTIFY, or Redis where there is no PostgreSQL. A wake-up names a feed and the process that
wrote, never what was written. Losing one costs the wait for the next poll, nothing else.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from typing import Literal, Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

log = logging.getLogger(__name__)

Feed = Literal["pages", "vans"]
FEEDS: tuple[Feed, ...] = ("pages", "vans")
# A writer that commits all the time wakes its readers at most so often.
GAP_SECONDS = 0.02
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
# An ear that is no longer needed is deaf after this long.
_SLICE_SECONDS = 0.5
_PREFIX = "doorstep_"
_OWN = secrets.token_hex(4)
# A server that vanished without a word is noticed within half a minute, not after the system's two hours.
_KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}


class Line(Protocol):
    """What wake-ups come through. Raises a database's errors or OSError when it is broken."""

    def heard(self, seconds: float) -> Iterable[tuple[str, str]]:
        """(channel, process) of what came, waiting at most so long for the first."""

    def close(self) -> None: ...


def wake(feed: Feed) -> None:
    """Called within the transaction that writes; goes out when it commits, never when it is rolled back."""
    if not settings.WAKEUPS:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [_PREFIX + feed, _process()])
    elif settings.REDIS_URL:
        from apps.core.redis_line import publish

        transaction.on_commit(partial(publish, _PREFIX + feed, _process()), robust=True)


class Ear:
    """Listens in a thread of its own, and calls `ring` from there when there is something to `take()`.

    Whatever goes wrong is silence to its owner; it tries again by itself, and then rings for what it may have missed.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._feeds: set[Feed] = set()
        self.is_listening = False

    def listen(self) -> None:
        if settings.WAKEUPS and (connection.vendor == "postgresql" or settings.REDIS_URL):
            threading.Thread(target=self._run, name="wake-ups", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def take(self) -> set[Feed]:
        """The feeds that others wrote to since the last time."""
        with self._lock:
            taken, self._feeds = self._feeds, set()
        return taken

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            try:
                with closing(_line()) as line:
                    self._tell(FEEDS)
                    self.is_listening, pause = True, FIRST_PAUSE
                    self._follow(line)
            except (DatabaseError, InterfaceError, OSError) as error:
                log.info("No wake-ups for now, pages are polled: %s", type(error).__name__)
                self.is_listening = False
                self._ended.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
        self.is_listening = False

    def _follow(self, line: Line) -> None:
        while not self._ended.is_set():
            # What this process moved itself it knows without being told; pages it reads like any other's.
            heard = {
                channel.removeprefix(_PREFIX)
                for channel, process in line.heard(_SLICE_SECONDS)
                if channel != f"{_PREFIX}vans" or process != _process()
            }
            if feeds := [feed for feed in FEEDS if feed in heard]:
                self._tell(feeds)
                self._ended.wait(GAP_SECONDS)

    def _tell(self, feeds: Iterable[Feed]) -> None:
        with self._lock:
            self._feeds.update(feeds)
        self._ring()


class _PostgresLine:
    """A connection of its own: one that also asks questions would have to be asked before it tells."""

    def __init__(self) -> None:
        self._wrapper = connection.copy("wakeups")
        options = self._wrapper.settings_dict.get("OPTIONS", {})
        self._wrapper.settings_dict["OPTIONS"] = {**_KEEPALIVES, "connect_timeout": 5, **options}
        try:
            with self._wrapper.cursor() as cursor:
                for feed in FEEDS:
                    cursor.execute(f"LISTEN {_PREFIX}{feed}")
        except (DatabaseError, InterfaceError):
            self._wrapper.close()
            raise

    def heard(self, seconds: float) -> list[tuple[str, str]]:
        with self._wrapper.wrap_database_errors:
            waiting = self._wrapper.connection.notifies(timeout=seconds, stop_after=1)
            return [(one.channel, one.payload) for one in waiting]

    def close(self) -> None:
        self._wrapper.close()


def _line() -> Line:
    if connection.vendor == "postgresql":
        return _PostgresLine()
    from apps.core.redis_line import RedisLine

    return RedisLine([_PREFIX + feed for feed in FEEDS])


def _process() -> str:
    """Forked workers share what was drawn before the fork."""
    return f"{_OWN}-{os.getpid()}"
