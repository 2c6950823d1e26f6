"""The messages of a page in words: who spoke, what, and how far it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.feedback.rules import READY_SENTENCES
from apps.tracking.day_words import capitalised, moment_words
from apps.tracking.reason_words import closed_reason

Document = Mapping[str, Any]


@dataclass(frozen=True)
class MessageWords:
    """`is_own`: the reader's side of it. `text` is as somebody typed it, `sentence` ours in the reader's language."""

    is_own: bool
    who: str
    text: str
    sentence: str
    when: str
    mark: str
    is_read: bool


@dataclass(frozen=True)
class ThreadWords:
    messages: list[MessageWords]
    is_open: bool
    label: str
    reader: str
    closed: str
    has_hidden: bool


def thread_words(doc: Document) -> ThreadWords | None:
    """None where there is no thread."""
    found = doc.get("thread")
    if not found:
        return None
    lines = [_line(one, doc["zone"]) for one in found["messages"]]
    return ThreadWords(
        messages=lines,
        is_open=found["open"],
        label=_("Write another message") if lines else _("Write a message"),
        reader=reader_words(found["reader"]) if found["open"] else "",
        closed="" if found["open"] else closed_reason(found["reason"]),
        has_hidden=any(one["hidden"] for one in found["messages"]),
    )


def reader_words(reader: str | None) -> str:
    """Who will read what is written now."""
    if reader == "driver":
        return _("Your driver reads it before your stop.")
    return _("The help desk reads it. Once the van is near, you can write to the driver.")


def _line(one: Document, zone: str) -> MessageWords:
    is_own = one["by"] == "shopper"
    return MessageWords(
        is_own=is_own,
        who={"shopper": _("You"), "driver": _("The driver"), "desk": _("The help desk")}[one["by"]],
        text=one["text"] or "",
        sentence=str(READY_SENTENCES.get(one["sentence"] or "", "")) or (_hidden(is_own) if one["hidden"] else ""),
        when=capitalised(moment_words(datetime.fromisoformat(one["at"]), zone)),
        mark=_mark(one, zone) if is_own else "",
        is_read=bool(one["read"]),
    )


def _hidden(is_own: bool) -> str:
    return _("Your message") if is_own else _("An answer for you")


def _mark(one: Document, zone: str) -> str:
    if one["read"]:
        return _("Read by the driver, %(when)s") % {"when": moment_words(datetime.fromisoformat(one["read"]), zone)}
    if not one["to_driver"]:
        return _("Sent to the help desk")
    return _("On the driver's phone") if one["delivered"] else _("Sent")
