"""Secrets of drivers' and clerks' phones: shown once, kept as SHA-256, dead at once when revoked."""

import hashlib
import secrets

from apps.core import clock
from apps.fleet.models import Depot, DepotDevice, Driver

_BYTES = 24
"""192 bits."""
_LONGEST = 200


def issue_driver_token(*, driver: Driver) -> str:
    """A new token for the driver's phone; the one before it dies."""
    token = secrets.token_urlsafe(_BYTES)
    driver.device_sha256, driver.device_made_at, driver.device_revoked_at = _digest(token), clock.now(), None
    driver.save(update_fields=["device_sha256", "device_made_at", "device_revoked_at"])
    return token


def revoke_driver_token(*, driver: Driver) -> None:
    driver.device_revoked_at = clock.now()
    driver.save(update_fields=["device_revoked_at"])


def find_driver(token: str) -> Driver | None:
    """The driver whose phone this is; None for unknown, mangled and revoked tokens alike."""
    if not _is_plausible(token):
        return None
    return Driver.objects.filter(device_sha256=_digest(token), device_revoked_at=None).first()


def issue_depot_device(*, depot: Depot, name: str) -> str:
    """The token of a clerk's phone at a depot."""
    token = secrets.token_urlsafe(_BYTES)
    DepotDevice.objects.create(depot=depot, name=name, device_sha256=_digest(token))
    return token


def revoke_depot_device(*, device: DepotDevice) -> None:
    device.revoked_at = clock.now()
    device.save(update_fields=["revoked_at"])


def find_depot_device(token: str) -> DepotDevice | None:
    """The clerk's phone; None for unknown, mangled and revoked tokens alike."""
    if not _is_plausible(token):
        return None
    found = DepotDevice.objects.select_related("depot").filter(device_sha256=_digest(token), revoked_at=None)
    return found.first()


def _is_plausible(token: str) -> bool:
    return 20 <= len(token) <= _LONGEST and token.isascii()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
