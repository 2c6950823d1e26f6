"""What counts as an incident, from which threshold on, and how far the plan may answer it: the one table.

Each is noticed once (routing.models.Incident), by whoever does it (a driver, staff, a customer) or by the watch that
looks at every van under way. Each asks for a re-plan, which is coalesced with whatever else is waiting.
"""

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final

from apps.routing.models import Incident

KIND = Incident.Kind


@dataclass(frozen=True, slots=True)
class Trigger:
    """`after`: how much past the plan it must be. `mode`: the widest re-plan it asks for ("": as after any change)."""

    after: timedelta = timedelta(0)
    mode: str = ""


TRIGGERS: Final[dict[str, Trigger]] = {
    KIND.FAILED_STOP: Trigger(),
    KIND.LONG_STOP: Trigger(after=timedelta(minutes=10)),
    KIND.LATE_VAN: Trigger(after=timedelta(minutes=15), mode="three_vans"),
    KIND.SICK_DRIVER: Trigger(mode="fleet"),
    KIND.BREAKDOWN: Trigger(mode="fleet"),
    KIND.POINT_FULL: Trigger(),
    KIND.URGENT: Trigger(mode="three_vans"),
    KIND.ROAD_CLOSED: Trigger(mode="fleet"),
}
URGENT_PRIORITY: Final = 8
"""A delivery for today of this priority or a higher one is urgent."""
WATCH_EVERY: Final = timedelta(minutes=2)
LATE_AGAIN: Final = timedelta(minutes=30)
"""A van that is late already is a new incident once it is so much later."""
CLOSED_DETOUR_SECONDS: Final = 900
"""What driving around a closed place is taken to cost where no network knows the way around it."""
CLOSED_MARGIN: Final = timedelta(hours=1)
"""Vans drive around a place that closes within so long; one that closes later in the day costs nobody a detour yet."""
VANS_LEAVE_AT: Final = time(8)
"""When vans leave on a day that has not begun: what is closed then is driven around."""
