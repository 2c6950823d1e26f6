"""What trackers say: the OsmAnd protocol of Traccar Client and its kin, and positions that a Traccar server forwards.

Pure reading; nothing here asks the database. Speeds come in knots, except in Traccar Client's own JSON (m/s).
"""

import hmac
import json
from datetime import UTC, datetime
from math import nan
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.conf import settings

from apps.core import clock
from apps.fleet.models import Tracker
from apps.fleet.services import Fix

MOST_BYTES = 64_000
MOST_FIXES = 200
KNOT = 0.514444
"""Metres per second."""
WORST_METRES = 500.0
"""A less accurate fix is a guess by radio mast, not a place."""


class Report(NamedTuple):
    """Which tracker speaks, and what it measured; what cannot be read stays in as a place that is none."""

    kind: str
    identity: str
    fixes: list[Fix]


def osmand_report(query: str, content_type: str, body: bytes) -> Report | None:
    """Query parameters, the same as a form, or Traccar Client's JSON (from version 9). None without an id."""
    if body and content_type == "application/json":
        return _client_report(_json(body))
    fields = dict(parse_qsl(query, max_num_fields=100) if query else [])
    if content_type == "application/x-www-form-urlencoded":
        fields |= dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100))
    identity = fields.get("id") or fields.get("deviceid") or ""
    if not identity:
        return None
    latitude, longitude = fields.get("lat"), fields.get("lon")
    if "location" in fields:
        latitude, _comma, longitude = fields["location"].partition(",")
    if (latitude is None and longitude is None) or fields.get("valid") in ("0", "false"):
        return Report(Tracker.Kind.APP, identity, [])
    speed = _number(fields.get("speed"))
    fix = _fix(
        latitude,
        longitude,
        fields.get("timestamp"),
        heading=fields.get("bearing", fields.get("heading")),
        speed=speed * KNOT if speed is not None else None,
        accuracy=fields.get("accuracy"),
    )
    return Report(Tracker.Kind.APP, identity, [fix])


def forwarded_report(body: bytes) -> Report | None:
    """One position as Traccar's `forward.type` json posts it; None when it is none of ours to read."""
    found = _json(body)
    device, position = _dict(found.get("device")), _dict(found.get("position"))
    identity = device.get("uniqueId")
    if not isinstance(identity, str) or not identity:
        return None
    if not position or position.get("valid") is False or position.get("outdated") is True:
        return Report(Tracker.Kind.BOX, identity, [])
    speed = _number(position.get("speed"))
    fix = _fix(
        position.get("latitude"),
        position.get("longitude"),
        position.get("fixTime"),
        heading=position.get("course"),
        speed=speed * KNOT if speed is not None else None,
        accuracy=position.get("accuracy") or None,
    )
    return Report(Tracker.Kind.BOX, identity, [fix])


def is_our_traccar(authorization: str) -> bool:
    """Whether the `Authorization: Bearer` header holds the secret shared with the fleet's own Traccar server."""
    secret = str(settings.TRACCAR_FORWARD_SECRET)
    scheme, _space, given = authorization.partition(" ")
    return bool(secret) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), secret.encode())


def _client_report(found: dict[str, Any]) -> Report | None:
    identity = found.get("device_id")
    if not isinstance(identity, str | int) or isinstance(identity, bool) or identity == "":
        return None
    rows = found.get("location")
    rows = rows if isinstance(rows, list) else [rows] if rows else []
    return Report(Tracker.Kind.APP, str(identity), [_client_fix(_dict(row)) for row in rows[-MOST_FIXES:]])


def _client_fix(row: dict[str, Any]) -> Fix:
    place = _dict(row.get("coords"))
    return _fix(
        place.get("latitude"),
        place.get("longitude"),
        row.get("timestamp"),
        heading=place.get("heading"),
        speed=_number(place.get("speed")),
        accuracy=place.get("accuracy"),
    )


def _fix(latitude: Any, longitude: Any, at: Any, *, heading: Any, speed: float | None, accuracy: Any) -> Fix:
    instant = _instant(at) if at not in (None, "") else clock.now()
    where, blur = (_number(latitude), _number(longitude)), _number(accuracy)
    if instant is None or None in where or (blur is not None and blur > WORST_METRES):
        return Fix(nan, nan, clock.now())
    return Fix(where[0] or 0.0, where[1] or 0.0, instant, _number(heading), speed)


def _instant(value: Any) -> datetime | None:
    """Seconds or milliseconds since 1970, or ISO 8601; without an offset it is UTC."""
    seconds = _number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        found = datetime.fromisoformat(value[:40]) if isinstance(value, str) else None
        if found is None:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _json(body: bytes) -> dict[str, Any]:
    try:
        return _dict(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
