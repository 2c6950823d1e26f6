"""One POST to somebody else's server: to a checked address, within one deadline, reading no more than the head.

The body of the answer is never read, so its size, its packing and its content cannot matter. Redirects are answers
like any other and not followed.
"""

import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from apps.storefront.addresses import Target, checked_address

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
LARGEST_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_RETRY_AFTER = re.compile(rb"^retry-after:[ \t]*(\d{1,6})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Unreachable(Exception):
    """No complete answer: `code` is timed_out, no_connection, tls or not_http."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Head:
    """What an endpoint answered: its status, and when it wants to be asked again (seconds)."""

    status: int
    retry_after_seconds: int | None = None


def post(target: Target, body: bytes, headers: Mapping[str, str], *, timeout: float = TIMEOUT_SECONDS) -> Head:
    """The head of the answer. AddressBlocked (nothing was sent) or Unreachable."""
    ends = monotonic() + timeout
    address = checked_address(target)
    try:
        with (
            socket.create_connection(address, timeout=min(CONNECT_SECONDS, timeout)) as plain,
            _wrapped(plain, target, ends) as connection,
        ):
            connection.settimeout(_left(ends))
            connection.sendall(_request(target, body, headers))
            head = _read_head(connection, ends)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            return head
    except TimeoutError:
        raise Unreachable("timed_out") from None
    except ssl.SSLError:
        raise Unreachable("tls") from None
    except OSError:
        raise Unreachable("no_connection") from None


def _wrapped(plain: socket.socket, target: Target, ends: float) -> socket.socket:
    if target.scheme == "http":
        return plain
    plain.settimeout(_left(ends))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.host_header}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Accept-Encoding: identity", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def _read_head(connection: socket.socket, ends: float) -> Head:
    """Reads until the end of the first head that is final; interim answers (1xx) are passed over."""
    data = b""
    while len(data) <= LARGEST_HEAD_BYTES:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if separator:
            status = _STATUS.match(head + b"\r\n")
            if status is None:
                break
            if int(status[1]) >= 200:
                wait = _RETRY_AFTER.search(head)
                return Head(int(status[1]), int(wait[1]) if wait else None)
            data = rest
            continue
        connection.settimeout(_left(ends))
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    raise Unreachable("not_http")


def _left(ends: float) -> float:
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
