"""What may be chosen and when: pure rules over a delivery's state, its van's progress and the merchant's policy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.time_windows import TimeWindow
from apps.deliveries.states import ENDED, OPEN, State

SHORTEST_WINDOW = timedelta(minutes=30)


class PolicyLike(Protocol):
    """The part of a merchant's Policy that counts here."""

    allow_time_change: bool
    allow_cancel: bool
    change_limit: int
    days_ahead: int
    window_minutes: int
    cutoff_minutes: int
    freeze_stops: int
    quiet_from: time
    quiet_until: time


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    message: str | Promise


@dataclass(frozen=True, slots=True)
class OnRoute:
    """How far the van is; `arrived`: it stands at this delivery's door."""

    departed: bool = False
    arrived: bool = False
    stops_away: int | None = None
    arrival: datetime | None = None


def refuse_change(state: str, changes: int, route: OnRoute, policy: PolicyLike, now: datetime) -> Refusal | None:
    """Why this shopper may not choose another time now; None when they may."""
    if not policy.allow_time_change:
        return Refusal("not_offered", _("This shop does not offer another time."))
    if changes >= policy.change_limit:
        return Refusal("change_limit", _("This delivery has been changed as often as the shop allows."))
    return refuse_by_progress(state, route, policy, now)


def refuse_cancel(state: str, route: OnRoute, policy: PolicyLike, now: datetime) -> Refusal | None:
    """Why this shopper may not call the delivery off now."""
    if not policy.allow_cancel:
        return Refusal("not_offered", _("This shop does not offer to call a delivery off."))
    return refuse_by_progress(state, route, policy, now)


def refuse_by_progress(state: str, route: OnRoute, policy: PolicyLike, now: datetime) -> Refusal | None:
    """The cut-off goes by where the van is, not by the clock alone."""
    if state in ENDED:
        return Refusal("ended", _("This delivery has ended. It can no longer be changed."))
    if state not in OPEN and state != State.FAILED:
        return Refusal("too_late", _("It is too late to change this delivery."))
    if route.arrived:
        return Refusal("too_late", _("The driver is at your door."))
    if not route.departed:
        return None
    if route.stops_away is not None and route.stops_away < policy.freeze_stops:
        return Refusal("too_late", _("The driver is already on the way to you, so this can no longer be changed."))
    if route.arrival is not None and route.arrival - now <= timedelta(minutes=policy.cutoff_minutes):
        return Refusal("too_late", _("The driver is nearly there, so this can no longer be changed."))
    return None


def refuse_window(window: TimeWindow, policy: PolicyLike, now: datetime, zone: ZoneInfo) -> Refusal | None:
    """Why nobody may choose this window, whatever the plan would hold."""
    opens, closes = window.earliest.astimezone(zone), window.latest.astimezone(zone)
    if window.latest <= now:
        return Refusal("in_the_past", _("That time has passed."))
    if window.latest <= now + timedelta(minutes=policy.cutoff_minutes):
        return Refusal("too_soon", _("That is too soon for the driver."))
    if window.width < SHORTEST_WINDOW:
        return Refusal("too_narrow", _("Please choose a longer time window."))
    if opens.date() != closes.date():
        return Refusal("several_days", _("Please choose a window within one day."))
    if (opens.date() - now.astimezone(zone).date()).days > policy.days_ahead:
        return Refusal("too_far_ahead", _("That day is too far ahead."))
    if opens.time() < policy.quiet_until or closes.time() > policy.quiet_from:
        return Refusal("outside_hours", _("We do not deliver at that time of day."))
    return None


def refuse_width(window: TimeWindow, policy: PolicyLike) -> Refusal | None:
    """Shoppers choose windows as wide as the shop's; narrower ones are not for sale here."""
    if window.width < timedelta(minutes=policy.window_minutes):
        return Refusal("too_narrow", _("Please choose a longer time window."))
    return None


def horizon(policy: PolicyLike, now: datetime, zone: ZoneInfo) -> list[date]:
    """Today and the days after it that may be chosen."""
    today = now.astimezone(zone).date()
    return [today + timedelta(days=days) for days in range(policy.days_ahead + 1)]


def grid(policy: PolicyLike, days: Iterable[date], now: datetime, zone: ZoneInfo) -> list[TimeWindow]:
    """The windows of these days that may be asked for: one after the other between the quiet hours, none too soon."""
    soonest = now + timedelta(minutes=policy.cutoff_minutes)
    return [window for day in days for window in _of_day(policy, day, zone) if window.latest > soonest]


def whole_day(policy: PolicyLike, day: date, zone: ZoneInfo) -> TimeWindow | None:
    """All of a day between the quiet hours; None when there is nothing between them."""
    opens, closes = _local(day, policy.quiet_until, zone), _local(day, policy.quiet_from, zone)
    return TimeWindow(opens, closes) if closes - opens >= SHORTEST_WINDOW else None


def saved_grams(added: int, feasible: Iterable[int]) -> int:
    """How much less CO2e a window adds to the plan than all that are possible do on average; 0 for none."""
    amounts = list(feasible)
    return max(0, sum(amounts) // len(amounts) - added) if amounts else 0


def _of_day(policy: PolicyLike, day: date, zone: ZoneInfo) -> Iterator[TimeWindow]:
    # Steps are taken in UTC, so that a window keeps its length on the day the clocks change.
    start, end = _local(day, policy.quiet_until, zone), _local(day, policy.quiet_from, zone)
    width = timedelta(minutes=policy.window_minutes)
    while width > timedelta(0) and start + width <= end:
        yield TimeWindow(start, start + width)
        start += width


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
