"""What speaks for and against a driver who says that nobody was there: one page for whoever decides the dispute."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.core.geo import distance_metres
from apps.deliveries import selectors, words
from apps.deliveries.models import Attempt, ContactTry, Proof
from apps.feedback.models import Dispute
from apps.fleet.models import Position, PositionSample
from apps.routing.models import Visit

BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=10)
"""Around the stop, so many minutes of the van's positions are shown."""
MOST_SHOWN = 60
NEAR_METRES = 60
DRAWN_METRES = 300
"""Further from the door a shop's staff read a distance and see no place: there the van is at other shops' customers."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the van was. `metres` from the door, as the crow flies; `point` is shown near the door only."""

    at: str
    metres: int
    is_near: bool
    point: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Empty words mean that nobody knows."""

    dispute: Dispute
    attempt: Attempt
    said: str
    day: str
    van: str
    driver: str
    driver_id: int | None
    arrived: str
    left: str
    waited: str
    nearest: str
    near_for: str
    seen: tuple[Seen, ...]
    phone: str
    doubts: tuple[str, ...]
    tries: tuple[str, ...]
    proofs: tuple[Proof, ...]
    marks: tuple[dict[str, Any], ...]


def evidence_of(dispute: Dispute) -> Evidence:
    """Everything that was measured around the attempt, in the delivery's own time."""
    attempt, zone = dispute.attempt, selectors.zone_of(dispute.delivery)
    visit = _visit_of(attempt)
    shift = visit.route.shift if visit is not None and visit.route is not None else None
    ended = attempt.ended_at or dispute.raised_at
    arrived, left = (visit.arrived_at, visit.left_at or ended) if visit is not None else (None, ended)
    span = ((arrived or left) - BEFORE, left + AFTER)
    rows = _positions(shift.vehicle_id, span) if shift is not None else []
    door = attempt.place.point
    seen = [_seen(row, door, zone) for row in rows]
    proofs = Proof.objects.filter(delivery=dispute.delivery_id, taken_at__range=span).order_by("pk")
    failure = next((proof for proof in proofs if proof.kind == Proof.Kind.FAILURE), None)
    return Evidence(
        dispute=dispute,
        attempt=attempt,
        said=words.reason_words(attempt.reason_code),
        day=words.day_words(left.astimezone(zone)),
        van=shift.vehicle.code if shift is not None else "",
        driver=shift.driver.name if shift is not None else "",
        driver_id=shift.driver_id if shift is not None else None,
        arrived=_clock(arrived, zone),
        left=_clock(left, zone),
        waited=_length(left - arrived) if arrived is not None else "",
        nearest=_nearest(seen),
        near_for=_near_for(rows, door),
        seen=tuple(_thinned(seen)),
        phone=_phone(failure, door),
        doubts=tuple(_doubt(code) for code in failure.flags) if failure is not None else (),
        tries=tuple(_tries(dispute.delivery_id, span, zone)),
        proofs=tuple(proof for proof in proofs if proof.image),
        marks=tuple(_marks(attempt, seen, failure)),
    )


def _visit_of(attempt: Attempt) -> Visit | None:
    """The stop that failed as this attempt ended."""
    failed = Visit.objects.filter(drops__delivery=attempt.delivery_id, state=Visit.State.FAILED)
    rows = list(failed.select_related("route__shift__vehicle", "route__shift__driver").distinct())
    ended = attempt.ended_at
    if ended is None:
        return rows[-1] if rows else None
    return min(rows, key=lambda row: abs((row.left_at or row.arrived_at or ended) - ended), default=None)


type _Row = tuple[datetime, float, float]


def _positions(vehicle_id: int, span: tuple[datetime, datetime]) -> list[_Row]:
    columns = ("at", "latitude", "longitude")
    samples = PositionSample.objects.filter(vehicle=vehicle_id, at__range=span).values_list(*columns)
    newest = Position.objects.filter(vehicle=vehicle_id, at__range=span).values_list(*columns)
    return sorted({*samples, *newest})


def _seen(row: _Row, door: tuple[float, float], zone: ZoneInfo) -> Seen:
    at, latitude, longitude = row
    metres = round(distance_metres((latitude, longitude), door))
    return Seen(f"{at.astimezone(zone):%H:%M:%S}", metres, metres <= NEAR_METRES, (latitude, longitude))


def _thinned(seen: list[Seen]) -> Iterator[Seen]:
    """At most so many, evenly; the nearest one always."""
    nearest = min(seen, key=lambda one: one.metres, default=None)
    step = max(1, -(-len(seen) // MOST_SHOWN))
    for number, one in enumerate(seen):
        if number % step == 0 or one is nearest:
            yield one


def _nearest(seen: list[Seen]) -> str:
    if not seen:
        return ""
    best = min(seen, key=lambda one: one.metres)
    return _("%(metres)s m at %(at)s") % {"metres": best.metres, "at": best.at}


def _near_for(rows: list[_Row], door: tuple[float, float]) -> str:
    """How long positions near the door were reported."""
    near = [at for at, *point in rows if distance_metres((point[0], point[1]), door) <= NEAR_METRES]
    return _length(near[-1] - near[0]) if near else ""


def _phone(failure: Proof | None, door: tuple[float, float]) -> str:
    if failure is None or failure.latitude is None or failure.longitude is None:
        return ""
    metres = round(distance_metres((failure.latitude, failure.longitude), door))
    return _("%(metres)s m from the door") % {"metres": metres}


def _doubt(code: str) -> str:
    known = {
        "no_wait": _("did not wait as long as the shop asks"),
        "attempt_far": _("was too far from the door"),
        "no_contact": _("neither called nor texted"),
        "place_unknown": _("nobody knew where the van was"),
    }
    return known.get(code, code)


def _tries(delivery_id: int, span: tuple[datetime, datetime], zone: ZoneInfo) -> Iterator[str]:
    for row in ContactTry.objects.filter(delivery=delivery_id, at__range=span).order_by("at"):
        yield f"{row.at.astimezone(zone):%H:%M:%S} {row.get_channel_display()}"


def _clock(instant: datetime | None, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M:%S}" if instant is not None else ""


def _length(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}


def _marks(attempt: Attempt, seen: list[Seen], failure: Proof | None) -> Iterator[dict[str, Any]]:
    place = attempt.place
    for one in _thinned([one for one in seen if one.metres <= DRAWN_METRES]):
        yield {"kind": "seen", "lat": one.point[0], "lon": one.point[1], "label": f"{one.at}: {one.metres} m"}
    if failure is not None and failure.latitude is not None:
        yield {"kind": "phone", "lat": failure.latitude, "lon": failure.longitude, "label": _("the driver's phone")}
    yield {"kind": "home", "lat": place.latitude, "lon": place.longitude, "label": str(place)}
