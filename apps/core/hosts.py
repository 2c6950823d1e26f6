"""Which hosts are ours, for doors that stand before Django and must refuse what it would refuse."""

from functools import lru_cache

from django.conf import settings
from django.http.request import split_domain_port, validate_host

_LONGEST = 255
# What Django itself lets in where nothing is configured.
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def is_our_host(host: str) -> bool:
    """True for a Host header (with or without a port) that names one of ours."""
    return len(host) <= _LONGEST and _is_among(host, tuple(settings.ALLOWED_HOSTS) or _LOOPBACK)


@lru_cache(maxsize=256)
def _is_among(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)
