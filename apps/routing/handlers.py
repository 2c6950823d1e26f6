"""What the plan does when its time has come: improve itself, let a hold go, look at the clock again."""

from typing import Any

from apps.routing.services import release_hold


def expire_hold(payload: dict[str, Any]) -> None:
    """The customer has not made up their mind in time."""
    release_hold(visit_id=payload["visit"])


def replan(payload: dict[str, Any]) -> None:
    """Improves a depot-day's standing plan."""
