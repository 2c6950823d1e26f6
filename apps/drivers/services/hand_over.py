"""A stop that worked out: everything for this place is handed over, and the proof of it is kept."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, Refused
from apps.core.geo import distance_metres
from apps.core.photos import Photo, read_photo, read_signature
from apps.deliveries.models import Delivery, Place, Proof
from apps.deliveries.services import needs_doorstep_code, note_attempt, record_proof, try_doorstep_codes
from apps.drivers import rules
from apps.drivers.rules import Needs, Shown
from apps.drivers.services.give_up import Judged, judge, keep_failure
from apps.drivers.services.go import Outcome
from apps.drivers.services.own import actor_of, deliveries_at, own_visit, person_of
from apps.drivers.services.where import measured_point, metres_from
from apps.fleet.models import Driver
from apps.redirection.services import store_at_point
from apps.routing import services as routing
from apps.routing.models import Visit

MOST_PHOTOS = 6


@dataclass(frozen=True, slots=True)
class Ready:
    """What was shown, looked at and found good; nothing is written yet.

    `asking` are the deliveries that ask for a code, `skipped` those of them handed over without it; `without` stay
    on the van, each for its reason. `paid` is what was paid for each delivery that is paid at the door.
    """

    visit: Visit
    shown: Shown
    needs: Needs
    photos: tuple[Photo, ...]
    signature: ContentFile | None
    asking: frozenset[int]
    skipped: frozenset[int]
    without: dict[int, tuple[str, Judged]]
    is_late: bool = False
    """The evening has closed the stop meanwhile, by itself."""
    paid: dict[int, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One proof to keep; `point` is where the camera says it was."""

    kind: str
    image: ContentFile | None = None
    details: dict[str, Any] | None = None
    flags: tuple[str, ...] = ()
    point: tuple[float, float] | None = None


def complete(*, driver: Driver, visit_id: int, shown: Shown, at: datetime | None = None, more: bool = False) -> Outcome:
    """Hands over all that is for this place, with its proof. At a pick-up point everything goes onto the shelf.

    At the depot, in the middle of the day, it says that the van is loaded and goes on; at a shop, that what was
    collected there is on board.

    Call it outside a transaction, or with what `get_ready` gave: a wrong code must be counted.
    """
    ready = get_ready(driver=driver, visit_id=visit_id, shown=shown, at=at)
    return ready if isinstance(ready, Outcome) else finish(driver=driver, ready=ready, at=at, more=more)


def get_ready(*, driver: Driver, visit_id: int, shown: Shown, at: datetime | None = None) -> Ready | Outcome:
    """Looks at everything before anything is written; the outcome itself when the stop is done already."""
    visit = own_visit(driver, visit_id, at)
    evening = routing.closed_by_the_evening(visit=visit, at=at)
    closed = {one.delivery for one in routing.untouched(evening)}
    if visit.state == Visit.State.FAILED and not closed:
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.DONE:
        return Outcome(visit.pk, visit.state, again=True)
    if visit.kind == Visit.Kind.RELOAD:
        return Ready(visit, Shown(), Needs(), (), None, frozenset(), frozenset(), {})
    if visit.collects is not None:
        rules.check_collected(shown, visit.collects, visit.collects.parcels.values_list("barcode", flat=True))
        return Ready(visit, shown, Needs(), (), None, frozenset(), frozenset(), {})
    is_point = visit.place.kind != Place.Kind.ADDRESS
    here = deliveries_at(visit, closed)
    left_out, shown = _left_out(evening, shown)
    without = _judged(visit, here, shown, at)
    staying = [row for row in here if row.pk not in without]
    if not staying and here:
        raise InvalidInput("nothing_left", _("Nothing is left to hand over. Say that it does not work out."))
    if len(shown.photos) > MOST_PHOTOS:
        raise InvalidInput("photo_too_large", _("That was too much at once."))
    needs = rules.needs_of(staying, is_point=is_point)
    barcodes = {parcel.barcode for row in staying for parcel in row.parcels.all()}
    rules.check_proof(shown, needs, is_point=is_point, barcodes=barcodes)
    paid = {} if is_point else rules.payments_of(shown, staying)
    photos = tuple(read_photo(upload) for upload in shown.photos)
    signature = read_signature(shown.signature) if shown.signature is not None else None
    asking = [] if is_point else [row for row in staying if needs_doorstep_code(row)]
    skipped = _without_code(asking, shown)
    asked = frozenset(row.pk for row in asking)
    return Ready(visit, shown, needs, photos, signature, asked, skipped, without, bool(closed), paid, left_out)


