"""Offers of rescheduling and redirection as lines to choose from, grouped and in words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.core.time_windows import TimeWindow
from apps.tracking.day_words import day_heading, day_words, local_day, range_words, time_words

_KEY = re.compile(r"(\d{9,11})-(\d{9,11})", re.ASCII)
_METRES_PER_MINUTE_ON_FOOT = 80
_WALKING_METRES = 1600
_LEAST_GRAMS = 10


@dataclass(frozen=True)
class OfferLine:
    """`key` travels in URLs and forms; a closed line says why, and whether a search may open it (`asks`)."""

    key: str
    range: str
    is_open: bool
    reason: str = ""
    is_green: bool = False
    is_tight: bool = False
    is_current: bool = False
    saves: str = ""
    asks: bool = False


@dataclass
class OfferDay:
    heading: str
    offers: list[OfferLine] = field(default_factory=list)
    closed_words: str = ""


@dataclass(frozen=True)
class PointLine:
    code: str
    icon: str
    name: str
    address: str
    distance: str
    is_open: bool
    reason: str = ""
    hours: str = ""
    ready: str = ""


def key_of(window: TimeWindow) -> str:
    return f"{int(window.earliest.timestamp())}-{int(window.latest.timestamp())}"


def window_from(key: str) -> TimeWindow | None:
    """The window a key stands for; None when it is not a key."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    earliest, latest = (datetime.fromtimestamp(int(seconds), UTC) for seconds in match.groups())
    return TimeWindow(earliest, latest) if earliest <= latest else None


def offer_days(offers: Iterable[Any], zone: str, current: TimeWindow | None = None) -> list[OfferDay]:
    """WindowOffers by day in the order of time. A day on which nothing fits is one sentence, not a list of refusals."""
    days: dict[Any, OfferDay] = {}
    for offer in sorted(offers, key=lambda offer: offer.window.earliest):
        day = local_day(offer.window.earliest, zone)
        group = days.setdefault(day, OfferDay(day_heading(day, zone)))
        group.offers.append(_offer_line(offer, zone, is_current=offer.window == current))
    for group in days.values():
        reasons = {line.reason for line in group.offers}
        if not any(line.is_open or line.is_current or line.asks for line in group.offers) and len(reasons) == 1:
            group.offers, group.closed_words = [], reasons.pop()
    return list(days.values())


def _offer_line(offer: Any, zone: str, *, is_current: bool) -> OfferLine:
    return OfferLine(
        key=key_of(offer.window),
        range=range_words(offer.window, zone),
        is_open=offer.feasible and not is_current,
        reason="" if offer.feasible else closed_offer(offer.reason),
        is_green=getattr(offer, "green", False),
        is_tight=offer.tight,
        is_current=is_current,
        saves=grams_words(getattr(offer, "saved_grams", 0)),
        asks=not offer.feasible and not is_current and offer.reason == "others",
    )


def grams_words(grams: int) -> str:
    """CO2 in the unit people read it in; "" for what is not worth a word."""
    if grams < _LEAST_GRAMS:
        return ""
    if grams < 1000:
        return _("%(grams)s g") % {"grams": round(grams, -1)}
    return _("%(kilograms)s kg") % {"kilograms": number_format(grams / 1000, 1)}


def closed_offer(reason: str | None) -> str:
    """Why a window cannot be had: the planner's code in a few words; a sentence is passed on as it is."""
    words = {
        "no_vehicle": _("No van drives then."),
        "closed": _("It is closed then."),
        "skills": _("No van is equipped for it then."),
        "zone": _("No van drives there then."),
        "left_depot": _("The vans have already left."),
        "capacity": _("The vans are full then."),
        "unreachable": _("No van gets there."),
        "window": _("No van can be there then."),
        "others": _("It would delay somebody else."),
    }.get(reason or "")
    if words:
        return words
    return reason if reason and " " in reason else _("No van can be there then.")


def point_lines(offers: Sequence[Any], zone: str) -> list[PointLine]:
    return [_point_line(offer, zone) for offer in offers]


def place_words(place: Any) -> str:
    """ "Post Vaduz, Äulestrasse 38" for a Place or a point with a name, else "Landstrasse 12, Vaduz"."""
    street = f"{place.street} {place.house_number}".strip()
    return f"{place.name}, {street}" if place.name else f"{street}, {place.town}"


def _point_line(offer: Any, zone: str) -> PointLine:
    point = offer.point
    earliest: TimeWindow | None = getattr(offer, "earliest", None)
    hours = getattr(offer, "opening_today", "") or ""
    return PointLine(
        code=point.code,
        icon="mail" if point.kind == "post_office" else "store",
        name=point.name,
        address=f"{point.street} {point.house_number}, {point.town}".replace(" ,", ","),
        distance=distance_words(offer.distance_metres),
        is_open=bool(offer.fits),
        reason=closed_point(offer.reason) if not offer.fits else "",
        hours=str(hours),
        ready=ready_words(earliest, zone) if offer.fits else "",
    )


def ready_words(window: TimeWindow | None, zone: str) -> str:
    """ "There today by 18:00": the van comes while the point is open, at the latest when it closes."""
    if window is None:
        return ""
    day = day_words(local_day(window.latest, zone), zone)
    return _("There %(day)s by %(time)s") % {"day": day, "time": time_words(window.latest, zone)}


def closed_point(reason: str | None) -> str:
    words = {
        "too_large": _("Your parcel is too large for it."),
        "too_heavy": _("Your parcel is too heavy for it."),
        "full": _("No room there at the moment."),
        "closed": _("Closed on the days we could bring it."),
        "closed_today": _("Closed today."),
        "unreachable": _("No van gets there in time."),
        "here": _("It is going there already."),
    }.get(reason or "")
    return words or (reason if reason and " " in reason else _("Not possible right now."))


def distance_words(metres: float) -> str:
    """ "450 m, 6 min on foot" or "2.4 km"."""
    if metres < _WALKING_METRES:
        minutes, rounded = max(1, round(metres / _METRES_PER_MINUTE_ON_FOOT)), max(50, round(metres / 50) * 50)
        return _("%(metres)s m, %(minutes)s min on foot") % {
            "metres": rounded,
            "minutes": minutes,
        }
    return _("%(km).1f km") % {"km": metres / 1000}
