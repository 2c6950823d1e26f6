"""Who sends positions (a driver's phone, an app of theirs, a box in the van) and whose van that moves today."""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import Refused
from apps.drivers.rounds import shift_today
from apps.fleet.models import Shift, Vehicle
from apps.fleet.services import Van, find_driver, find_tracker, tracker_digest


class Sender(NamedTuple):
    """The digest of what it proved itself with, and the van of its shift. A tracker's id is no device token."""

    digest: str
    is_tracker: bool
    shift_id: int
    van: Van


def sender_of_phone(token: str) -> Sender | None:
    """The holder of a device token; None for a token that is nobody's. Refused without a shift today."""
    driver = find_driver(token)
    if driver is None:
        return None
    shift = shift_today(driver)
    if shift is None:
        raise Refused("no_shift", _("You are not on today's roster."))
    return _sender(sha256_hex(token), False, shift)


def sender_of_tracker(kind: str, identity: str) -> Sender | None:
    """The same for an app or a box. Outside a shift where it is is nobody's business: Refused."""
    tracker = find_tracker(kind, identity)
    if tracker is None:
        return None
    shift = shift_today(tracker.driver) if tracker.driver else _shift_of(tracker.vehicle)
    if shift is None:
        raise Refused("no_shift", _("You are not on today's roster."))
    return _sender(tracker_digest(kind, identity), True, shift)


def still_known(senders: Collection[Sender]) -> set[Sender]:
    """Those whose token or id still opens the door; for many at once."""
    phones = [sender.digest for sender in senders if not sender.is_tracker]
    boxes = [sender.digest for sender in senders if sender.is_tracker]
    alive = _living(_PHONES, phones) | _living(_BOXES, boxes)
    return {sender for sender in senders if sender.digest in alive}


# Asked before each write, so without the ORM: building its query costs ten times what the database takes.
_PHONES = "SELECT device_sha256 FROM fleet_driver WHERE device_revoked_at IS NULL AND device_sha256 IN "
_BOXES = "SELECT id_sha256 FROM fleet_tracker WHERE revoked_at IS NULL AND id_sha256 IN "
_DIGESTS_AT_ONCE = 500


def _living(select: str, digests: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(digests), _DIGESTS_AT_ONCE):
        chunk = digests[start : start + _DIGESTS_AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(f"{select}({', '.join(['%s'] * len(chunk))})", chunk)
            found.update(digest for (digest,) in cursor.fetchall())
    return found


def _sender(digest: str, is_tracker: bool, shift: Shift) -> Sender:
    depot = shift.vehicle.depot
    return Sender(digest, is_tracker, shift.pk, Van(shift.vehicle_id, (depot.latitude, depot.longitude)))


def _shift_of(vehicle: Vehicle | None) -> Shift | None:
    now = clock.now()
    days = [now.date() + timedelta(days=days) for days in (-1, 0, 1)]
    for shift in Shift.objects.filter(vehicle=vehicle, day__in=days).select_related("vehicle__depot"):
        if now.astimezone(ZoneInfo(shift.vehicle.depot.time_zone)).date() == shift.day:
            return shift
    return None
