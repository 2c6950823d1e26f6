"""Whom an open page belongs to, for thousands at once: one row where the answer is plain, else the gate itself."""

import asyncio
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from time import monotonic
from typing import NamedTuple

from django.db import close_old_connections, connection

from apps.core import clock
from apps.core.errors import DoorstepError
from apps.core.instants import stored_instant
from apps.deliveries import access as gate

TOKEN_LENGTH = 32
_ROW = """
    SELECT id, generation, delivery_id, expires_at FROM deliveries_link
    WHERE token_sha256 = %s AND kind = 'full' AND revoked_at IS NULL
"""


class Entry(NamedTuple):
    """`link` is (id, generation): a rotated link is another one. `access` is kept for whoever must be asked again."""

    topic: int
    link: tuple[int, int]
    tier: gate.Tier = "link"
    view_only: bool = False
    access: gate.Access | None = None


async def entry_of(token: str, *, address: str, cookie: str) -> Entry | None:
    """None for a link that opens nothing, and for one that has been opened too often."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), _entry, token, address, cookie)


def _entry(token: str, address: str, cookie: str) -> Entry | None:
    close_old_connections()
    if not cookie and (plain := _plain(token)):
        return plain
    try:
        access = gate.tier_from(gate.open_link(token, address=address), cookie)
    except DoorstepError:
        return None
    link = (access.link.pk, access.link.generation)
    return Entry(access.delivery.pk, link, access.tier, access.view_only, access if access.is_verified else None)


def _plain(token: str) -> Entry | None:
    """A living full link in nobody's second tier; everything else is the gate's, misses above all."""
    if len(token) != TOKEN_LENGTH:
        return None
    digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    if not _throttle.allows(digest):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_ROW, [digest])
        row: tuple[int, int, int, str | datetime | None] | None = cursor.fetchone()
    if row is None or (row[3] is not None and stored_instant(row[3]) <= clock.now()):
        return None
    return Entry(row[2], (row[0], row[1]))


class _Throttle:
    """Opens per link in this process; whoever is over the limit meets the gate's own count."""

    def __init__(self) -> None:
        self._opens: Counter[str] = Counter()
        self._until = 0.0

    def allows(self, digest: str) -> bool:
        now = monotonic()
        if now >= self._until:
            self._opens.clear()
            self._until = now + gate.WINDOW_SECONDS
        self._opens[digest] += 1
        return self._opens[digest] <= gate.OPENS_PER_TOKEN


_throttle = _Throttle()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="entry")
