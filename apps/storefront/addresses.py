"""Which addresses a webhook may call: public ones, spelled in the usual way.

Checked when an endpoint is added and again at every try; the try connects to the very address that was checked, so a
name that answers differently a moment later changes nothing.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput

LONGEST_URL = 500
PORTS = frozenset({443, 8443})
_NAME = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".arpa", ".onion")
_TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
_PATH = re.compile(r"[\x21-\x7e]*", re.ASCII)


class AddressBlocked(Exception):
    """The code says why: scheme, credentials, port, host, address, unknown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address; `host` is what the certificate must name, `path` goes into the request line."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        usual = 443 if self.scheme == "https" else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"


def parsed(url: str) -> Target:
    """The target of a URL; AddressBlocked for anything but https on a usual port of a plainly written host name."""
    if len(url) > LONGEST_URL or not _PATH.fullmatch(url) or "\\" in url:
        raise AddressBlocked("host")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressBlocked("host") from None
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise AddressBlocked("credentials")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if _is_allowed_loopback(parts.scheme, host):
        return Target("http", host, port or 80, path)
    if parts.scheme != "https":
        raise AddressBlocked("scheme")
    if not _NAME.fullmatch(host) or host.endswith(_PRIVATE_NAMES):
        raise AddressBlocked("host")
    if (port or 443) not in PORTS:
        raise AddressBlocked("port")
    return Target("https", host, port or 443, path)


def checked_address(target: Target) -> tuple[str, int]:
    """(address, port) to connect to. AddressBlocked when any of the name's addresses is not public."""
    if target.scheme == "http":
        return "127.0.0.1", target.port
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressBlocked("unknown") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise AddressBlocked("address")
    return addresses[0], target.port


def is_public(text: str) -> bool:
    """False for loopback, private, link-local, shared, reserved and multicast addresses, however they are wrapped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check_url(url: str) -> None:
    """InvalidInput in words when a webhook must not go there."""
    try:
        checked_address(parsed(url))
    except AddressBlocked as error:
        raise InvalidInput("webhook_address", _("A webhook needs a public https address."), reason=error.code) from None


def _is_allowed_loopback(scheme: str, host: str) -> bool:
    """For tests and the demo only: plain http to 127.0.0.1."""
    return settings.WEBHOOKS_MAY_CALL_LOOPBACK and scheme == "http" and host == "127.0.0.1"
