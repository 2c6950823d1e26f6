"""The only writers of the fleet: positions and device tokens."""

from apps.fleet.services.device_tokens import (
    find_depot_device,
    find_driver,
    issue_depot_device,
    issue_driver_token,
    revoke_depot_device,
    revoke_driver_token,
)
from apps.fleet.services.record_positions import Fix, drop_old_samples, record_positions

__all__ = [
    "Fix",
    "drop_old_samples",
    "find_depot_device",
    "find_driver",
    "issue_depot_device",
    "issue_driver_token",
    "record_positions",
    "revoke_depot_device",
    "revoke_driver_token",
]
