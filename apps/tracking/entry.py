"""Whom an open page belongs to, for thousands at once: one row where the answer is plain, else the gate itself.

SQLite is asked on the loop itself, as for the polled row: after a restart a thread's hand-over would cost each of
thousands more than the answer.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

from django.db import close_old_connections

from apps.core.errors import DoorstepError
from apps.deliveries import access as gate
from apps.deliveries.access import may_open
from apps.tracking.page_row import TOKEN_LENGTH, digest_of, is_alive, is_counted, read_row

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
    if not cookie and len(token) == TOKEN_LENGTH:
        digest = digest_of(token)
        plain = _plain(await read_row(_ROW, digest)) if may_open(digest) else None
        if plain is not None and is_counted(digest):
            return plain
    return await asyncio.get_running_loop().run_in_executor(_threads(), _through_the_gate, token, address, cookie)


def _through_the_gate(token: str, address: str, cookie: str) -> Entry | None:
    close_old_connections()
    try:
        access = gate.tier_from(gate.open_link(token, address=address), cookie)
    except DoorstepError:
        return None
    link = (access.link.pk, access.link.generation)
    return Entry(access.delivery.pk, link, access.tier, access.view_only, access if access.is_verified else None)


def _plain(row: tuple[Any, ...] | None) -> Entry | None:
    """A living full link in nobody's second tier; everything else is the gate's, misses above all."""
    if row is None or not is_alive(row[3]):
        return None
    link, generation, delivery, _expires = row
    return Entry(delivery, (link, generation))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="entry")