def finish(*, driver: Driver, ready: Ready, at: datetime | None = None, more: bool = False) -> Outcome:
    """Writes what `get_ready` found good."""
    visit, actor = ready.visit, actor_of(driver)
    if visit.collects_id is not None:
        collected = routing.complete(visit=visit, actor=actor, at=at, more=more)
        return Outcome(visit.pk, visit.state, again=not collected)
    is_point = visit.place.kind != Place.Kind.ADDRESS
    more = more or ready.is_late
    with transaction.atomic():
        if ready.is_late and at is not None:
            routing.reopen(visit=visit, at=at, actor=actor)
        ids = routing.complete(visit=visit, actor=actor, at=at, without=ready.without, more=more)
        taken_at = visit.left_at or at
        rows = Delivery.objects.filter(pk__in=ids).select_related("merchant__policy").prefetch_related("parcels")
        for delivery in rows.order_by("pk"):
            assert taken_at is not None
            _keep(delivery, ready, taken_at, actor)
        if ids:
            note_attempt(delivery_ids=ids, for_staff=ready.shown.staff_note, for_recipient=ready.shown.recipient_note)
        for pk, (reason, judged) in ready.without.items():
            aside = routing.stop_of(pk)
            if aside is not None:
                failed = routing.fail(visit=aside, reason=reason, actor=actor, at=at, more=more)
                keep_failure(failed, aside, judged, ready.shown, aside.left_at or clock.now(), actor=actor)
                note_attempt(delivery_ids=failed, for_staff=ready.shown.anyway, for_recipient="")
        if is_point:
            store_at_point(delivery_ids=ids, actor=actor, at=visit.left_at)
    # A call at the depot hands nothing over, and yet the van goes on from it.
    again = not ids and visit.kind != Visit.Kind.RELOAD
    return Outcome(visit.pk, visit.state, again=again, left_out=ready.left_out)


def _left_out(evening: Sequence[routing.Closed], shown: Shown) -> tuple[tuple[str, ...], Shown]:
    """References of what was touched since the evening, and what was shown for the others."""
    touched = [one.delivery for one in evening if one.is_touched]
    rows = Delivery.objects.filter(pk__in=touched).select_related("order").prefetch_related("parcels").order_by("pk")
    theirs = {parcel.barcode for row in rows for parcel in row.parcels.all()}
    kept = tuple(barcode for barcode in shown.scanned if barcode not in theirs)
    return tuple(row.order.reference for row in rows), replace(shown, scanned=kept)


def _judged(visit: Visit, here: Sequence[Delivery], shown: Shown, at: datetime | None) -> dict[int, tuple[str, Judged]]:
    """What stays on the van although the rest is handed over; giving up one needs no less than giving up all."""
    now = clock.now()
    at = min(at or now, now)
    found = {}
    for row in here:
        reason = shown.without.get(row.public_id)
        if reason:
            judged = judge(visit=visit, here=[row], reason=reason, shown=shown, anyway=shown.anyway, at=at)
            found[row.pk] = (reason, judged)
    return found


def _without_code(asking: Sequence[Delivery], shown: Shown) -> frozenset[int]:
    """Those whose recipient's code was not said; InvalidInput or NotAllowed until the driver says why.

    One code per recipient is enough. The single `code` of a phone is for a stop with one recipient.
    """
    people: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for row in asking:
        people[person_of(row)].append(row)
    is_excused = len(shown.without_code) >= rules.LEAST_REASON
    missing: set[int] = set()
    was_said = False
    for rows in people.values():
        typed = next((shown.codes[row.public_id] for row in rows if shown.codes.get(row.public_id)), "")
        typed = typed or (shown.code if len(people) == 1 else "")
        was_said = was_said or bool(typed)
        if not typed or not _is_right(rows, typed, is_excused=is_excused):
            missing |= {row.pk for row in rows}
    if missing and not is_excused and was_said:
        raise NotAllowed("code_wrong", _("That is not the code. Let them read it from their tracking page."))
    if missing and not is_excused:
        raise InvalidInput("code_missing", _("Ask for the six-digit code on their tracking page."))
    return frozenset(missing)


