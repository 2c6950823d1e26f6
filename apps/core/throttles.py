"""Counters that say "enough for now": fixed windows on the wall clock, kept in the shared cache.

LocalTries is the exception: it counts in this process, for doors so busy that asking the cache would cost more than
they do.
"""

import threading
from collections import Counter

from django.core.cache import cache
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import Throttled


def count_try(scope: str, who: str, *, limit: int, seconds: int) -> None:
    """Counts one try of `who` in `scope`; raises Throttled from the one after `limit` until the window ends."""
    if _add(scope, who, seconds) > limit:
        raise _throttled(seconds)


def check_tries(scope: str, who: str, *, limit: int, seconds: int) -> None:
    """Raises Throttled when `limit` tries have been counted already; counts nothing."""
    if cache.get(_key(scope, who, seconds), 0) >= limit:
        raise _throttled(seconds)


class LocalTries:
    """Tries of one kind in this process, by who tries; k processes together let k times as many through."""

    def __init__(self, seconds: int) -> None:
        self._seconds, self._window = seconds, 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def are_left(self, who: str, limit: int) -> bool:
        """Whether another try would still be within `limit`; counts nothing."""
        with self._lock:
            self._turn()
            return self._counts.get(who, 0) < limit

    def count(self, who: str, limit: int) -> None:
        """Counts one try; raises Throttled from the one after `limit` until the window ends."""
        with self._lock:
            self._turn()
            self._counts[who] += 1
            is_over = self._counts[who] > limit
        if is_over:
            raise _throttled(self._seconds)

    def _turn(self) -> None:
        window = int(clock.wall().timestamp()) // self._seconds
        if window != self._window:
            self._window = window
            self._counts.clear()


def _add(scope: str, who: str, seconds: int) -> int:
    key = _key(scope, who, seconds)
    cache.add(key, 0, timeout=seconds)
    try:
        return int(cache.incr(key))
    except ValueError:
        # The window ended between the two calls.
        return 1


def _key(scope: str, who: str, seconds: int) -> str:
    window = int(clock.wall().timestamp()) // seconds
    # Whoever it is (an address, a token) is nobody's business in a shared cache.
    return f"throttle:{scope}:{sha256_hex(who)[:32]}:{window}"


def _throttled(seconds: int) -> Throttled:
    left = seconds - int(clock.wall().timestamp()) % seconds
    return Throttled("too_many_tries", _("That was too often. Please wait a little."), retry_after_seconds=left)
