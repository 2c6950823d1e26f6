"""What deliveries do at night."""

from typing import Any

from apps.deliveries.services.forget_names import forget_names
from apps.deliveries.services.forget_pictures import forget_pictures


def on_night_begun(_payload: dict[str, Any]) -> None:
    forget_pictures()
    forget_names()
