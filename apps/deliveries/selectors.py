"""What others may read of deliveries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from apps.core.errors import InvalidInput
from apps.core.phones import to_e164
from apps.deliveries import events
from apps.deliveries.models import Contact, Delivery, Link, Order, Parcel, Place, Promise
from apps.deliveries.states import State
from apps.events.models import Event

_LONGEST_POSTCODE = 10
# Events that only staff read; shoppers' timelines leave them out.
STAFF_ONLY = frozenset(
    {
        "step_up_requested",
        "step_up_passed",
        "link_rotated",
        "promise_opened",
        "code_revealed",
        "contact_tried",
        "proof_flagged",
        "driver_unread",
    }
)
_CODES = {
    events.CREATED: "created",
    events.WINDOW_CHANGED: "window_changed",
    events.STEP_UP_REQUESTED: "step_up_requested",
    events.STEP_UP_PASSED: "step_up_passed",
    events.LINK_ROTATED: "link_rotated",
    events.PROMISE_OPENED: "promise_opened",
    events.CONTACT_TRIED: "contact_tried",
    events.PROOF_FLAGGED: "proof_flagged",
    events.FAILURE_WITHDRAWN: "failure_withdrawn",
    # Declared by apps above; read by name, as every event is.
    "routing.next_stop": "next_stop",
    "routing.eta_moved": "eta_moved",
    "routing.stop_unserved": "stop_unserved",
    "instructions.saved": "instructions_saved",
    "instructions.acknowledged": "instructions_acknowledged",
    "instructions.code_revealed": "code_revealed",
    "drivers.notice_unread": "driver_unread",
    "feedback.attempt_disputed": "attempt_disputed",
    "feedback.dispute_decided": "dispute_decided",
}
TIMELINE_KINDS = (*_CODES, events.STATE_CHANGED, events.PLACE_CHANGED)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`code` is a key of words.TIMELINE, `data` fills its sentence (codes and ISO instants)."""

    code: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    actor: str = "system"


def timeline(delivery_id: int, *, staff: bool = False) -> list[TimelineEntry]:
    """What happened, newest first; `staff` adds what is not for the shopper."""
    return timelines([delivery_id], staff=staff)[delivery_id]


def timelines(delivery_ids: Iterable[int], *, staff: bool = False) -> dict[int, list[TimelineEntry]]:
    """The timelines of many deliveries in one query, each newest first."""
    found: dict[int, list[TimelineEntry]] = {delivery_id: [] for delivery_id in delivery_ids}
    rows = Event.objects.filter(delivery_id__in=list(found), kind__in=TIMELINE_KINDS).order_by("pk")
    for delivery_id, kind, payload, at, actor in rows.values_list("delivery_id", "kind", "payload", "at", "actor"):
        assert delivery_id is not None
        code = _code(kind, payload)
        if code and (staff or code not in STAFF_ONLY):
            found[delivery_id].append(TimelineEntry(code, at, _shown(code, payload), actor))
    return {
        delivery_id: list(_newest_of_runs(reversed(list(_told_once(entries)))))
        for delivery_id, entries in found.items()
    }


def _newest_of_runs(entries: Iterable[TimelineEntry]) -> Iterator[TimelineEntry]:
    """Newest first: of a time that moved again and again only where it is now."""
    after = ""
    for entry in entries:
        if not (entry.code == after == "eta_moved"):
            yield entry
        after = entry.code


def _code(kind: str, payload: dict[str, Any]) -> str:
    if kind == events.STATE_CHANGED:
        # Back to *created* only means that a plan was dropped; nobody outside the depot needs to know.
        return "" if payload["to"] == "created" else str(payload["to"])
    if kind == events.PLACE_CHANGED:
        if payload.get("home"):
            return "place_changed_home"
        return "place_changed_address" if payload["to_kind"] == Place.Kind.ADDRESS else "place_changed_point"
    if kind == events.PROMISE_OPENED and payload.get("widened"):
        return "window_widened"
    return _CODES[kind]


def _shown(code: str, payload: dict[str, Any]) -> dict[str, Any]:
    if code in ("window_changed", "eta_moved"):
        return {"to": payload["to"]}
    if code == "window_widened":
        return {"to": payload["widened"]}
    if code in ("failed", "returning", "cancelled"):
        return {"reason": payload.get("reason", "")}
    if code == "contact_tried":
        return {"channel": payload.get("channel", "")}
    if code == "proof_flagged":
        return {"flags": payload.get("flags", [])}
    if code == "place_changed_point":
        return {"point": payload.get("point")}
    return {"version": payload["version"]} if "version" in payload else {}


