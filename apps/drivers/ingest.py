"""Positions taken in without Django in between: read, throttled, answered, and left to the inbox to be written.

It answers only where the answer is plain. Every refusal (unknown phone, no shift, no CSRF token) is left to the view
behind it, so there is one gate and one wording; only trackers' refusals, which have no words, are given here.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from apps.core.errors import DoorstepError
from apps.core.hosts import is_our_host
from apps.core.proxies import caller_address
from apps.drivers import tracker_views as trackers
from apps.drivers.auth import DRIVER, HEADERS, csrf_failure, problem_of
from apps.drivers.inputs import MOST_JSON_BYTES, fields_from, fixes_of
from apps.drivers.positions import Inbox
from apps.drivers.senders import Sender, sender_of_phone

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

RATE, BURST = 2.0, 10.0
"""Bodies of one sender that are read at once: so many a second, and so many in a row. Of more the newest is kept."""
KNOWN_SECONDS = 30.0
_SEALED = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
_SEALED += ((b"x-content-type-options", b"nosniff"),)


class Known:
    """Who has been looked up lately. Revocation is asked about again at every write (positions.record)."""

    def __init__(self) -> None:
        self._senders: dict[str, tuple[float, Sender]] = {}
        self._tokens: dict[Sender, tuple[float, float]] = {}

    async def find(self, key: str, look_up: Callable[[], Sender | None]) -> Sender | None:
        """What `look_up` says in a thread, remembered for a while; its errors are passed on."""
        until, sender = self._senders.get(key, (0.0, None))
        if sender is not None and until > monotonic():
            return sender
        found = await asyncio.get_running_loop().run_in_executor(_threads(), _in_thread, look_up)
        if found is not None:
            if len(self._senders) > 50_000:
                self._senders.clear()
            self._senders[key] = (monotonic() + KNOWN_SECONDS, found)
        return found

    def may_be_read(self, sender: Sender) -> bool:
        """Takes a token out of the sender's bucket; False when it is empty."""
        now = monotonic()
        tokens, since = self._tokens.get(sender, (BURST, now))
        tokens = min(BURST, tokens + (now - since) * RATE)
        if len(self._tokens) > 50_000:
            self._tokens.clear()
        self._tokens[sender] = (max(0.0, tokens - 1), now)
        return tokens >= 1

    def forget(self, senders: set[Sender]) -> None:
        if senders:
            self._senders = {key: row for key, row in self._senders.items() if row[1] not in senders}


known = Known()
inbox = Inbox(on_unknown=known.forget)


async def answer(scope: Scope, receive: Receive, send: Send) -> bool:
    """True when the request has been answered; False leaves it to Django, untouched."""
    door = _DOORS.get(scope["path"].rstrip("/"))
    if door is None:
        return False
    headers = dict(scope["headers"])
    if not is_our_host(headers.get(b"host", b"").decode("latin-1")):
        return False
    if getattr(settings, "SECURE_SSL_REDIRECT", False) and scope.get("scheme") != "https":
        return False
    try:
        return await door(scope, headers, receive, send)
    except DatabaseError:
        # Before the body was read; the view will say that the service is busy.
        return False


async def _phone(scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> bool:
    """POST /driver/api/positions"""
    if scope["method"] != "POST" or _content_type(headers) != "application/json":
        return False
    token = _token_of(scope, headers)
    if not token:
        return False
    try:
        sender = await known.find(token, lambda: sender_of_phone(token))
    except DoorstepError:
        return False
    if sender is None:
        return False
    body = await read_body(receive, MOST_JSON_BYTES)
    try:
        if body is not None and not known.may_be_read(sender):
            inbox.put_unread(sender, body)
        else:
            inbox.put(sender, fixes_of(fields_from(body)))
    except DoorstepError as error:
        refusal = problem_of(error)
        await _send(send, refusal.status_code, refusal.content, refusal["Content-Type"].encode())
    else:
        await _send(send, 204)
    return True


async def _osmand(scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> bool:
    """GET or POST /ingest/osmand"""
    if scope["method"] not in ("GET", "POST"):
        return False
    body = await read_body(receive, trackers.MOST_BYTES) if scope["method"] == "POST" else b""
    query = scope["query_string"].decode("latin-1")
    report = trackers.osmand_report(query, _content_type(headers), body) if body is not None else None
    status = await _take(report, _address(scope, headers))
    await _send(send, status)
    return True


async def _traccar(scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> bool:
    """POST /ingest/traccar"""
    if scope["method"] != "POST":
        return False
    if not trackers.is_our_traccar(headers.get(b"authorization", b"").decode("latin-1")):
        await _send(send, trackers.NOT_OUR_TRACCAR)
        return True
    body = await read_body(receive, trackers.MOST_BYTES)
    await _take(trackers.forwarded_report(body or b""), "")
    await _send(send, trackers.TAKEN)
    return True


async def _take(report: trackers.Report | None, address: str) -> int:
    if report is None:
        return trackers.NOT_TAKEN
    try:
        sender = await known.find(
            f"{report.kind}:{report.identity}", lambda: trackers.sender_of(report, address=address)
        )
    except DoorstepError:
        # Off shift: taken from the phone's hands and thrown away, else it would send the evening's way tomorrow.
        return trackers.TAKEN
    except DatabaseError:
        return trackers.BUSY
    if sender is None:
        return trackers.NOT_TAKEN
    if report.fixes:
        # Read already, so a backlog that comes one request per fix is kept whole, up to the inbox's bound.
        inbox.put(sender, report.fixes)
    return trackers.TAKEN


_DOORS: dict[str, Callable[[Scope, dict[bytes, bytes], Receive, Send], Awaitable[bool]]] = {
    "/driver/api/positions": _phone,
    "/ingest/osmand": _osmand,
    "/ingest/traccar": _traccar,
}


def _in_thread(look_up: Callable[[], Sender | None]) -> Sender | None:
    close_old_connections()
    return look_up()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="senders")


def _token_of(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The device token of the header, or of the cookie when the CSRF check holds as it does in the view."""
    scheme, _space, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "device":
        return token.strip()
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    token = cookies.get(DRIVER.cookie, "")
    return token if token and not csrf_failure(_request(scope, headers, cookies)) else ""


def _request(scope: Scope, headers: dict[bytes, bytes], cookies: dict[str, str]) -> HttpRequest:
    """As much of a request as the CSRF check looks at."""
    request = HttpRequest()
    request.method, request.path = scope["method"], scope["path"]
    request.COOKIES = cookies
    named = {f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value for name, value in headers.items()}
    request.META = {name: value.decode("latin-1") for name, value in named.items()}
    if scope.get("scheme") == "https" and settings.SECURE_PROXY_SSL_HEADER:
        request.META[settings.SECURE_PROXY_SSL_HEADER[0]] = settings.SECURE_PROXY_SSL_HEADER[1]
    return request


async def read_body(receive: Receive, most: int) -> bytes | None:
    """The request's body; None when it is larger than `most` bytes. What comes after that is not kept."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= most:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= most else None


async def _send(send: Send, status: int, body: bytes = b"", kind: bytes = b"text/plain") -> None:
    length = () if status == 204 else ((b"content-length", b"%d" % len(body)), (b"content-type", kind))
    await send({"type": "http.response.start", "status": status, "headers": [*_SEALED, *length]})
    await send({"type": "http.response.body", "body": body})


def _content_type(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


def _address(scope: Scope, headers: dict[bytes, bytes]) -> str:
    client = scope.get("client")
    forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
    return caller_address(str(client[0]) if client else "", forwarded)
