"""What the outbox does for itself: the round of each night."""

from typing import Any

from apps.events import nights


def on_night(_payload: dict[str, Any]) -> None:
    nights.begin()


def on_night_begun(_payload: dict[str, Any]) -> None:
    nights.forget_reactions()
