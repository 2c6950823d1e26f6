"""A stop that worked out: everything for this place is handed over, and the proof of it is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput, NotAllowed, Refused
from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery, Place, Proof
from apps.deliveries.services import note_attempt, record_proof, try_doorstep_code
from apps.drivers import rules
from apps.drivers.photos import Photo, read_photo, read_signature
from apps.drivers.rules import Needs, Shown
from apps.drivers.services.go import Outcome
from apps.drivers.services.own import actor_of, deliveries_at, own_visit
from apps.drivers.services.where import metres_from
from apps.fleet.models import Driver
from apps.redirection.services import store_at_point
from apps.routing import services as routing
from apps.routing.models import Visit

MOST_PHOTOS = 6


@dataclass(frozen=True, slots=True)
class Ready:
    """What was shown, looked at and found good; nothing is written yet."""

    visit: Visit
    shown: Shown
    needs: Needs
    photos: tuple[Photo, ...]
    signature: ContentFile | None
    without_code: bool
    without: dict[int, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """One proof to keep."""

    kind: str
    image: ContentFile | None = None
    details: dict[str, Any] | None = None
    flags: tuple[str, ...] = ()


def complete(*, driver: Driver, visit_id: int, shown: Shown, at: datetime | None = None, more: bool = False) -> Outcome:
    """Hands over all that is for this place, with its proof. At a pick-up point everything goes onto the shelf.

    At the depot, in the middle of the day, it says that the van is loaded and goes on.

    Call it outside a transaction, or with what `get_ready` gave: a wrong code must be counted.
    """
    ready = get_ready(driver=driver, visit_id=visit_id, shown=shown)
    return ready if isinstance(ready, Outcome) else finish(driver=driver, ready=ready, at=at, more=more)


def get_ready(*, driver: Driver, visit_id: int, shown: Shown) -> Ready | Outcome:
    """Looks at everything before anything is written; the outcome itself when the stop is done already."""
    visit = own_visit(driver, visit_id)
    if visit.state == Visit.State.FAILED:
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.DONE:
        return Outcome(visit.pk, visit.state, again=True)
    if visit.kind == Visit.Kind.RELOAD:
        return Ready(visit, Shown(), Needs(), (), None, False, {})
    is_point = visit.place.kind != Place.Kind.ADDRESS
    here = deliveries_at(visit)
    without = {row.pk: shown.without[row.public_id] for row in here if row.public_id in shown.without}
    for reason in without.values():
        rules.check_reason(reason)
    staying = [row for row in here if row.pk not in without]
    if not staying and here:
        raise InvalidInput("nothing_left", _("Nothing is left to hand over. Say that it does not work out."))
    if len(shown.photos) > MOST_PHOTOS:
        raise InvalidInput("photo_too_large", _("That was too much at once."))
    needs = rules.needs_of(staying, is_point=is_point)
    barcodes = {parcel.barcode for row in staying for parcel in row.parcels.all()}
    rules.check_proof(shown, needs, is_point=is_point, barcodes=barcodes)
    photos = tuple(read_photo(upload) for upload in shown.photos)
    signature = read_signature(shown.signature) if shown.signature is not None else None
    skipped = "code" in needs.proofs and not _code_is_right(staying, shown)
    return Ready(visit, shown, needs, photos, signature, skipped, without)


def finish(*, driver: Driver, ready: Ready, at: datetime | None = None, more: bool = False) -> Outcome:
    """Writes what `get_ready` found good."""
    visit, actor = ready.visit, actor_of(driver)
    is_point = visit.place.kind != Place.Kind.ADDRESS
    with transaction.atomic():
        ids = routing.complete(visit=visit, actor=actor, at=at, without=ready.without, more=more)
        taken_at = visit.left_at or at
        for delivery in Delivery.objects.filter(pk__in=ids).select_related("merchant__policy").order_by("pk"):
            assert taken_at is not None
            _keep(delivery, ready, taken_at, actor)
        if ids:
            note_attempt(delivery_ids=ids, for_staff=ready.shown.staff_note, for_recipient=ready.shown.recipient_note)
        for pk, reason in ready.without.items():
            aside = routing.stop_of(pk)
            if aside is not None:
                routing.fail(visit=aside, reason=reason, actor=actor, at=at, more=more)
        if is_point:
            store_at_point(delivery_ids=ids, actor=actor, at=visit.left_at)
    # A call at the depot hands nothing over, and yet the van goes on from it.
    return Outcome(visit.pk, visit.state, again=not ids and visit.kind != Visit.Kind.RELOAD)


def _code_is_right(deliveries: list[Delivery], shown: Shown) -> bool:
    """Whether each recipient's code was said; False when the driver says why it is done without."""
    asking = [row for row in deliveries if "code" in (*row.proof_needed, *row.merchant.policy.proof_needed)]
    if shown.code and all(try_doorstep_code(delivery=row, code=shown.code) for row in asking):
        return True
    if len(shown.without_code) >= rules.LEAST_REASON:
        return False
    if shown.code:
        raise NotAllowed("code_wrong", _("That is not the code. Let them read it from their tracking page."))
    raise InvalidInput("code_missing", _("Ask for the six-digit code on their tracking page."))


