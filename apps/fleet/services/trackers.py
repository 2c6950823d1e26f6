"""Ids of trackers: an app's is made here, shown once and kept as SHA-256; a box brings its own."""

import hashlib
import secrets

from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, Refused
from apps.fleet.models import Driver, Tracker, Vehicle

_BYTES = 16
"""128 bits."""
_LONGEST = 128


def add_app(*, name: str, driver: Driver | None = None, vehicle: Vehicle | None = None) -> tuple[Tracker, str]:
    """A tracker for an app, and its id: the only time that it can be read."""
    identity = secrets.token_hex(_BYTES)
    return _made(Tracker.Kind.APP, identity, name, driver, vehicle), identity


def add_box(*, name: str, identity: str, driver: Driver | None = None, vehicle: Vehicle | None = None) -> Tracker:
    """A device that a Traccar server knows under `identity` (its uniqueId); InvalidInput when that is taken or odd."""
    wanted = identity.strip()
    if not 1 <= len(wanted) <= _LONGEST:
        raise InvalidInput("identity_not_understood", _("Enter the identifier that Traccar knows the device by."))
    if Tracker.objects.filter(id_sha256=tracker_digest(Tracker.Kind.BOX, wanted)).exists():
        raise InvalidInput("identity_taken", _("Another tracker has this identifier."))
    return _made(Tracker.Kind.BOX, wanted, name, driver, vehicle)


def rotate_tracker(*, tracker: Tracker) -> str:
    """A new id for an app; the one before it dies, and a revoked one lives again. Refused for a box."""
    if tracker.kind != Tracker.Kind.APP:
        raise Refused("identity_not_ours", _("A device behind Traccar keeps the identifier it has."))
    identity = secrets.token_hex(_BYTES)
    tracker.id_sha256, tracker.made_at, tracker.revoked_at = tracker_digest(tracker.kind, identity), clock.now(), None
    tracker.save(update_fields=["id_sha256", "made_at", "revoked_at"])
    return identity


def revoke_tracker(*, tracker: Tracker) -> None:
    tracker.revoked_at = clock.now()
    tracker.save(update_fields=["revoked_at"])


def find_tracker(kind: str, identity: str) -> Tracker | None:
    """The tracker with this id; None for unknown, mangled and revoked ones alike. A box's id opens no app's door."""
    if not 1 <= len(identity) <= _LONGEST:
        return None
    found = Tracker.objects.select_related("driver", "vehicle__depot")
    return found.filter(id_sha256=tracker_digest(kind, identity), revoked_at=None).first()


def tracker_digest(kind: str, identity: str) -> str:
    return hashlib.sha256(f"{kind}:{identity}".encode("utf-8", "replace")).hexdigest()


def _made(kind: str, identity: str, name: str, driver: Driver | None, vehicle: Vehicle | None) -> Tracker:
    if (driver is None) == (vehicle is None):
        raise InvalidInput("tracker_of_nobody", _("Choose a driver or a vehicle."))
    return Tracker.objects.create(
        kind=kind,
        name=name,
        driver=driver,
        vehicle=vehicle,
        id_sha256=tracker_digest(kind, identity),
        made_at=clock.now(),
    )
