"""GET /t/<token>/state without Django in between: one row, one answer, a tenth of the cost.

It answers only where the answer is plain: a living full link, nobody verified, a row as new as its delivery. Everything
else (and every refusal) is left to the view behind it, so there is one gate and one wording.
"""

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core import clock
from apps.core.errors import Throttled
from apps.core.hosts import is_our_host
from apps.deliveries.access import VERIFIED_COOKIE, count_open, may_open

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Row = tuple[int, str, str | datetime | None]

TOKEN_LENGTH = 32
_PATH = re.compile(rf"/t/([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})/state")
# Placeholders are %s; SQLite's are ?.
_SQL = """
    SELECT s.version, s.document, l.expires_at
    FROM deliveries_link l
    JOIN deliveries_delivery d ON d.id = l.delivery_id
    JOIN tracking_pagesnapshot s ON s.delivery_id = d.id AND s.tier = 'link'
    WHERE l.token_sha256 = %s AND l.kind = 'full' AND l.revoked_at IS NULL AND s.version >= d.page_version
"""
_SQL_UNLESS_KNOWN = _SQL.replace("s.document", "CASE WHEN s.version = %s THEN '' ELSE s.document END")
_KNOWN = re.compile(r"(?:^|&)v=(\d{1,9})(?:&|$)", re.ASCII)
_KNOWN_TAG = re.compile(r'"(\d{1,9})-link"', re.ASCII)
_HEADERS = (
    (b"cache-control", b"private, no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow, noarchive"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"vary", b"Cookie"),
)


async def answer(scope: Scope, send: Send) -> bool:
    """True when the request has been answered; False leaves it to Django, untouched."""
    match = _PATH.fullmatch(scope["path"])
    if match is None or scope["method"] not in ("GET", "HEAD") or not _is_plain(scope):
        return False
    digest = digest_of(match[1])
    row = await read_row(_SQL, digest) if may_open(digest) else None
    if row is None or not is_alive(row[2]) or not is_counted(digest):
        return False
    version, text, _expires = row
    etag = f'"{version}-link"'.encode()
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
    known = asked == str(version) or etag in dict(scope["headers"]).get(b"if-none-match", b"")
    body = b"" if known else text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": 304 if known else 200,
            "headers": [
                *_HEADERS,
                (b"etag", etag),
                *(() if known else ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))),
            ],
        }
    )
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
    return True


def plain_page(token: str, known: int) -> tuple[int, str] | None:
    """(version, text) for the view, under the same conditions and as cheaply; None leaves it to the gate.

    The text of the version that is `known` is not read.
    """
    digest = digest_of(token)
    row = _ask_django(_SQL_UNLESS_KNOWN, [known, digest]) if len(token) == TOKEN_LENGTH and may_open(digest) else None
    return row[:2] if row is not None and is_alive(row[2]) and is_counted(digest) else None


def is_counted(digest: str) -> bool:
    """Counts an opening that is answered here; False leaves it to the gate, which refuses."""
    try:
        count_open(digest)
    except Throttled:
        return False
    return True


def version_known(query: str, if_none_match: str) -> int:
    """The version that the script (?v=) or a cache (If-None-Match) has already; -1 for none."""
    found = _KNOWN.search(query) or _KNOWN_TAG.search(if_none_match)
    return int(found[1]) if found else -1


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _is_plain(scope: Scope) -> bool:
    """An allowed host, the expected scheme, and no cookie that would show more."""
    headers = dict(scope["headers"])
    if VERIFIED_COOKIE.encode() in headers.get(b"cookie", b""):
        return False
    if getattr(settings, "SECURE_SSL_REDIRECT", False) and scope.get("scheme") != "https":
        return False
    return is_our_host(headers.get(b"host", b"").decode("latin-1"))


def is_alive(expires_at: str | datetime | None) -> bool:
    if expires_at is None:
        return True
    instant = datetime.fromisoformat(expires_at) if isinstance(expires_at, str) else expires_at
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) > clock.now()


async def read_row(sql: str, digest: str) -> Any:
    """The one row; None as well when the database cannot be asked.

    SQLite answers in microseconds and never waits for writers (WAL); PostgreSQL is asked from a thread.
    """
    if connection.vendor == "sqlite":
        return _read_sqlite(sql, digest)
    return await asyncio.get_running_loop().run_in_executor(_threads(), _ask_django, sql, [digest])


def _read_sqlite(sql: str, digest: str) -> Any:
    try:
        row = _sqlite().execute(sql.replace("%s", "?"), (digest,)).fetchone()
    except sqlite3.Error:
        _sqlite.cache_clear()
        return None
    return row


@cache
def _sqlite() -> sqlite3.Connection:
    # Read only, autocommit, on the loop's own thread.
    path = connection.settings_dict["NAME"]
    made = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=0.2, check_same_thread=False)
    made.execute("PRAGMA mmap_size=134217728")
    return made


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="page-row")


def _ask_django(sql: str, values: Sequence[str | int]) -> Row | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            row: Row | None = cursor.fetchone()
    except (DatabaseError, InterfaceError):
        connection.close()
        return None
    return row
