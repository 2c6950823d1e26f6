"""What happened, in words people use: the same on the page, in messages and for support agents."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.utils import dateformat
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import clock

# Timeline codes and the sentence for each; {window} and {reason} are filled from the entry's data.
TIMELINE: dict[str, LazyText] = {
    "created": gettext_lazy("We received the order."),
    "planned": gettext_lazy("Your delivery has a place on a route."),
    "arrived": gettext_lazy("The parcel reached our depot."),
    "loaded": gettext_lazy("The parcel is on the van."),
    "out": gettext_lazy("The van is on its way."),
    "next_stop": gettext_lazy("You are the next stop."),
    "stop_unserved": gettext_lazy("No van can bring it in the agreed time."),
    "delivered": gettext_lazy("Delivered."),
    "failed": gettext_lazy("We could not deliver: {reason}."),
    "at_point": gettext_lazy("Ready to collect."),
    "collected": gettext_lazy("Collected."),
    "returning": gettext_lazy("The parcel is on its way back to the sender."),
    "returned": gettext_lazy("The parcel is back with the sender."),
    "cancelled": gettext_lazy("The delivery was cancelled."),
    "window_changed": gettext_lazy("New time: {window}."),
    "place_changed_point": gettext_lazy("The delivery now goes to a pick-up point."),
    "place_changed_address": gettext_lazy("The delivery now goes to another address."),
    "place_changed_home": gettext_lazy("The delivery goes to your door again."),
    "instructions_saved": gettext_lazy("Your instructions were saved."),
    "instructions_acknowledged": gettext_lazy("The driver has read your instructions."),
    "code_revealed": gettext_lazy("The driver looked at the door code."),
    "step_up_requested": gettext_lazy("A one-time code was requested."),
    "step_up_passed": gettext_lazy("A one-time code was confirmed."),
    "link_rotated": gettext_lazy("The tracking link was replaced or withdrawn."),
    "promise_opened": gettext_lazy("The customer was told a time (version {version})."),
}

# Why a stop did not work out; the prefix says whose side it was on (standards: Karrio's incident reasons).
FAILURE_REASONS: dict[str, LazyText] = {
    "consignee_not_home": gettext_lazy("nobody answered the door"),
    "consignee_refused": gettext_lazy("the parcel was not accepted"),
    "consignee_access_restricted": gettext_lazy("we could not get to the door"),
    "consignee_incorrect_address": gettext_lazy("we could not find the address"),
    "consignee_business_closed": gettext_lazy("the business was closed"),
    "consignee_safe_place_unavailable": gettext_lazy("the safe place could not be used"),
    "carrier_damaged_parcel": gettext_lazy("the parcel was damaged"),
    "carrier_parcel_lost": gettext_lazy("the parcel was not on the van"),
    "carrier_not_enough_time": gettext_lazy("the van ran out of time"),
    "carrier_vehicle_issue": gettext_lazy("the van had a problem"),
    "carrier_capacity_exceeded": gettext_lazy("the pick-up point had no room"),
    "weather_delay": gettext_lazy("the weather stopped us"),
}

# The same without whose side it was on: "not_home".
_SHORT_REASONS = {code.partition("_")[2]: words for code, words in FAILURE_REASONS.items()}


def timeline_sentence(code: str, data: Mapping[str, Any] | None = None, *, zone: tzinfo) -> str:
    """The sentence for a timeline entry, with times in the delivery's zone."""
    data = data or {}
    sentence = TIMELINE.get(code)
    if sentence is None:
        return ""
    filled = {"reason": reason_words(str(data.get("reason", ""))), "window": "", "version": data.get("version", "")}
    if data.get("to"):
        earliest, latest = (datetime.fromisoformat(instant) for instant in data["to"])
        filled["window"] = window_words(earliest, latest, zone=zone)
    return str(sentence).format(**filled)


def reason_words(code: str) -> str:
    """Why a stop did not work out, as part of a sentence."""
    return str(FAILURE_REASONS.get(code) or _SHORT_REASONS.get(code) or _("something got in the way"))


def window_words(earliest: datetime, latest: datetime, *, zone: tzinfo) -> str:
    """Day and range: "today, 14:00–16:00", "Thu 12 March, 08:00–10:00"."""
    start, end = earliest.astimezone(zone), latest.astimezone(zone)
    return f"{day_words(start)}, {start:%H:%M}–{end:%H:%M}"


def day_words(local: datetime) -> str:
    """Today, tomorrow, or the weekday and date, as seen from the delivery's zone."""
    days = (local.date() - clock.now().astimezone(local.tzinfo).date()).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    return dateformat.format(local, "D j F")
