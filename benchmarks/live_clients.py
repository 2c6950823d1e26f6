"""Many browsers and phones in one process, as cheap as they can be made: bare protocols on one event loop."""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from time import perf_counter

LARGEST_SMALL, TWO_BYTES, EIGHT_BYTES = 125, 126, 127


class Page(asyncio.Protocol):
    """One open socket: hands every text message to `heard`. Pings are answered."""

    def __init__(self, host: str, path: str, heard: Callable[["Page", bytes], None]) -> None:
        self.host, self.path, self.heard = host, path, heard
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.closed = False
        self.number = 0
        self.newest = b""
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(  # type: ignore[attr-defined]
            (
                f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{self.host}\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._buffer = rest
            self.opened.set_result(b" 101 " in head.split(b"\r\n")[0])
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == 1:
                self.heard(self, payload)
            elif opcode == 9:
                mask = b"\0\0\0\0"
                self.transport.write(bytes([0x8A, 0x80 | len(payload)]) + mask + payload)  # type: ignore[attr-defined]

    def say(self, text: str) -> None:
        payload = text.encode()
        size = bytes([0x80 | len(payload)]) if len(payload) <= LARGEST_SMALL else struct.pack("!BH", 0xFE, len(payload))
        self.transport.write(b"\x81" + size + b"\0\0\0\0" + payload)  # type: ignore[attr-defined]

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == TWO_BYTES:
            if len(buffer) < 4:
                return None
            size, start = struct.unpack("!H", buffer[2:4])[0], 4
        elif size == EIGHT_BYTES:
            if len(buffer) < 10:
                return None
            size, start = struct.unpack("!Q", buffer[2:10])[0], 10
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[0] & 0x0F, buffer[start : start + size]

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if not self.opened.done():
            self.opened.set_result(False)


async def open_pages(
    host: str, paths: list[str], heard: Callable[[Page, bytes], None], *, at_once: int = 100
) -> tuple[list[Page], float]:
    """All the sockets, and the seconds it took until the last was open."""
    name, _colon, port = host.partition(":")
    gate, loop, began = asyncio.Semaphore(at_once), asyncio.get_running_loop(), perf_counter()

    async def one(path: str) -> Page:
        async with gate:
            _transport, page = await loop.create_connection(lambda: Page(host, path, heard), name, int(port))
            if not await page.opened:
                raise SystemExit(f"The server refused {path}.")
            return page

    pages = await asyncio.gather(*(one(path) for path in paths))
    for number, page in enumerate(pages):
        page.number = number
    return pages, perf_counter() - began


class Phone(asyncio.Protocol):
    """A kept connection that posts; `answered` counts by status."""

    def __init__(self) -> None:
        self.answers: dict[bytes, int] = {}
        self._waiting: list[asyncio.Future[bytes]] = []
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            size = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            if len(rest) < size:
                return
            self._buffer = rest[size:]
            status = head[9:12]
            self.answers[status] = self.answers.get(status, 0) + 1
            if self._waiting:
                self._waiting.pop(0).set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(b"")

    def post(self, request: bytes) -> None:
        self.transport.write(request)  # type: ignore[attr-defined]

    async def ask(self, request: bytes) -> bytes:
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.post(request)
        return await waiting


async def phone(host: str) -> Phone:
    name, _colon, port = host.partition(":")
    _transport, made = await asyncio.get_running_loop().create_connection(Phone, name, int(port))
    return made


def post_request(host: str, path: str, body: bytes, headers: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
