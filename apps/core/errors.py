"""Errors that people may read. Services raise them; pages, the API and admin each show them in their own shape."""

from collections.abc import Mapping, Sequence
from typing import Any


class DoorstepError(Exception):
    """An expected failure with a stable code for machines and a sentence for people."""

    status = 400

    def __init__(self, code: str, message: str = "", **details: Any) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = str(message or code)
        self.details: Mapping[str, Any] = details


class Refused(DoorstepError):
    """What was asked for cannot be done now; `alternatives` are offers that can."""

    status = 422

    def __init__(self, code: str, message: str, alternatives: Sequence[Any] = (), **details: Any) -> None:
        super().__init__(code, message, **details)
        self.alternatives = tuple(alternatives)


class Closed(Refused):
    """It could be done once, and never can again."""

    status = 410


class Stale(DoorstepError):
    """Somebody else changed the thing first; nothing was written."""

    status = 409


class NotAllowed(DoorstepError):
    """The caller is known but may not do this (a step-up may be missing: code `step_up_required`)."""

    status = 403


class NotFound(DoorstepError):
    """There is no such thing, or the caller must not learn that there is."""

    status = 404


class Throttled(DoorstepError):
    """Too many tries; details may carry `retry_after_seconds`."""

    status = 429


class InvalidInput(DoorstepError):
    """The caller's words cannot be understood; details may carry `fields`: {name: sentence}."""

    status = 400
