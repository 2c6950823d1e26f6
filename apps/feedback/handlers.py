"""What feedback does at night."""

from typing import Any

from apps.feedback.services import forget_photos, forget_words


def on_night_begun(_payload: dict[str, Any]) -> None:
    forget_photos()
    forget_words()
