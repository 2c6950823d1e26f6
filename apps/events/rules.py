"""How often a failing handler is tried again, what may stand in a payload, and what is written down about an error."""

import random
import re
import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, OperationalError

from apps.core.errors import DoorstepError

FIRST_RETRY_SECONDS = 2.0
RETRY_FACTOR = 4.0
LONGEST_RETRY_SECONDS = 3600.0
# How long a claimed reaction belongs to the process that claimed it (wall seconds).
LEASE_SECONDS = {"fast": 30.0, "slow": 90.0, "planner": 180.0, "webhooks": 90.0}

_CODE = re.compile(r"[\w.:+\-/@|,]{0,100}", re.ASCII)
_PERSONAL = re.compile(r"^\+?\d{7,15}$|.@.+\.")
_SCRUB = re.compile(r"\S+@\S+|\+?\d[\d\s/-]{4,}|/t/\S+")
# Messages of these are written by programs about programs; those of any other error may quote a customer.
_SPEAKING_ERRORS = (OperationalError, OSError, ImportError, AttributeError, NotImplementedError)


class PermanentFailure(Exception):
    """Raised by a handler that will never succeed: the reaction is parked at once. The message is a code, not data."""


class RetryLater(Exception):
    """Raised by a handler that was told when to come back (Retry-After), in wall seconds."""

    def __init__(self, seconds: float, code: str = "retry_later") -> None:
        super().__init__(code)
        self.seconds = seconds


class UnknownKind(LookupError):
    """An event kind that no app declares and config/events.py does not list."""


def retry_delay(attempts: int) -> timedelta:
    """The pause after the nth failed attempt: exponential, capped, spread by a fifth so that failures do not march."""
    seconds = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * RETRY_FACTOR ** max(0, attempts - 1))
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  (not a secret)


def checked_payload(payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """The payload as a dict; ValueError when it holds text that is not an id, a code or an instant."""
    checked = dict(payload or {})
    _check(checked, "payload")
    return checked


def _check(value: Any, where: str) -> None:
    if value is None or isinstance(value, bool | int | float | datetime | date):
        return
    if isinstance(value, str):
        if not _CODE.fullmatch(value) or _PERSONAL.search(value):
            raise ValueError(f"{where} must be an id, a code or an instant; personal data and free text stay out.")
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check(item, f"{where}.{key}")
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item, f"{where}[]")
        return
    raise ValueError(f"{where} holds a {type(value).__name__}, which cannot travel in a payload.")


def described(error: BaseException) -> str:
    """An error in words that hold no personal data: its class, its code if it has one, and where it was raised."""
    parts = [type(error).__name__]
    if isinstance(error, DoorstepError):
        parts.append(error.code)
    elif isinstance(error, PermanentFailure | RetryLater) or (
        isinstance(error, _SPEAKING_ERRORS) and not (isinstance(error, DatabaseError) and "(" in str(error))
    ):
        parts.append(_SCRUB.sub("#", " ".join(str(error).split())))
    own = f"{settings.BASE_DIR}/apps/"
    # The first frame is the worker's own call of the handler.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)[1:] if frame.filename.startswith(own)]
    if frames:
        parts.append(f"{frames[-1].filename.removeprefix(own)}:{frames[-1].lineno}")
    return " · ".join(parts)[:300]
