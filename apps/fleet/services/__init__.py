"""The only writers of the fleet: positions, device tokens and trackers."""

from apps.fleet.services.device_tokens import (
    find_depot_device,
    find_driver,
    issue_depot_device,
    issue_driver_token,
    revoke_depot_device,
    revoke_driver_token,
)
from apps.fleet.services.record_positions import Fix, Van, drop_old_samples, record_batch, record_positions
from apps.fleet.services.take_break import begin_break, end_break
from apps.fleet.services.trackers import add_app, add_box, find_tracker, revoke_tracker, rotate_tracker, tracker_digest
from apps.fleet.services.wakeups import PositionBell, Written, position_bell
from apps.fleet.services.zones import note_zone

__all__ = [
    "Fix",
    "PositionBell",
    "Van",
    "Written",
    "add_app",
    "add_box",
    "begin_break",
    "drop_old_samples",
    "end_break",
    "find_depot_device",
    "find_driver",
    "find_tracker",
    "issue_depot_device",
    "issue_driver_token",
    "note_zone",
    "position_bell",
    "record_batch",
    "record_positions",
    "revoke_depot_device",
    "revoke_driver_token",
    "revoke_tracker",
    "rotate_tracker",
    "tracker_digest",
]
