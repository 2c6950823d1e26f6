"""The rows under the map: what may be changed now, what it would mean, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.deliveries.states import State
from apps.tracking.reason_words import closed_reason

Document = Mapping[str, Any]
VISIBLE = 3


@dataclass(frozen=True)
class ActionRow:
    """`code` is also the key of the page's `paths`."""

    code: str
    icon: str
    label: str
    consequence: str
    is_open: bool
    needs_code: bool
    url: str = ""


_ICONS = {"time": "calendar-clock", "place": "map-pin", "instructions": "message-square-text", "cancel": "circle-x"}


def shared_reason(rows: list[ActionRow]) -> str:
    """The one reason why nothing can be changed, to be said once instead of in every row."""
    reasons = {row.consequence for row in rows}
    return reasons.pop() if len(reasons) == 1 and not any(row.is_open for row in rows) else ""


def action_rows(doc: Document, paths: Mapping[str, str]) -> tuple[list[ActionRow], list[ActionRow]]:
    """(at most three rows to show, the rest for "More"); cancelling is never among the first."""
    if doc["ended"] or doc["view_only"]:
        return [], []
    rows = [_row(action, doc, paths) for action in doc["actions"] if action["code"] in _ICONS]
    first = [row for row in rows if row.code != "cancel"]
    return first[:VISIBLE], first[VISIBLE:] + [row for row in rows if row.code == "cancel"]


def _row(action: Document, doc: Document, paths: Mapping[str, str]) -> ActionRow:
    code, is_open = action["code"], bool(action["open"])
    needs_code = bool(action.get("needs_code")) and doc["tier"] != "verified"
    return ActionRow(
        code=code,
        icon=_ICONS[code],
        label=_label(code, doc),
        consequence=_consequence(code, doc) if is_open else closed_reason(action.get("reason")),
        is_open=is_open,
        needs_code=needs_code and is_open,
        url=paths.get(code, ""),
    )


def _label(code: str, doc: Document) -> str:
    if code == "time":
        return _("Choose a new time") if doc["status"] == State.FAILED else _("Change the time")
    if code == "instructions" and doc.get("instruction"):
        return _("Change the instructions")
    return {
        "place": _("Send it somewhere else"),
        "instructions": _("Tell the driver something"),
        "cancel": _("Cancel the delivery"),
    }[code]


def _consequence(code: str, doc: Document) -> str:
    if code == "place" and doc["place"]["kind"] != "address":
        return _("Your own address or another pick-up point")
    return {
        "time": _("Today or one of the next days, free"),
        "place": _("A pick-up point near you or another address"),
        "instructions": _("A safe place, a door code or a note"),
        "cancel": _("It goes back to the sender"),
    }[code]
