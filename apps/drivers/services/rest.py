"""A driver's break: while it lasts no customer sees where the van is."""

from apps.drivers.services.own import actor_of, own_shift
from apps.fleet.models import Driver
from apps.fleet.services import begin_break, end_break


def rest(*, driver: Driver, begins: bool) -> bool:
    """True when the break begins (or ends) now; False when that had been said before. Arriving at a door ends it."""
    change = begin_break if begins else end_break
    return change(shift_id=own_shift(driver).pk, actor=actor_of(driver))
