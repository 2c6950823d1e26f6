"""A driver's break: while it lasts no customer sees where the van is."""

from datetime import datetime

from apps.drivers.services.own import actor_of, own_shift
from apps.fleet.models import Driver
from apps.fleet.services import begin_break, end_break
from apps.routing import services as routing


def rest(*, driver: Driver, begins: bool, at: datetime | None = None) -> bool:
    """True when the break begins (or ends) now; False when that had been said before. Arriving at a door ends it."""
    change = begin_break if begins else end_break
    return change(shift_id=own_shift(driver, at).pk, actor=actor_of(driver))


def break_down(*, driver: Driver) -> int:
    """The van drives no further today; how many stops it leaves. Refused when that had been said before."""
    return routing.break_down(shift=own_shift(driver), actor=actor_of(driver))
