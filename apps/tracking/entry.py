"""Whom an open page belongs to, for thousands at once: one row where the answer is plain, else the gate itself."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import close_old_connections, connection

from apps.core.errors import DoorstepError
from apps.deliveries import access as gate
from apps.tracking.page_row import TOKEN_LENGTH, digest_of, is_alive, throttle

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
    digest = digest_of(token)
    if not throttle.allows(digest):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_ROW, [digest])
        row: tuple[int, int, int, str | datetime | None] | None = cursor.fetchone()
    if row is None or not is_alive(row[3]):
        return None
    return Entry(row[2], (row[0], row[1]))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="entry")
