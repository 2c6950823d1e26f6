"""Pure rules: may this delivery still go elsewhere, what fits into a point, and how long a stop there takes."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.states import ENDED, OPEN, State

# A stop at a counter: hello, then so long for each parcel.
POINT_SECONDS, POINT_SECONDS_PER_PARCEL = 60, 30
# What counters take: the sum of the sides may be this much of the longest side allowed (120 cm and 220 cm).
_SUM_OF_SIDES = 11 / 6


class Sized(Protocol):
    weight_grams: int
    length_millimetres: int
    width_millimetres: int
    height_millimetres: int


class Counter(Protocol):
    largest_millimetres: int
    heaviest_grams: int


class Allowed(Protocol):
    allow_place_change: bool
    change_limit: int
    cutoff_minutes: int


def misfit(parcels: Sequence[Sized], point: Counter) -> str:
    """Why a parcel cannot be kept at a point ("too_heavy", "too_large"), however it is turned; empty when all can."""
    if any(parcel.weight_grams > point.heaviest_grams for parcel in parcels):
        return "too_heavy"
    for parcel in parcels:
        sides = (parcel.length_millimetres, parcel.width_millimetres, parcel.height_millimetres)
        if max(sides) > point.largest_millimetres or sum(sides) > point.largest_millimetres * _SUM_OF_SIDES:
            return "too_large"
    return ""


def check_place_change(
    *, state: str, policy: Allowed, change_count: int, arrival: datetime | None, now: datetime, counts: bool
) -> None:
    """Raises Refused when the place can no longer be changed.

    `arrival` is the earliest expected of a van that has left; `counts` says that a shopper asks, whom policy binds.
    """
    if state in ENDED:
        raise Refused("ended", _("This delivery has ended. It can no longer be changed."))
    if state not in OPEN and state != State.FAILED:
        raise Refused("too_late", _("The parcel cannot be sent elsewhere any more."))
    if not counts:
        return
    if not policy.allow_place_change:
        raise Refused("policy", _("This shop does not offer another place."))
    if change_count >= policy.change_limit:
        raise Refused("limit", _("This delivery has been changed as often as the shop allows."))
    if arrival is not None and arrival - now < timedelta(minutes=policy.cutoff_minutes):
        raise Refused("cutoff", _("The van is nearly there. It is too late to send it elsewhere."))


def check_window(window: TimeWindow, zone: ZoneInfo, days: Sequence[date]) -> None:
    """Raises Refused for a window that reaches beyond one of the days that may be chosen."""
    first, last = window.earliest.astimezone(zone).date(), window.latest.astimezone(zone).date()
    if first != last or first not in days:
        raise Refused("horizon", _("That day cannot be chosen."))


def point_service_seconds(parcels: int) -> int:
    return POINT_SECONDS + POINT_SECONDS_PER_PARCEL * parcels
