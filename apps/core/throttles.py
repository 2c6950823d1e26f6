"""Counters that say "enough for now": fixed windows on the wall clock, kept in the shared cache."""

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
