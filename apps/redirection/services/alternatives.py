"""What else would do, for somebody who has just been told no."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.core import clock
from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Place
from apps.deliveries.services import PlaceInput
from apps.redirection.models import PickupPoint
from apps.redirection.selectors import PointOffer, days_for
from apps.redirection.services.offer_points import offer_points
from apps.routing.services import offers

_AT_MOST = 6
_FIRST_HOUR, _LAST_HOUR = 8, 20


@dataclass(frozen=True, slots=True)
class WindowAlternative:
    """A window in which the plan can bring it to the wished place."""

    day: date
    window: TimeWindow
    added_seconds: int
    tight: bool
    arrival: datetime | None
    feasible: bool = True
    reason: str = ""
    green: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "window": [self.window.earliest.isoformat(), self.window.latest.isoformat()],
            "tight": self.tight,
        }


def other_points(delivery: Delivery, besides: PickupPoint | None = None) -> list[PointOffer]:
    """Points the plan can serve."""
    return [offer for offer in offer_points(delivery=delivery) if offer.fits and offer.point != besides][:_AT_MOST]


def other_windows(delivery: Delivery, where: PlaceInput | Place) -> list[WindowAlternative]:
    """Windows of the merchant's width that the plan can hold there."""
    zone = ZoneInfo(delivery.merchant.time_zone)
    width = timedelta(minutes=delivery.merchant.policy.window_minutes)
    # A window that has begun is still an offer while half of it is left.
    soon = clock.now() + width / 2
    windows = []
    for day in days_for(delivery):
        start = _utc(datetime.combine(day, time(_FIRST_HOUR), tzinfo=zone))
        while start + width <= _utc(datetime.combine(day, time(_LAST_HOUR), tzinfo=zone)):
            if start + width >= soon:
                windows.append(TimeWindow(max(start, clock.now()), start + width))
            start += width
    try:
        answers = offers(delivery=delivery, place=where, windows=windows) if windows else []
    except Refused:
        return []
    return [
        WindowAlternative(answer.day, answer.window, answer.added_seconds, answer.tight, answer.arrival)
        for answer in answers
        if answer.feasible
    ][:_AT_MOST]


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
