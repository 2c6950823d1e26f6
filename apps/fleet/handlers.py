"""What the fleet does when something happened."""

from typing import Any

from apps.fleet.services import drop_old_samples


def on_night_begun(_payload: dict[str, Any]) -> None:
    drop_old_samples()
