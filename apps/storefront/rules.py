"""What a webhook says, when it is tried again, and when an endpoint is given up. Pure."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from apps.core.encryption import keyed_digest

# Pauses between tries, wall seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h; eight tries in all.
RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
LONGEST_RETRY_AFTER_SECONDS = 86_400
GONE = 410
# An endpoint's Retry-After counts when it says that it cannot take more now.
SLOW_DOWN = frozenset({429, 502, 503, 504})
# What may leave the house with each kind of event: ids, codes and instants, by name.
DETAILS: dict[str, tuple[str, ...]] = {
    "delivery.created": (),
    "delivery.window_changed": ("from", "to"),
    "delivery.place_changed": ("from_kind", "to_kind", "point"),
    "delivery.state_changed": ("from", "to", "reason"),
    "delivery.cancelled": ("reason",),
    "feedback.rated": ("stars", "nps", "again"),
    "feedback.problem_reported": ("problem",),
    "feedback.problem_closed": ("problem",),
    "feedback.attempt_disputed": ("attempt",),
    "feedback.dispute_decided": ("attempt", "upheld"),
}


def pause_after(number: int, status: int | None = None, retry_after_seconds: int | None = None) -> float | None:
    """Wall seconds from the nth try to the next; None when the nth was the last."""
    if status == GONE or number > len(RETRY_SECONDS):
        return None
    pause = float(RETRY_SECONDS[number - 1])
    if status in SLOW_DOWN and retry_after_seconds:
        pause = max(pause, min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS))
    return pause


def content(kind: str, at: datetime, public_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a Standard Webhooks message: thin, and the same at every try."""
    details = {name: payload[name] for name in DETAILS[kind] if name in payload}
    return {"type": kind, "timestamp": at.isoformat(), "data": {"id": public_id, **details}}


def message_id(key: str, endpoint_id: int, event_id: int) -> str:
    """Equal over all tries, different for every endpoint, and silent about how many there are."""
    digest = keyed_digest(key, "webhook", endpoint_id, event_id)
    return "msg_" + base64.urlsafe_b64encode(digest[:18]).decode()


def signed_headers(secret: str, identifier: str, at: datetime, body: str) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0; `at` is the instant of this try."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Doorstep-Webhooks/1",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(identifier, at, body),
    }
