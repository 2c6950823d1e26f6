"""The socket of an open page: the same document as /state and the same dot as /dot, pushed when they move.

Nothing is expected from the other side. Whoever may not listen is refused before the handshake, always alike (403).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.core.hosts import is_our_host
from apps.core.proxies import caller_address
from apps.tracking.entry import Entry, entry_of
from apps.tracking.hub import Mailbox
from apps.tracking.tail import live
from apps.tracking.views.gate import SOCKET_COOKIE
from apps.tracking.wire import Say, wire_of

GONE, TOO_BIG, TOO_MANY = 4404, 1009, 1008
# A page never sends anything, so this is generous.
MOST_BYTES, MOST_FRAMES = 1_024, 50
SEND_SECONDS = 20

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class PageConsumer(AsyncWebsocketConsumer):
    """One open page. It joins the hub first; page and dot come from the tail, read after that, so no change is lost."""

    box: Mailbox | None = None
    # Lives only while there is something to write: thousands of sockets are silent most of the time.
    _writer: asyncio.Task[None] | None = None
    _wire: Say | None = None
    _is_open = False
    _frames = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """As channels does it, but without a layer, whose tasks would cost each socket some kilobytes."""
        self.scope, self.base_send, self.channel_layer = scope, send, None
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return
        finally:
            self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without channels' own look at old connections: no thread that this class uses keeps any."""
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        elif message["type"] == "websocket.connect":
            await self.websocket_connect(message)
        else:
            raise StopConsumer

    async def connect(self) -> None:
        entry = await self._entry() if origin_is_ours(self.scope) else None
        if entry is None:
            await self.close()
            return
        box = Mailbox(entry, address=_address(self.scope), cookie=_cookie(self.scope), ring=self._ring)
        if not live().hub.join(box):
            await self.close()
            return
        self.box = box
        live().wake()
        await self.accept()
        # A page stays open for hours and needs what its browser said about itself no more.
        self.scope["headers"].clear()
        self._is_open = True
        self._ring()
        if (wire := wire_of(self.base_send)) is not None:
            self._wire, box.say = wire, self._say

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing a page says means anything; too much of it ends the talk."""
        self._frames += 1
        if len(text_data or bytes_data or "") > MOST_BYTES:
            await self.close(code=TOO_BIG)
        elif self._frames > MOST_FRAMES:
            await self.close(code=TOO_MANY)

    def _leave(self) -> None:
        """However it ends, nothing of it stays in the hub."""
        self._is_open = False
        if self.box is not None:
            live().hub.leave(self.box)
        if self._writer is not None:
            self._writer.cancel()

    def _say(self, text: str) -> bool:
        """Past the writer, unless it is at work or this socket is no longer open: nothing overtakes anything."""
        return self._is_open and self._writer is None and self._wire is not None and self._wire(text)

    def _ring(self) -> None:
        if self._is_open and self._writer is None and self.box is not None:
            self._writer = asyncio.create_task(self._write(self.box))

    async def _write(self, box: Mailbox) -> None:
        try:
            # Whatever comes while this waits for a slow reader lies in the box when it looks again.
            while messages := box.take():
                if "close" in messages:
                    self._is_open = False
                    await self.close(code=GONE)
                    return
                for text in messages.values():
                    async with asyncio.timeout(SEND_SECONDS):
                        await self.base_send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError, TimeoutError):
            # The other side is gone or never reads; what it missed it reads again when it comes back.
            self._is_open = False
            live().hub.leave(box)
            with suppress(RuntimeError, OSError):
                await self.close(code=GONE)
        finally:
            self._writer = None

    async def _entry(self) -> Entry | None:
        token = self.scope["url_route"]["kwargs"].get("token", "")
        return await entry_of(token, address=_address(self.scope), cookie=_cookie(self.scope))


class Refusal(AsyncWebsocketConsumer):
    """What every other address answers."""

    async def connect(self) -> None:
        await self.close()


def origin_is_ours(scope: dict[str, Any]) -> bool:
    """Browsers always say where a page came from; it must be the very host that is asked, and one of ours."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").lower()
    try:
        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1").lower())
    except ValueError:
        return False
    return origin.netloc == host and origin.scheme in ("http", "https") and is_our_host(host)


def _address(scope: dict[str, Any]) -> str:
    client = scope.get("client")
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return caller_address(str(client[0]) if client else "", ",".join(forwarded))


def _cookie(scope: dict[str, Any]) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return jar[SOCKET_COOKIE].value if SOCKET_COOKIE in jar else ""
