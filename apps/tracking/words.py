"""The page in words: everything the templates say, made from the language-free document of state.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.deliveries.states import ON_A_VAN, OPEN, State
from apps.tracking.action_words import ActionRow, action_rows, shared_reason
from apps.tracking.day_words import capitalised, moment_words
from apps.tracking.hero_words import Hero, agreed_words, distance_words, hero, stops_words
from apps.tracking.hours_words import HoursLine, opening_today, opening_week
from apps.tracking.instruction_words import safe_place_words
from apps.tracking.order_words import OrderWords, order_words
from apps.tracking.thread_words import ThreadWords, thread_words
from apps.tracking.timeline_words import TimelineLine, timeline_lines

Document = Mapping[str, Any]
NEWEST_LINES = 3


@dataclass(frozen=True)
class PageWords:
    hero: Hero
    rows: list[ActionRow]
    more: list[ActionRow]
    all_closed: str
    newest: list[TimelineLine]
    earlier: list[TimelineLine]
    has_map: bool
    map_summary: str
    stops: str
    stops_alone: str
    distance: str
    agreed: str
    safe_place: str
    collect_until: str
    proof_caption: str
    can_rebook: bool
    hours_today: str
    hours_week: list[HoursLine]
    order: OrderWords | None
    failed_caption: str
    thread: ThreadWords | None


def page_words(doc: Document, brand: Mapping[str, Any], paths: Mapping[str, str]) -> PageWords:
    """Words in the reader's language, times in the delivery's zone."""
    top = hero(doc, brand["name"])
    rows, more = action_rows(doc, paths)
    lines = timeline_lines(doc)
    collection, proof = doc["collection"] or {}, doc["proof"] or {}
    hours = doc["place"].get("opening_hours")
    return PageWords(
        hero=top,
        rows=rows,
        more=more,
        all_closed=shared_reason(rows + more),
        newest=lines[:NEWEST_LINES],
        earlier=lines[NEWEST_LINES:],
        has_map=State(doc["status"]) in OPEN | {State.AT_POINT, State.FAILED} and bool(doc["destination"]),
        map_summary=_map_summary(doc),
        stops=" · ".join(filter(None, (stops_words(doc), distance_words(doc)))) if doc["status"] in ON_A_VAN else "",
        stops_alone=stops_words(doc) if doc["status"] in ON_A_VAN else "",
        distance=capitalised(distance_words(doc)),
        agreed=agreed_words(doc) if doc["status"] in OPEN else "",
        safe_place=safe_place_words((doc["instruction"] or {}).get("safe_place")),
        collect_until=_moment(collection.get("until"), doc["zone"]),
        proof_caption=_moment(proof.get("at"), doc["zone"]),
        can_rebook=doc["status"] == State.FAILED and any(row.code == "time" and row.is_open for row in rows),
        hours_today=opening_today(hours, doc["zone"]),
        hours_week=opening_week(hours, doc["zone"]),
        order=order_words(doc),
        failed_caption=_moment((doc["failure"] or {}).get("at"), doc["zone"]),
        thread=thread_words(doc),
    )


def _map_summary(doc: Document) -> str:
    """The map for those who cannot see it."""
    town = doc["place"].get("name") or doc["place"].get("town") or ""
    if doc["status"] in (State.AT_POINT, State.FAILED) or not doc["van"]["visible"]:
        return _("Map of where it goes: %(place)s.") % {"place": town}
    words = _("Map of the van on its way to %(place)s.") % {"place": town}
    stops = stops_words(doc)
    return f"{words} {stops}." if stops else words


def _moment(instant: str | None, zone: str) -> str:
    return capitalised(moment_words(datetime.fromisoformat(instant), zone)) if instant else ""