def _is_right(rows: Sequence[Delivery], code: str, *, is_excused: bool) -> bool:
    try:
        return try_doorstep_codes(deliveries=rows, code=code)
    except Refused:
        if not is_excused:
            raise
        return False


def _keep(delivery: Delivery, ready: Ready, taken_at: datetime, actor: str) -> None:
    shown, place, route = ready.shown, ready.visit.place, ready.visit.route
    point = measured_point(route.shift.vehicle, taken_at, shown.at_place) if route else None
    is_point = place.kind != Place.Kind.ADDRESS
    # The same kind at the same instant is the same proof: several photos are a microsecond apart.
    for number, piece in enumerate(_pieces(delivery, ready, taken_at)):
        if piece.image is not None:
            piece.image.seek(0)
        record_proof(
            delivery=delivery,
            kind=piece.kind,
            taken_at=taken_at + timedelta(microseconds=number),
            image=piece.image,
            received_by="" if is_point else shown.received_by,
            left_at="" if is_point else shown.left_at,
            point=piece.point or point,
            details=piece.details,
            flags=piece.flags,
            actor=actor,
        )


def _pieces(delivery: Delivery, ready: Ready, taken_at: datetime) -> Iterator[Piece]:
    shown, needs = ready.shown, ready.needs
    named = {"relation": shown.relation} if shown.relation else {}
    if delivery.pk in ready.asking:
        is_skipped = delivery.pk in ready.skipped
        said = {"reason": shown.without_code} if is_skipped else {}
        yield Piece(Proof.Kind.CODE, details=said, flags=("code_skipped",) if is_skipped else ())
    scanned = {parcel.barcode for parcel in delivery.parcels.all()} & set(shown.scanned)
    if scanned:
        yield Piece(Proof.Kind.SCAN, details={"parcels": len(scanned)})
    if needs.minimum_age and delivery.minimum_age:
        yield Piece(Proof.Kind.AGE, details=_age_check(delivery, shown, taken_at))
    if delivery.pk in ready.paid:
        paid, due = ready.paid[delivery.pk], delivery.cash_due
        wrong = ("wrong_amount",) if paid != due else ()
        yield Piece(Proof.Kind.CASH, details={"by": shown.paid_by, "paid": paid, "due": due}, flags=wrong)
    if ready.signature is not None or not ready.photos or "signature" in needs.proofs:
        yield Piece(Proof.Kind.SIGNATURE, ready.signature, details=named)
    for photo in ready.photos:
        metres = _metres(photo, ready, taken_at)
        far = metres is not None and metres > delivery.merchant.policy.photo_metres
        details = named if metres is None else {**named, "metres": metres}
        flags = ("photo_far",) if far else ()
        yield Piece(Proof.Kind.PHOTO, photo.content, details=details, flags=flags, point=photo.place)


def _metres(photo: Photo, ready: Ready, taken_at: datetime) -> int | None:
    """From the stop to where the photo was taken: by the camera and by the phone, whichever is further."""
    visit, route = ready.visit, ready.visit.route
    by_camera = round(distance_metres(photo.place, visit.place.point)) if photo.place else None
    by_phone = metres_from(visit.place, route.shift.vehicle, taken_at, ready.shown.at_place) if route else None
    return max((metres for metres in (by_camera, by_phone) if metres is not None), default=None)


def _age_check(delivery: Delivery, shown: Shown, taken_at: datetime) -> dict[str, Any]:
    """How it was checked and against which day of birth; nothing of the document."""
    today = taken_at.astimezone(ZoneInfo(delivery.merchant.time_zone)).date()
    born = rules.born_by(today, delivery.minimum_age)
    return {"method": shown.age_method, "born_by": born.isoformat(), "passed": True}
