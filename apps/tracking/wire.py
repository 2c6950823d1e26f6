"""The shortest way to a socket: one encoded frame for all who are told the same, written straight to the transport.

Only where the server is uvicorn's own WebSocket protocol; elsewhere messages go by ASGI's send().
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_UNSENT_BYTES = 8_192
"""What the other side has not taken yet, beyond the kernel's own buffer; with more, messages wait in the box."""
_TEXT, _SMALL, _LARGE = 0x81, 126, 65_536

Say = Callable[[str], bool]


def wire_of(send: Callable[[dict[str, Any]], Awaitable[None]]) -> Say | None:
    """Writes a text to the socket behind `send` and returns True; False when it cannot be written at once."""
    protocol = getattr(send, "__self__", None)
    if not isinstance(protocol, WebSocketsSansIOProtocol):
        return None
    transport = protocol.transport

    def say(text: str) -> bool:
        if protocol.close_sent or protocol.disconnected or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            return False
        transport.write(frame_of(text))
        return True

    return say


@lru_cache(maxsize=64)
def frame_of(text: str) -> bytes:
    """A whole, unmasked text frame (RFC 6455, 5.2), as servers send them; legal beside compressed ones too."""
    payload = text.encode()
    size = len(payload)
    if size < _SMALL:
        return bytes((_TEXT, size)) + payload
    if size < _LARGE:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8) + payload
