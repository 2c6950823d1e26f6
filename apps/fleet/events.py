"""What the fleet announces."""

ZONE_CHANGED = "fleet.zone_changed"  # zone: id, of one that may be gone
BREAK_CHANGED = "fleet.break_changed"  # shift: id, began: bool
