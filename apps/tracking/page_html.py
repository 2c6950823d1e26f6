"""Rendered pages, kept in this process while they are true: a page opened again costs one row and no template.

A page is kept for one link, version and language. Whether the link still opens it, and whether the version is still
the newest, is asked of the database every time; only the words are remembered, and only for a minute, because "today"
and "open until 18:00" grow old without a version. Verified pages are never kept.
"""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils.translation import get_language

from apps.core import clock
from apps.deliveries.access import may_open
from apps.deliveries.models import Link
from apps.deliveries.states import State
from apps.tracking.brand import look_of
from apps.tracking.page_row import TOKEN_LENGTH, digest_of, is_alive, is_counted
from apps.tracking.state import view_only

KEPT_FOR = timedelta(seconds=60)
MOST_BYTES = 48_000_000
_SQL = """
    SELECT s.version, l.id, l.last_opened_at, l.expires_at, d.state
    FROM deliveries_link l
    JOIN deliveries_delivery d ON d.id = l.delivery_id
    JOIN tracking_pagesnapshot s ON s.delivery_id = d.id AND s.tier = 'link'
    WHERE l.token_sha256 = %s AND l.revoked_at IS NULL AND s.version >= d.page_version
"""

_SQL_CONTENT = """
    SELECT s.version, s.document, l.kind, m.slug, m.name, b.accent, b.logo_svg
    FROM deliveries_link l
    JOIN deliveries_delivery d ON d.id = l.delivery_id
    JOIN tracking_pagesnapshot s ON s.delivery_id = d.id AND s.tier = 'link'
    JOIN merchants_merchant m ON m.id = d.merchant_id
    LEFT JOIN merchants_branding b ON b.merchant_id = m.id
    WHERE l.id = %s
"""

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A living link of nobody verified; `html` is None where this process has not rendered its newest version yet."""

    html: bytes | None
    link_id: int
    last_opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a page of the link tier is made of, read in one go and without a model."""

    version: int
    document: dict[str, Any]
    brand: dict[str, Any]


class _Shelf:
    """At most MOST_BYTES of pages; the one that was not looked at for longest goes first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, tuple[bytes, datetime]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key, now: datetime) -> bytes | None:
        with self._lock:
            found = self._pages.get(key)
            # A clock that was set back must not keep a page for longer.
            if found is None or not found[1] - KEPT_FOR <= now < found[1]:
                return None
            self._pages.move_to_end(key)
            return found[0]

    def put(self, key: Key, html: bytes, now: datetime) -> None:
        with self._lock:
            old = self._pages.pop(key, None)
            self._bytes += len(html) - (len(old[0]) if old else 0)
            self._pages[key] = (html, now + KEPT_FOR)
            while self._bytes > MOST_BYTES:
                _key, (dropped, _until) = self._pages.popitem(last=False)
                self._bytes -= len(dropped)

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._bytes = 0


shelf = _Shelf()


def kept_page(token: str) -> KeptPage | None:
    """The page of a living link, as it was rendered for this version if it was; None leaves everything to the gate."""
    if len(token) != TOKEN_LENGTH:
        return None
    digest = digest_of(token)
    row = _read(_SQL, digest) if may_open(digest) else None
    if row is None or not is_alive(row[3]):
        return None
    version, link_id, opened, _expires, state = row
    html = shelf.get((digest, version, get_language() or ""), clock.now())
    # What has to ask the plan as well is opened, and counted, at the gate.
    if (html is None and state == State.FAILED) or not is_counted(digest):
        return None
    return KeptPage(html, link_id, _instant(opened))


def content_of(link_id: int) -> Content | None:
    """What to render for a link that has just been found alive; None when it has gone meanwhile."""
    row = _read(_SQL_CONTENT, link_id)
    if row is None:
        return None
    version, document, kind, slug, name, accent, logo = row
    page = json.loads(document)
    brand = look_of(slug, name, accent, logo)
    return Content(version, view_only(page) if kind == Link.Kind.VIEW else page, brand)


def keep_page(request: HttpRequest, token: str, version: int, html: bytes) -> None:
    """Remembers a page of the link tier, unless something in it belongs to this one visitor."""
    if not request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
        shelf.put((digest_of(token), version, get_language() or ""), html, clock.now())


def _read(sql: str, value: str | int) -> tuple[Any, ...] | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, [value])
            row: tuple[Any, ...] | None = cursor.fetchone()
    except DatabaseError:
        connection.close()
        return None
    return row


def _instant(stored: str | datetime | None) -> datetime | None:
    """SQLite tells instants as text without a zone."""
    if stored is None:
        return None
    instant = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
