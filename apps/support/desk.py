"""One delivery as an agent needs it in ten seconds: promised, true now, seen, possible; and one timeline."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.deliveries import selectors, words
from apps.deliveries.models import Delivery, Link, Parcel, Promise, Proof
from apps.feedback.models import Dispute, ProblemReport, Rating, ThreadMessage
from apps.feedback.selectors import disputes_of, rating_of, reports_of, threads_of
from apps.fleet.models import Driver, Position
from apps.merchants.models import Merchant
from apps.notifications.models import Message
from apps.routing.models import Route, Visit
from apps.routing.selectors import MovedTime, moved_times_of, stops_away, visit_of
from apps.support.link_lines import LinkLine, link_lines
from apps.tracking.selectors import page_document

_TONES = {"delivered": "good", "collected": "good", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline. `kind` picks its sign: event, message, page or proof."""

    at: datetime
    clock: str
    day: str
    kind: str
    title: str
    who: str = ""
    body: str = ""
    more: str = ""
    state: str = ""
    tone: str = "plain"
    is_new_day: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    delivery: Delivery
    document: Mapping[str, Any]
    promised: str
    promised_note: str
    now: str
    now_note: str
    now_tone: str
    route: Route | None
    opened: str
    links: list[LinkLine]
    instruction: Any
    has_door_code: bool
    has_collection_code: bool
    lines: list[Line]
    marks: list[dict[str, Any]]
    parcels: list[Parcel]
    cases: list[ProblemReport]
    disputes: list[Dispute]
    thread: list[ThreadMessage]
    rating: Rating | None
    brand: dict[str, str]
    moved_times: list[MovedTime]
    paths: dict[str, str] = field(default_factory=dict)


def desk_of(delivery: Delivery) -> Desk:
    """Everything on the page, in a number of queries that does not grow with its rows."""
    zone = selectors.zone_of(delivery)
    visit = visit_of(delivery.pk)
    promise = selectors.open_promise_of(delivery.pk)
    document = page_document(delivery, "link")
    sent = list(Message.objects.filter(delivery=delivery).prefetch_related("attempts").order_by("-pk"))
    links = list(Link.objects.filter(delivery=delivery).order_by("pk"))
    now, now_note, tone = _now_words(delivery, visit, document, zone)
    return Desk(
        delivery=delivery,
        document=document,
        promised=_promised(delivery, promise, zone),
        promised_note=_promised_note(promise, zone),
        now=now,
        now_note=now_note,
        now_tone=tone,
        route=visit.route if visit else None,
        opened=_opened(links, zone),
        links=link_lines(links, zone),
        instruction=getattr(delivery, "instruction", None),
        has_door_code=hasattr(delivery, "access_code"),
        has_collection_code=hasattr(delivery, "collection_code"),
        lines=list(_with_days(_timeline(delivery, sent, links, zone))),
        marks=_marks(delivery, visit),
        parcels=list(Parcel.objects.filter(delivery=delivery).order_by("pk")),
        cases=reports_of(delivery.pk),
        disputes=disputes_of(delivery.pk),
        thread=threads_of([delivery.pk]).get(delivery.pk, []),
        rating=rating_of(delivery.pk),
        brand={"name": delivery.merchant.name},
        moved_times=moved_times_of(delivery.pk, zone=zone),
        paths=dict.fromkeys(("time", "place", "instructions", "cancel"), ""),
    )


def _promised(delivery: Delivery, promise: Promise | None, zone: ZoneInfo) -> str:
    window = (promise.earliest, promise.latest) if promise else (delivery.window_earliest, delivery.window_latest)
    return words.window_words(*window, zone=zone)


def _promised_note(promise: Promise | None, zone: ZoneInfo) -> str:
    if promise is None:
        return _("agreed; no message has told a time yet")
    return _("told %(moment)s, version %(version)s") % {
        "moment": _moment(promise.opened_at, zone),
        "version": promise.version,
    }


def _now_words(
    delivery: Delivery, visit: Visit | None, document: Mapping[str, Any], zone: ZoneInfo
) -> tuple[str, str, str]:
    state = str(delivery.get_state_display())
    if document["late"]:
        state = _("%(state)s, late") % {"state": state}
    note = ""
    if visit is not None and visit.route is not None:
        note = visit.route.shift.vehicle.code
        if visit.eta_earliest and visit.eta_latest:
            note = _("%(van)s, expected %(window)s") % {
                "van": note,
                "window": words.window_words(visit.eta_earliest, visit.eta_latest, zone=zone),
            }
        away = stops_away(delivery.pk)
        if away is not None and delivery.state == "out":
            note += ", " + _("%(count)s stops before it") % {"count": away}
    elif visit is not None:
        note = _("in the plan, but on no van: %(reason)s") % {"reason": visit.unserved_reason or _("not routed yet")}
    elif delivery.ended_at:
        note = _moment(delivery.ended_at, zone)
    tone = {"delivered": "good", "collected": "good", "failed": "bad", "cancelled": "plain"}.get(
        delivery.state, "plain"
    )
    return state, note, "warn" if document["late"] else tone


