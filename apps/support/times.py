"""Which times a delivery could have, and what keeps the vans from the others: what an agent tells who asks."""

from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries import selectors, words
from apps.deliveries.models import Delivery
from apps.deliveries.states import ENDED
from apps.rescheduling.services import WindowOffer, offer_windows
from apps.routing import services as routing


@dataclass(frozen=True, slots=True)
class TimeLine:
    """One window. `against` has a sentence per van, the nearest first, where it does not fit."""

    window: str
    fits: bool
    words: str
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """By day; `refused` says why nothing can be offered at all."""

    days: tuple[tuple[str, tuple[TimeLine, ...]], ...] = ()
    refused: str = ""


def times_of(delivery: Delivery) -> Times:
    """The windows the customer is offered, judged by the standing plans as they are now."""
    if delivery.state in ENDED:
        return Times(refused=_("Nothing: the delivery has ended."))
    try:
        offers = offer_windows(delivery=delivery)
    except Refused as refused:
        return Times(refused=refused.message)
    missing = [offer.window for offer in offers if not offer.feasible]
    against = routing.obstacles(delivery=delivery, windows=missing)
    zone = selectors.zone_of(delivery)
    days = groupby(offers, key=lambda offer: words.day_words(offer.window.earliest.astimezone(zone)))
    return Times(tuple((day, tuple(_line(one, against, zone) for one in group)) for day, group in days))


def _line(offer: WindowOffer, against: dict[TimeWindow, tuple[str, ...]], zone: ZoneInfo) -> TimeLine:
    start, end = offer.window.earliest.astimezone(zone), offer.window.latest.astimezone(zone)
    window = f"{start:%H:%M}–{end:%H:%M}"
    if not offer.feasible:
        return TimeLine(window, False, routing.refusal(offer.reason).message, against.get(offer.window, ()))
    arrival = f"{offer.arrival.astimezone(zone):%H:%M}" if offer.arrival else window
    return TimeLine(window, True, _("It fits: a van would come at %(time)s.") % {"time": arrival})
