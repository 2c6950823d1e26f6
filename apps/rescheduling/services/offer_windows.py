"""Windows that the live plan can really hold, with what each would mean for the vans."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.fleet.models import Depot
from apps.fleet.selectors import roster_hours
from apps.merchants.models import Policy
from apps.rescheduling import rules
from apps.routing import services as routing
from apps.routing.selectors import zone_of

MOST_ALTERNATIVES = 6


@dataclass(frozen=True, slots=True)
class WindowOffer:
    """One window. `reason` is a code when it is not feasible; `green`: a van is near at that time anyway.

    `added_grams` of CO2e are what the plan with it emits less the plan without it; `saved_grams` is how much less that
    is than for all possible windows on average.
    """

    day: date
    window: TimeWindow
    feasible: bool
    reason: str = ""
    added_seconds: int = 0
    tight: bool = False
    green: bool = False
    arrival: datetime | None = None
    added_minor_units: int = 0
    added_grams: int = 0
    saved_grams: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "window": [self.window.earliest.isoformat(), self.window.latest.isoformat()],
            "feasible": self.feasible,
            "reason": self.reason or None,
            "tight": self.tight,
            "green": self.green,
            "added_grams_co2e": self.added_grams if self.feasible else None,
        }


def offer_windows(*, delivery: Delivery) -> list[WindowOffer]:
    """Every window of the days that may be chosen and have a roster, in order; impossible ones carry a reason."""
    return offers_of(routing.subject_of(delivery), policy_of(delivery))


def offers_of(subject: routing.Subject, policy: Policy) -> list[WindowOffer]:
    """The same for what may not exist yet."""
    now, zone = clock.now(), zone_of(subject.depot)
    windows = rules.grid(policy, rules.horizon(policy, now, zone), now, zone)
    return judged(routing.offers_for(subject, within_roster(subject.depot, windows)))


def within_roster(depot: Depot, windows: Iterable[TimeWindow]) -> list[TimeWindow]:
    """The windows in which anybody drives at all."""
    wanted = list(windows)
    zone = zone_of(depot)
    hours = roster_hours(depot=depot, days={window.earliest.astimezone(zone).date() for window in wanted})
    return [
        window
        for window in wanted
        if (shift := hours.get(window.earliest.astimezone(zone).date())) is not None
        and window.earliest < shift.latest
        and window.latest > shift.earliest
    ]


def judged(slots: Iterable[routing.SlotOffer]) -> list[WindowOffer]:
    """The plan's answers as offers, each with what it would save."""
    found = list(slots)
    grams = [slot.added_grams_co2e for slot in found if slot.feasible]
    return [
        WindowOffer(
            slot.day,
            slot.window,
            slot.feasible,
            slot.reason,
            slot.added_seconds,
            slot.tight,
            slot.green,
            slot.arrival,
            slot.added_minor_units,
            slot.added_grams_co2e,
            rules.saved_grams(slot.added_grams_co2e, grams) if slot.green else 0,
        )
        for slot in found
    ]


def alternatives_to(window: TimeWindow | None, offers: Iterable[WindowOffer]) -> list[WindowOffer]:
    """The possible windows, those closest to the wished one first."""
    possible = [offer for offer in offers if offer.feasible and offer.window != window]
    if window is not None:
        possible.sort(key=lambda offer: abs(offer.window.earliest - window.earliest))
    return possible[:MOST_ALTERNATIVES]


def policy_of(delivery: Delivery) -> Policy:
    return delivery.merchant.policy