def _opened(links: list[Link], zone: ZoneInfo) -> str:
    """When the customer last looked; share links count as theirs."""
    seen = [link.last_opened_at for link in links if link.last_opened_at and link.kind == Link.Kind.FULL]
    if not seen:
        return _("has not opened the page")
    return _("last looked %(moment)s") % {"moment": _moment(max(seen), zone)}


def _timeline(delivery: Delivery, sent: list[Message], links: list[Link], zone: ZoneInfo) -> list[Line]:
    lines = [*_events(delivery, zone), *(_message(one, zone) for one in sent), *_visits_of_the_page(links, zone)]
    lines += [_proof(proof, zone) for proof in Proof.objects.filter(delivery=delivery)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _events(delivery: Delivery, zone: ZoneInfo) -> Iterator[Line]:
    entries = selectors.timeline(delivery.pk, staff=True)
    names = _names({entry.actor for entry in entries})
    for entry in entries:
        tone = _TONES.get(entry.code, "plain")
        title = words.timeline_sentence(entry.code, entry.data, zone=zone)
        yield _line(entry.at, zone, "event", title, who=names.get(entry.actor, ""), tone=tone)


def _message(sent: Message, zone: ZoneInfo) -> Line:
    tries = list(sent.attempts.all())
    channel = {"sms": _("text message"), "email": _("e-mail")}.get(tries[-1].channel if tries else sent.channel, "")
    title = _("Message: %(trigger)s") % {"trigger": sent.trigger.replace("_", " ")}
    # A text is shown whole, of a letter the first paragraph.
    first, _gap, rest = sent.body.partition("\n\n")
    state = str(sent.get_state_display()) + (f" ({sent.reason})" if sent.reason else "")
    tone = {"failed": "bad", "suppressed": "warn"}.get(sent.state, "plain")
    return _line(sent.created_at, zone, "message", title, who=channel, body=first, more=rest, state=state, tone=tone)


def _visits_of_the_page(links: list[Link], zone: ZoneInfo) -> Iterator[Line]:
    for link in links:
        if link.first_opened_at and link.kind == Link.Kind.FULL:
            yield _line(link.first_opened_at, zone, "page", _("The customer opened the page for the first time."))


def _proof(proof: Proof, zone: ZoneInfo) -> Line:
    said = ", ".join(part for part in (proof.received_by, proof.left_at) if part)
    return _line(proof.taken_at, zone, "proof", _("Proof: %(kind)s") % {"kind": proof.get_kind_display()}, body=said)


def _line(at: datetime, zone: ZoneInfo, kind: str, title: str, **more: str) -> Line:
    local = at.astimezone(zone)
    return Line(at=at, clock=f"{local:%H:%M}", day=words.day_words(local), kind=kind, title=title, **more)  # type: ignore[arg-type]


def _with_days(lines: list[Line]) -> Iterator[Line]:
    """Marks the first line of each day."""

    before = ""
    for line in lines:
        yield replace(line, is_new_day=True) if line.day != before else line
        before = line.day


def _names(actors: set[str]) -> dict[str, str]:
    """Who is behind "driver:7", in words; one query per kind of actor."""
    named = {"shopper": _("customer"), "system": "", "point": _("pick-up point")}
    wanted: dict[str, list[int]] = {}
    for actor in actors - named.keys():
        kind, _colon, number = actor.partition(":")
        named[actor] = kind
        if number.isdigit():
            wanted.setdefault(kind, []).append(int(number))
    found = {
        "driver": Driver.objects.filter(pk__in=wanted.get("driver", [])).values_list("pk", "name"),
        "merchant": Merchant.objects.filter(pk__in=wanted.get("merchant", [])).values_list("pk", "name"),
        "agent": get_user_model().objects.filter(pk__in=wanted.get("agent", [])).values_list("pk", "username"),
    }
    for kind, rows in found.items():
        if wanted.get(kind):
            named |= {f"{kind}:{pk}": f"{kind} {name}" if kind != "merchant" else name for pk, name in rows}
    return named


def _marks(delivery: Delivery, visit: Visit | None) -> list[dict[str, Any]]:
    """For the map: the place, the depot and the van that has the parcel."""
    place = delivery.place
    kind = "home" if place.kind == "address" else "point"
    marks = [{"kind": kind, "lat": place.latitude, "lon": place.longitude, "label": str(place)}]
    if visit is None or visit.route is None:
        return marks
    depot = visit.route.shift.vehicle.depot if visit.route is not None else visit.plan.depot
    marks.append({"kind": "depot", "lat": depot.latitude, "lon": depot.longitude, "label": depot.name})
    position = Position.objects.filter(vehicle=visit.route.shift.vehicle_id).first()
    if position is not None:
        van = visit.route.shift.vehicle.code
        marks.append({"kind": "van", "lat": position.latitude, "lon": position.longitude, "label": van})
    return marks


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{words.day_words(local)} {local:%H:%M}"


def page_address(delivery: Delivery) -> str:
    """Where a POST opens the page as the customer sees it."""
    return reverse("support:as_customer", args=[delivery.pk])
