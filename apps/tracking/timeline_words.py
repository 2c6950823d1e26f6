"""One sentence and one icon per entry of the timeline; the sentences are those of messages and agents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.deliveries.states import State
from apps.deliveries.words import timeline_sentence
from apps.tracking.day_words import capitalised, moment_words

Document = Mapping[str, Any]


@dataclass(frozen=True)
class TimelineLine:
    icon: str
    sentence: str
    when: str
    instant: str


_ICONS = {
    "created": "package-open",
    "planned": "calendar-clock",
    "arrived": "warehouse",
    "loaded": "package",
    "out": "truck",
    "next_stop": "navigation",
    "stop_unserved": "circle-alert",
    "delivered": "package-check",
    "failed": "circle-alert",
    "at_point": "store",
    "collected": "package-check",
    "returning": "undo-2",
    "returned": "undo-2",
    "cancelled": "circle-x",
    "window_changed": "calendar-clock",
    "window_widened": "timer",
    "eta_moved": "timer",
    "contact_tried": "phone",
    "place_changed_point": "store",
    "place_changed_address": "map-pin",
    "place_changed_home": "house",
    "instructions_saved": "message-square-text",
    "instructions_acknowledged": "check",
    "failure_withdrawn": "package-check",
    "attempt_disputed": "message-square-text",
    "dispute_decided": "check",
}

TELLS_A_WINDOW = frozenset({"window_changed", "window_widened", "eta_moved"})
"""In a change of state "to" is a state, here it is a window."""


def timeline_lines(doc: Document) -> list[TimelineLine]:
    """The document's timeline in words, in its own order (newest first); what has no words is left out."""
    lines = []
    for entry in doc["timeline"]:
        data = entry.get("data") or {}
        code = short_code(entry["code"], data)
        shown = {key: data[key] for key in data if key != "to" or code in TELLS_A_WINDOW}
        sentence = timeline_sentence(code, shown, zone=ZoneInfo(doc["zone"]))
        if sentence:
            when = capitalised(moment_words(datetime.fromisoformat(entry["at"]), doc["zone"]))
            lines.append(TimelineLine(_ICONS.get(code, "info"), sentence, when, entry["at"]))
    return lines


def short_code(kind: str, data: Document) -> str:
    """The code words are kept under: "out" for a change of state to *out*, "window_changed" for its event."""
    if kind == "delivery.state_changed":
        return str(data.get("to", ""))
    code = kind.removeprefix("delivery.").replace("instructions.", "instructions_").removeprefix("routing.")
    if code != "place_changed":
        return code
    if data.get("home"):
        return "place_changed_home"
    return "place_changed_address" if data.get("to_kind") == "address" else "place_changed_point"


def last_time(doc: Document, state: State) -> datetime | None:
    """When the delivery last came into `state`, as far as its timeline tells."""
    for entry in doc["timeline"]:
        if short_code(entry["code"], entry.get("data") or {}) == state:
            return datetime.fromisoformat(entry["at"])
    return None
