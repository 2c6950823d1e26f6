"""What the fleet announces."""

BREAK_CHANGED = "fleet.break_changed"  # shift: id, began: bool
