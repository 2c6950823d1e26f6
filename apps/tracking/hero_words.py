"""The answer at the top of the page: what is happening, when exactly, and one calm sentence why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.time_windows import TimeWindow
from apps.deliveries.states import State
from apps.deliveries.words import next_step_words
from apps.tracking.day_words import (
    capitalised,
    day_words,
    local_day,
    moment_words,
    range_words,
    reader_locale,
    time_words,
    window_words,
)
from apps.tracking.reason_words import failure_sentence
from apps.tracking.timeline_words import last_time

Document = Mapping[str, Any]
STEPS = 4
_ABOUT_THE_PLAN = frozenset(
    {
        "stop_unserved",
        "window_changed",
        "place_changed_point",
        "place_changed_address",
        "place_changed_home",
        "failed",
        "returning",
    }
)


@dataclass(frozen=True)
class Hero:
    """`lead` and `time` together are the headline; `tone` picks the status colour, `step` of STEPS the progress."""

    tone: str
    icon: str
    status: str
    lead: str
    time: str
    sentence: str
    step: int = 0
    note: str = ""

    @property
    def headline(self) -> str:
        return f"{self.lead} {self.time}".strip()


def window_of(pair: list[str] | None) -> TimeWindow | None:
    if not pair:
        return None
    earliest, latest = (datetime.fromisoformat(instant) for instant in pair)
    return TimeWindow(earliest, latest)


def hero(doc: Document, brand_name: str) -> Hero:
    if _is_without_van(doc):
        return _without_van()
    return _HEROES[State(doc["status"])](doc, brand_name)


def _is_without_van(doc: Document) -> bool:
    """The last that was said of the plan is that no van brings it."""
    if doc["eta"] or doc["status"] not in (State.CREATED, State.PLANNED, State.ARRIVED, State.LOADED):
        return False
    codes = (entry["code"] for entry in doc["timeline"])
    return next((code for code in codes if code in _ABOUT_THE_PLAN), "") == "stop_unserved"


def _without_van() -> Hero:
    sentence = _("No van can bring your parcel in the agreed time. We are sorry. Please choose another time.")
    return Hero("bad", "circle-alert", _("New time needed"), _("We cannot come as agreed"), "", sentence, step=1)


def _expected(doc: Document) -> TimeWindow:
    window = window_of(doc["eta"]) or window_of(doc["window"])
    if window is None:
        raise ValueError("A page document always has a window.")
    return window


def _arriving(doc: Document) -> tuple[str, str]:
    """("Arriving today,", "14:10–14:40"); on the way to a point what counts is when it can be collected."""
    window, zone = _expected(doc), doc["zone"]
    if doc["place"]["kind"] != "address":
        day = day_words(local_day(window.latest, zone), zone)
        time = _("by %(time)s") % {"time": time_words(window.latest, zone)}
        return _("Ready to collect %(day)s") % {"day": day}, time
    day = day_words(local_day(window.earliest, zone), zone)
    lead = {
        _("today"): _("Arriving today,"),
        _("tomorrow"): _("Arriving tomorrow,"),
    }.get(day, _("Arriving %(day)s,") % {"day": day})
    return lead, range_words(window, zone)


def _late_note(doc: Document) -> str:
    told = window_of(doc["late_for"])
    if told is None:
        return ""
    words = {"window": range_words(told, doc["zone"])}
    if doc["late_for"] == doc["window"]:
        return _("Later than the %(window)s we agreed. We are sorry.") % words
    return _("Later than the %(window)s we told you. We are sorry.") % words


def _created(doc: Document, brand: str) -> Hero:
    lead, time = _arriving(doc)
    sentence = _("%(brand)s has told us about your parcel. The time gets more exact once it is on a van's plan.")
    return Hero("plain", "package-open", _("Order received"), lead, time, sentence % {"brand": brand}, step=1)


def _planned(doc: Document, brand: str) -> Hero:
    lead, time = _arriving(doc)
    sentence = _("Your parcel has its place in the plan. We will narrow the time down on the day.")
    return Hero("plain", "calendar-clock", _("Planned"), lead, time, sentence, step=1, note=_late_note(doc))


def _at_depot(doc: Document, brand: str) -> Hero:
    lead, time = _arriving(doc)
    sentence = _("Your parcel is at our depot and ready for its van.")
    return Hero("plain", "warehouse", _("At the depot"), lead, time, sentence, step=2, note=_late_note(doc))


def _loaded(doc: Document, brand: str) -> Hero:
    lead, time = _arriving(doc)
    sentence = _("Your parcel is on the van. It will set off soon.")
    return Hero("plain", "package", _("On the van"), lead, time, sentence, step=2, note=_late_note(doc))


def _out(doc: Document, brand: str) -> Hero:
    lead, time = _arriving(doc)
    away = doc["stops_away"]
    if doc["late"]:
        status, tone, icon = _("Running late"), "warn", "timer"
    elif away == 0:
        status, tone, icon = _("You are next"), "live", "navigation"
    else:
        status, tone, icon = _("Out for delivery"), "live", "truck"
    words = f"{_distance_sentence(doc)} {eta_reason_words(doc)}".strip()
    return Hero(tone, icon, status, lead, time, words, step=3, note=_late_note(doc))


def eta_reason_words(doc: Document) -> str:
    """Why the time has moved, or is less sure than usual."""
    return {
        "stale_position": _("We have not heard from the van for a while, so the time is less sure."),
        "off_route": _("The van is on another road than planned, so the time may still move."),
        "traffic": _("Traffic is slower than usual. The time allows for it."),
        "behind": _("Earlier stops took longer than planned."),
    }.get(doc.get("eta_reason") or "", "")


def _distance_sentence(doc: Document) -> str:
    away = doc["stops_away"]
    if away is None:
        return _("The driver is on the way.")
    if away == 0:
        return _("The driver is coming to you now.")
    words = ngettext("%(count)d stop before yours.", "%(count)d stops before yours.", away) % {"count": away}
    if not doc["van"]["visible"]:
        words += " " + _("You can follow the van on the map when it is closer.")
    return words


def _failed(doc: Document, brand: str) -> Hero:
    reason = (doc["failure"] or {}).get("reason") or ""
    sentence = f"{failure_sentence(reason)} {next_step_words(reason)}".strip()
    when = _last_time(doc, State.FAILED)
    lead = _("We could not deliver") if when is None else _("We could not deliver %(day)s,")
    if when is None:
        return Hero("bad", "circle-alert", _("Not delivered"), lead, "", sentence, step=3)
    lead %= {"day": day_words(local_day(when, doc["zone"]), doc["zone"])}
    return Hero("bad", "circle-alert", _("Not delivered"), lead, time_words(when, doc["zone"]), sentence, step=3)


def _at_point(doc: Document, brand: str) -> Hero:
    until = (doc["collection"] or {}).get("until")
    time = ""
    if until:
        time = _("until %(moment)s") % {"moment": moment_words(datetime.fromisoformat(until), doc["zone"])}
    place = doc["place"]
    where = ", ".join(part for part in (place.get("name"), place.get("street"), place.get("town")) if part)
    return Hero("good", "store", _("At the pick-up point"), _("Ready to collect"), time, where, step=4)


def _delivered(doc: Document, brand: str) -> Hero:
    lead, time = _ended_at(doc, State.DELIVERED, _("Delivered"))
    return Hero("good", "package-check", _("Delivered"), lead, time, _proof_sentence(doc), step=STEPS)


def _proof_sentence(doc: Document) -> str:
    proof = doc["proof"] or {}
    if proof.get("received_by"):
        return _("Received by %(name)s.") % {"name": proof["received_by"]}
    return {
        "porch": _("Left on the porch."),
        "garage": _("Left in the garage."),
        "shed": _("Left in the garden shed."),
        "mailbox": _("Left in the mailbox."),
        "reception": _("Left with reception."),
        "in_person": _("Handed over at the door."),
    }.get(proof.get("left_at") or "", _("Your parcel has arrived."))


def _collected(doc: Document, brand: str) -> Hero:
    lead, time = _ended_at(doc, State.COLLECTED, _("Collected"))
    sentence = _("Handed out at %(place)s.") % {"place": doc["place"].get("name") or doc["place"]["town"]}
    return Hero("good", "package-check", _("Collected"), lead, time, sentence, step=STEPS)


def _returning(doc: Document, brand: str) -> Hero:
    sentence = _("%(brand)s will be in touch about what happens next.") % {"brand": brand}
    return Hero("warn", "undo-2", _("Going back"), _("On its way back to %(brand)s") % {"brand": brand}, "", sentence)


def _returned(doc: Document, brand: str) -> Hero:
    sentence = _("%(brand)s has your parcel again.") % {"brand": brand}
    return Hero("plain", "undo-2", _("Returned"), _("Back with %(brand)s") % {"brand": brand}, "", sentence)


def _cancelled(doc: Document, brand: str) -> Hero:
    sentence = _("Nothing will be delivered. %(brand)s can tell you about your money.") % {"brand": brand}
    return Hero("plain", "circle-x", _("Cancelled"), _("This delivery is cancelled"), "", sentence)


def _ended_at(doc: Document, state: State, word: str) -> tuple[str, str]:
    when = _last_time(doc, state)
    if when is None:
        return word, ""
    zone = doc["zone"]
    return f"{word} {day_words(local_day(when, zone), zone)},", time_words(when, zone)


def _last_time(doc: Document, state: State) -> datetime | None:
    proof = doc["proof"] or {}
    if state == State.DELIVERED and proof.get("at"):
        return datetime.fromisoformat(proof["at"])
    return last_time(doc, state)


def stops_words(doc: Document) -> str:
    """ "3 stops away" for the map's label; empty when unknown."""
    away = doc["stops_away"]
    if away is None:
        return ""
    return _("You are next") if away == 0 else ngettext("%(n)d stop away", "%(n)d stops away", away) % {"n": away}


def distance_words(doc: Document) -> str:
    """ "about 2.4 km to go"; empty when it is not told."""
    metres = doc.get("distance_metres")
    if metres is None:
        return ""
    if metres < 1_000:
        return _("about %(metres)s m to go") % {"metres": metres}
    return _("about %(km)s km to go") % {"km": format_decimal(metres / 1_000, "#,##0.#", locale=reader_locale())}


def agreed_words(doc: Document) -> str:
    """The agreed window, when it says something the headline does not."""
    window = window_of(doc["window"])
    return capitalised(window_words(window, doc["zone"])) if window else ""


_HEROES = {
    State.CREATED: _created,
    State.PLANNED: _planned,
    State.ARRIVED: _at_depot,
    State.LOADED: _loaded,
    State.OUT: _out,
    State.DELIVERED: _delivered,
    State.FAILED: _failed,
    State.AT_POINT: _at_point,
    State.COLLECTED: _collected,
    State.RETURNING: _returning,
    State.RETURNED: _returned,
    State.CANCELLED: _cancelled,
}
