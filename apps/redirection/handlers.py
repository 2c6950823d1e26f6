"""What redirection does when a delivery's way ends, and when a collection's time is over."""

from typing import Any

from apps.deliveries.states import ENDED, State
from apps.redirection.services import POINT_FULL, bring_to_other_point, expire_collection, release

# COLLECTED ends its reservation itself; FAILED keeps it, for the next try.
_GIVES_BACK = {state.value for state in ENDED - {State.COLLECTED}} | {State.RETURNING.value}


def on_state_changed(payload: dict[str, Any]) -> None:
    if payload["to"] in _GIVES_BACK:
        release(delivery_id=payload["delivery"])
    if payload["to"] == State.FAILED and payload.get("reason") == POINT_FULL:
        bring_to_other_point(delivery_id=payload["delivery"])


def on_collection_expired(payload: dict[str, Any]) -> None:
    expire_collection(delivery_id=payload["delivery"])
