"""An order that comes in several deliveries: how much of it is there, and when the rest comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.deliveries.models import Delivery
from apps.deliveries.states import OPEN, State
from apps.tracking.day_words import capitalised, window_words
from apps.tracking.hero_words import window_of

Document = Mapping[str, Any]
_ICONS = {
    State.OUT: "truck",
    State.DELIVERED: "package-check",
    State.COLLECTED: "package-check",
    State.AT_POINT: "store",
    State.FAILED: "circle-alert",
    State.RETURNING: "undo-2",
    State.RETURNED: "undo-2",
    State.CANCELLED: "circle-x",
}


@dataclass(frozen=True)
class OrderLine:
    """One delivery of the order; `is_this` is the page's own."""

    icon: str
    what: str
    status: str
    when: str
    why: str
    is_done: bool
    is_this: bool


@dataclass(frozen=True)
class OrderWords:
    title: str
    done: int
    parcels: int
    lines: list[OrderLine]


def order_words(doc: Document) -> OrderWords | None:
    """None for an order that is one delivery."""
    order = doc.get("order")
    if not order:
        return None
    own = {**doc, "parcels": [parcel["description"] for parcel in doc["parcels"]], "deferred": order["deferred"]}
    title = ngettext(
        "%(done)d of %(count)d parcel delivered", "%(done)d of %(count)d parcels delivered", order["parcels"]
    ) % {"done": order["delivered"], "count": order["parcels"]}
    if order["parcels"] == order["delivered"]:
        title = _("All parcels delivered")
    lines = [_line(own, doc["zone"], is_this=True)]
    lines += [_line(sibling, doc["zone"], is_this=False) for sibling in order["siblings"]]
    return OrderWords(title, order["delivered"], order["parcels"], lines)


def _line(part: Mapping[str, Any], zone: str, *, is_this: bool) -> OrderLine:
    state = State(part["status"])
    window = window_of(part["eta"]) or window_of(part["window"])
    is_open = state in OPEN
    return OrderLine(
        icon=_ICONS.get(state, "package"),
        what=_what(part["parcels"]),
        status=_("Expected") if is_open and state != State.OUT else str(state.label),
        when=capitalised(window_words(window, zone)) if is_open and window else "",
        why=str(Delivery.Deferred(part["deferred"]).label) if part.get("deferred") and is_open else "",
        is_done=state in (State.DELIVERED, State.COLLECTED),
        is_this=is_this,
    )


def _what(descriptions: list[str]) -> str:
    """ "Vegetable box, large" or "3 parcels"."""
    named = [words for words in descriptions if words]
    if len(descriptions) == 1 and named:
        return named[0]
    return ngettext("%(n)d parcel", "%(n)d parcels", len(descriptions)) % {"n": len(descriptions)}
