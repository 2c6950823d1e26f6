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
    "eta_moved": gettext_lazy("The van's time has moved. We now expect {window}."),
    "stop_unserved": gettext_lazy("No van can bring it in the agreed time."),
    "delivered": gettext_lazy("Delivered."),
    "failed": gettext_lazy("We could not deliver: {reason}."),
    "at_point": gettext_lazy("Ready to collect."),
    "collected": gettext_lazy("Collected."),
    "returning": gettext_lazy("The parcel is on its way back to the sender."),
    "returned": gettext_lazy("The parcel is back with the sender."),
    "cancelled": gettext_lazy("The delivery was cancelled."),
    "window_changed": gettext_lazy("New time: {window}."),
    "window_widened": gettext_lazy("The time we told you no longer fits. We now expect {window}."),
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
    "contact_tried": gettext_lazy("The driver tried to reach the recipient ({channel})."),
    "proof_flagged": gettext_lazy("Look at this: {flags}."),
    "failure_withdrawn": gettext_lazy("The driver had handed it over; the phone had no signal until now."),
    "attempt_disputed": gettext_lazy("You told us that you were there."),
    "dispute_decided": gettext_lazy("We have checked that attempt."),
    "driver_unread": gettext_lazy("The driver has not confirmed a change."),
}

# Why a stop did not work out; the prefix says whose side it was on (standards: Karrio's incident reasons).
FAILURE_REASONS: dict[str, LazyText] = {
    "consignee_not_home": gettext_lazy("nobody answered the door"),
    "consignee_refused": gettext_lazy("the parcel was not accepted"),
    "consignee_access_restricted": gettext_lazy("we could not get to the door"),
    "consignee_incorrect_address": gettext_lazy("we could not find the address"),
    "consignee_business_closed": gettext_lazy("the business was closed"),
    "consignee_safe_place_unavailable": gettext_lazy("the safe place could not be used"),
    "consignee_verification_failed": gettext_lazy("we could not check who may take it"),
    "consignee_unpaid": gettext_lazy("the amount due was not paid"),
    "carrier_damaged_parcel": gettext_lazy("the parcel was damaged"),
    "carrier_parcel_lost": gettext_lazy("the parcel was not on the van"),
    "carrier_not_enough_time": gettext_lazy("the van ran out of time"),
    "carrier_no_parking": gettext_lazy("there was no place to stop the van"),
    "carrier_missing_proof": gettext_lazy("the proof that the sender asks for could not be taken"),
    "carrier_vehicle_issue": gettext_lazy("the van had a problem"),
    "carrier_road_closed": gettext_lazy("the road was closed"),
    "carrier_capacity_exceeded": gettext_lazy("the pick-up point had no room"),
    "sender_not_ready": gettext_lazy("the shop did not have it ready"),
    "sender_closed": gettext_lazy("the shop was closed"),
    "weather_delay": gettext_lazy("the weather stopped us"),
}

# What follows from it, for the recipient; every reason has one.
_NEXT_ANOTHER_TIME = gettext_lazy("Choose another time, or a place where it can wait for you.")
_NEXT_BY_ITSELF = gettext_lazy("We try again on the next working day. You can choose another time.")
_NEXT_ADDRESS = gettext_lazy("Check the address and tell us how to find you.")
_NEXT_CONTACT = gettext_lazy("The shop is in touch with you about what happens next.")
NEXT_STEPS: dict[str, LazyText] = {
    "consignee_not_home": _NEXT_ANOTHER_TIME,
    "consignee_refused": _NEXT_CONTACT,
    "consignee_access_restricted": gettext_lazy("Tell us how to get in, or choose another place."),
    "consignee_incorrect_address": _NEXT_ADDRESS,
    "consignee_business_closed": _NEXT_ANOTHER_TIME,
    "consignee_safe_place_unavailable": gettext_lazy("Choose another place for it, or a time when you are in."),
    "consignee_verification_failed": gettext_lazy("Choose a time when you are in, and have your document ready."),
    "consignee_unpaid": gettext_lazy("Choose another time, and have the amount ready."),
    "carrier_damaged_parcel": _NEXT_CONTACT,
    "carrier_parcel_lost": _NEXT_CONTACT,
    "carrier_not_enough_time": _NEXT_BY_ITSELF,
    "carrier_no_parking": _NEXT_BY_ITSELF,
    "carrier_missing_proof": _NEXT_ANOTHER_TIME,
    "carrier_vehicle_issue": _NEXT_BY_ITSELF,
    "carrier_road_closed": _NEXT_BY_ITSELF,
    "carrier_capacity_exceeded": gettext_lazy("Choose another pick-up point or a time at your door."),
    "sender_not_ready": _NEXT_BY_ITSELF,
    "sender_closed": _NEXT_BY_ITSELF,
    "weather_delay": _NEXT_BY_ITSELF,
}

CONTACT_CHANNELS: dict[str, LazyText] = {
    "call": gettext_lazy("call"),
    "sms": gettext_lazy("text message"),
    "bell": gettext_lazy("doorbell"),
}
# What does not fit together about a proof or an attempt, for staff.
FLAGS: dict[str, LazyText] = {
    "photo_far": gettext_lazy("the photo was taken far from the stop"),
    "attempt_far": gettext_lazy("the van was not at the door"),
    "place_unknown": gettext_lazy("nobody knows where the van was"),
    "no_contact": gettext_lazy("the recipient was not called"),
    "no_wait": gettext_lazy("the driver did not wait"),
    "code_skipped": gettext_lazy("handed over without the code"),
    "wrong_amount": gettext_lazy("another amount than the one due was paid"),
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
    filled["channel"] = str(CONTACT_CHANNELS.get(str(data.get("channel", "")), ""))
    filled["flags"] = ", ".join(str(FLAGS.get(flag, flag)) for flag in data.get("flags", ()))
    if data.get("to"):
        earliest, latest = (datetime.fromisoformat(instant) for instant in data["to"])
        filled["window"] = window_words(earliest, latest, zone=zone)
    return str(sentence).format(**filled)


def reason_words(code: str) -> str:
    """Why a stop did not work out, as part of a sentence."""
    return str(FAILURE_REASONS.get(code) or _SHORT_REASONS.get(code) or _("something got in the way"))


def next_step_words(code: str) -> str:
    """What follows for the recipient from a stop that did not work out."""
    return str(NEXT_STEPS.get(code, _NEXT_ANOTHER_TIME))


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
