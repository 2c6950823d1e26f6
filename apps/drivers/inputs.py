"""What phones send, read with care: JSON or form fields, instants, positions."""

import json
from datetime import UTC, datetime
from math import nan
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput
from apps.fleet.services import Fix

MOST_JSON_BYTES = 512_000
MOST_FIXES = 1000


def fields_of(request: HttpRequest) -> dict[str, Any]:
    """The body as a dict: JSON, or a form's fields."""
    if request.content_type != "application/json":
        return request.POST.dict()
    too_large = int(request.META.get("CONTENT_LENGTH") or 0) > MOST_JSON_BYTES
    return fields_from(None if too_large else request.body)


def fields_from(body: bytes | None) -> dict[str, Any]:
    """A JSON object; None stands for a body that was too large to read."""
    if body is None:
        raise InvalidInput("body_too_large", _("That was too much at once."))
    try:
        # NaN is let in here, so that a phone's nonsense is counted where positions are judged.
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("body_not_understood", _("The phone sent something that could not be read."))
    return found


def instant_of(value: Any) -> datetime | None:
    """An ISO 8601 instant with its offset; None when nothing was said."""
    if value in (None, ""):
        return None
    found = _instant(value)
    if found is None:
        raise InvalidInput("instant_not_understood", _("The phone sent a time that could not be read."))
    return found


def word_of(value: Any, longest: int = 200) -> str:
    """Text without NUL; anything else counts as nothing."""
    return value[:longest].replace("\0", "") if isinstance(value, str) else ""


def number_of(value: Any) -> int:
    """A whole number that fits a database column; InvalidInput otherwise."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput("number_not_understood", _("The phone sent something that could not be read."))
    return int(text)


def fixes_of(fields: dict[str, Any]) -> list[Fix]:
    """The positions of a batch. What cannot be read stays in as a place that is none, to be dropped and counted."""
    rows = fields.get("positions")
    if not isinstance(rows, list) or len(rows) > MOST_FIXES:
        raise InvalidInput("positions_not_understood", _("The phone sent something that could not be read."))
    return [_fix(row) for row in rows]


def _fix(row: Any) -> Fix:
    if not isinstance(row, dict):
        row = {}
    at = _instant(row.get("at"))
    if at is None:
        return Fix(nan, nan, clock.now())
    return Fix(
        _float(row.get("lat")), _float(row.get("lon")), at, _optional(row.get("heading")), _optional(row.get("speed"))
    )


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return nan
    try:
        return float(value)
    except OverflowError:
        return nan


def _optional(value: Any) -> float | None:
    return None if value is None else _float(value)
