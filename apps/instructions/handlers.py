"""What instructions do when the delivery goes elsewhere."""

from typing import Any

from apps.instructions.services import drop_instruction


def on_place_changed(payload: dict[str, Any]) -> None:
    """A note for one door means nothing at another; one that was written after the change stays."""
    drop_instruction(delivery_id=payload["delivery"], before_version=payload["revision"])