def _told_once(entries: list[TimelineEntry]) -> Iterator[TimelineEntry]:
    """Planning is told the first time only, and nothing is told twice in a row."""
    planned, before = False, ""
    for entry in entries:
        if (entry.code == "planned" and planned) or (entry.code == before and not entry.data):
            continue
        planned, before = planned or entry.code == "planned", entry.code
        yield entry


def open_promise_of(delivery_id: int) -> Promise | None:
    return Promise.objects.filter(delivery_id=delivery_id, closed_at=None).first()


def parts_of_orders(delivery_ids: Iterable[int]) -> dict[int, list[Delivery]]:
    """By delivery, the other deliveries of its order that go to the same person, oldest first; most have none.

    An order may go to several people: each of them sees only what is theirs.
    """
    asked = Delivery.objects.filter(pk__in=list(delivery_ids))
    rows = Delivery.objects.filter(order__deliveries__in=asked).distinct().order_by("pk")
    by_order: dict[int, list[Delivery]] = {}
    for row in rows.select_related("merchant__policy", "recipient"):
        by_order.setdefault(row.order_id, []).append(row)
    wanted = set(delivery_ids)
    return {
        row.pk: [one for one in together if one.pk != row.pk and is_same_person(one.recipient, row.recipient)]
        for together in by_order.values()
        for row in together
        if row.pk in wanted
    }


def is_whole_order_done(order_id: int) -> bool:
    """Whether all that was not called off has been handed over, to whomever it went."""
    counted = Delivery.objects.filter(order=order_id).exclude(state=State.CANCELLED)
    return not counted.exclude(state__in=[State.DELIVERED, State.COLLECTED]).exists()


def is_same_person(one: Contact, other: Contact) -> bool:
    """Every delivery has a contact of its own; the same phone or e-mail is the same person."""
    phones, mails = {one.phone, other.phone}, {one.email.lower(), other.email.lower()}
    return (len(phones) == 1 and "" not in phones) or (len(mails) == 1 and "" not in mails)


def zone_of(delivery: Delivery) -> ZoneInfo:
    """The zone all times of this delivery are shown in."""
    return ZoneInfo(delivery.merchant.time_zone)


def full_link_of(delivery_id: int) -> Link | None:
    """The recipient's newest link that has not been revoked."""
    return Link.objects.filter(delivery_id=delivery_id, kind=Link.Kind.FULL, revoked_at=None).order_by("-pk").first()


def search(text: str, *, within: QuerySet[Delivery] | None = None) -> QuerySet[Delivery]:
    """Deliveries by order, barcode, name, phone in any usual form, e-mail or postcode."""
    text = " ".join(text.replace("\0", "").split())[:120]
    found = Delivery.objects.all() if within is None else within
    if not text:
        return found
    people = Contact.objects.filter(_person_match(text)).values("pk")
    branches = [
        Delivery.objects.filter(order__in=Order.objects.filter(reference__istartswith=text).values("pk")),
        Delivery.objects.filter(order__in=Order.objects.filter(buyer__in=people).values("pk")),
        Delivery.objects.filter(recipient__in=people),
        Delivery.objects.filter(public_id=text),
        Delivery.objects.filter(pk__in=Parcel.objects.filter(barcode__in=[text, text.upper()]).values("delivery")),
    ]
    if text.isalnum() and len(text) <= _LONGEST_POSTCODE:
        branches.append(Delivery.objects.filter(place__in=Place.objects.filter(postcode=text).values("pk")))
    # One OR over several tables would read every delivery; each branch of a union takes its own index.
    first, *others = (branch.order_by().values("pk") for branch in branches)
    return found.filter(pk__in=first.union(*others))


def _person_match(text: str) -> Q:
    if "@" in text:
        return Q(email__istartswith=text)
    phone = _phone_query(text)
    return Q(name__icontains=text) | Q(phone__endswith=phone) if phone else Q(name__icontains=text)


def _phone_query(text: str) -> str:
    """The E.164 form of a typed number, the bare digits of a part of one, or nothing when it is no number."""
    try:
        return to_e164(text)
    except InvalidInput:
        digits = "".join(character for character in text if character.isdigit())
        typed = set(text) - set("0123456789 +-/().")
        return digits.lstrip("0") if len(digits) >= 4 and not typed else ""