def _keep(delivery: Delivery, ready: Ready, taken_at: datetime, actor: str) -> None:
    shown, place = ready.shown, ready.visit.place
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
            point=place.point,
            details=piece.details,
            flags=piece.flags,
            actor=actor,
        )


def _pieces(delivery: Delivery, ready: Ready, taken_at: datetime) -> Iterator[Piece]:
    shown, needs = ready.shown, ready.needs
    named = {"relation": shown.relation} if shown.relation else {}
    if "code" in needs.proofs:
        said = {"reason": shown.without_code} if ready.without_code else {}
        yield Piece(Proof.Kind.CODE, details=said, flags=("code_skipped",) if ready.without_code else ())
    if shown.scanned:
        yield Piece(Proof.Kind.SCAN, details={"parcels": len(shown.scanned)})
    if needs.minimum_age:
        yield Piece(Proof.Kind.AGE, details=_age_check(delivery, shown, needs, taken_at))
    if delivery.cash_due:
        paid = shown.paid if shown.paid is not None else 0
        wrong = ("wrong_amount",) if paid != needs.cash[0] else ()
        yield Piece(Proof.Kind.CASH, details={"by": shown.paid_by, "paid": paid, "due": needs.cash[0]}, flags=wrong)
    if ready.signature is not None or not ready.photos or "signature" in needs.proofs:
        yield Piece(Proof.Kind.SIGNATURE, ready.signature, details=named)
    for photo in ready.photos:
        metres = _metres(photo, ready, taken_at)
        far = metres is not None and metres > delivery.merchant.policy.photo_metres
        details = named if metres is None else {**named, "metres": metres}
        yield Piece(Proof.Kind.PHOTO, photo.content, details=details, flags=("photo_far",) if far else ())


def _metres(photo: Photo, ready: Ready, taken_at: datetime) -> int | None:
    """From the stop to where the photo was taken: by the camera and by the phone, whichever is further."""
    visit, route = ready.visit, ready.visit.route
    by_camera = round(distance_metres(photo.place, visit.place.point)) if photo.place else None
    by_phone = metres_from(visit.place, route.shift.vehicle, taken_at, ready.shown.at_place) if route else None
    return max((metres for metres in (by_camera, by_phone) if metres is not None), default=None)


def _age_check(delivery: Delivery, shown: Shown, needs: Needs, taken_at: datetime) -> dict[str, Any]:
    """How it was checked and against which day of birth; nothing of the document."""
    today = taken_at.astimezone(ZoneInfo(delivery.merchant.time_zone)).date()
    born = rules.born_by(today, needs.minimum_age)
    return {"method": shown.age_method, "born_by": born.isoformat(), "passed": True}
