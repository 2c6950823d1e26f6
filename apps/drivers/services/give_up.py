"""A stop that did not work out: with a reason, at the place, after trying; or with a word why not all of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.core.photos import read_photo
from apps.deliveries.models import ContactTry, Delivery, Place, Proof
from apps.deliveries.services import correct_failure, note_attempt, record_proof
from apps.drivers import rules
from apps.drivers.rules import AtDoor, Patience, Shown
from apps.drivers.services.go import Outcome
from apps.drivers.services.own import actor_of, deliveries_at, own_visit
from apps.drivers.services.where import measured_point, metres_from
from apps.fleet.models import Driver
from apps.rescheduling.services import HOPELESS
from apps.routing import services as routing
from apps.routing.models import Visit

_REAL_CALLS = (ContactTry.Channel.CALL, ContactTry.Channel.SMS)


def fail(
    *,
    driver: Driver,
    visit_id: int,
    reason: str,
    shown: Shown | None = None,
    anyway: str = "",
    at: datetime | None = None,
    more: bool = False,
    photo: ContentFile | None = None,
) -> Outcome:
    """Nothing could be handed over; the parcels stay on the van.

    Refused("attempt_far" | "place_unknown" | "no_contact" | "no_wait") until the driver has been there, has called and
    has waited as the shop asks, unless `anyway` says why not: then it is written down, and staff see it. `photo` is
    what `picture_of` made of it where no lock may be held meanwhile.
    """
    shown = shown or Shown()
    if photo is None:
        photo = picture_of(shown)
    visit = own_visit(driver, visit_id, at)
    rules.check_reason(reason)
    if visit.kind == Visit.Kind.RELOAD:
        raise Refused("at_the_depot", _("This is the depot. Load what is there, then go on."))
    if visit.state == Visit.State.DONE:
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.FAILED:
        return _fail_late(driver, visit, reason, shown, anyway, at, photo)
    if visit.collects_id is not None:
        ids = routing.fail(visit=visit, reason=reason, actor=actor_of(driver), at=at, more=more)
        return Outcome(visit.pk, Visit.State.FAILED, again=not ids)
    now = clock.now()
    at = min(at or now, now)
    judged = judge(visit=visit, here=deliveries_at(visit), reason=reason, shown=shown, anyway=anyway, at=at)
    with transaction.atomic():
        ids = routing.fail(visit=visit, reason=reason, actor=actor_of(driver), at=at, more=more)
        keep_failure(ids, visit, judged, shown, at, actor=actor_of(driver), photo=photo)
        words = " ".join(part for part in (shown.staff_note, anyway) if part)
        note_attempt(delivery_ids=ids, for_staff=words, for_recipient=shown.recipient_note)
    return Outcome(visit.pk, Visit.State.FAILED, again=not ids)


def _fail_late(
    driver: Driver,
    visit: Visit,
    reason: str,
    shown: Shown,
    anyway: str,
    at: datetime | None,
    photo: ContentFile | None,
) -> Outcome:
    """What the driver saw replaces what the evening assumed; tomorrow's try stays unless the reason makes it vain."""
    closed = routing.closed_by_the_evening(visit=visit, at=at)
    if not closed or at is None:
        return Outcome(visit.pk, visit.state, again=True)
    actor, ids = actor_of(driver), [one.delivery for one in closed]
    judged = judge(visit=visit, here=deliveries_at(visit, ids), reason=reason, shown=shown, anyway=anyway, at=at)
    words = " ".join(part for part in (shown.staff_note, anyway) if part)
    with transaction.atomic():
        if reason in HOPELESS and not all(one.is_touched for one in closed):
            routing.reopen(visit=visit, at=at, actor=actor)
            routing.fail(visit=visit, reason=reason, actor=actor, at=at, more=True)
        routing.note_late_failure(visit=visit, at=at)
        correct_failure(delivery_ids=ids, reason=reason, at=at, for_staff=words, for_recipient=shown.recipient_note)
        keep_failure(ids, visit, judged, shown, at, actor=actor, photo=photo)
    return Outcome(visit.pk, Visit.State.FAILED, again=False)


def picture_of(shown: Shown) -> ContentFile | None:
    """What was in the way, as it is kept; InvalidInput for what is no picture."""
    return read_photo(shown.photos[0]).content if shown.photos else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A reason that may be given: what speaks against it all the same, and from how far it was said."""

    doubts: Sequence[str]
    metres: int | None


def judge(*, visit: Visit, here: Sequence[Delivery], reason: str, shown: Shown, anyway: str, at: datetime) -> Judged:
    """Refused as `fail` says; these deliveries' shops decide how much patience is asked for."""
    rules.check_reason(reason)
    door, patience = _at_door(visit, here, at, shown), _patience_of(here)
    doubts = rules.doubts_of(reason, door, patience)
    if doubts and len(anyway) < rules.LEAST_REASON:
        sentences = " ".join(rules.doubt_words(doubt, door, patience) for doubt in doubts)
        raise Refused(doubts[0], sentences, doubts=doubts)
    return Judged(doubts, door.metres)


def keep_failure(
    ids: Sequence[int],
    visit: Visit,
    judged: Judged,
    shown: Shown,
    at: datetime,
    *,
    actor: str,
    photo: ContentFile | None = None,
) -> None:
    """Writes down that these were not handed over, from where that was said, and what speaks against it."""
    route = visit.route
    point = measured_point(route.shift.vehicle, at, shown.at_place) if route else None
    for delivery in Delivery.objects.filter(pk__in=ids).order_by("pk"):
        if photo is not None:
            photo.seek(0)
        record_proof(
            delivery=delivery,
            kind=Proof.Kind.FAILURE,
            taken_at=at,
            image=photo,
            point=point,
            details={} if judged.metres is None else {"metres": judged.metres},
            flags=judged.doubts,
            actor=actor,
        )


def _at_door(visit: Visit, here: Sequence[Delivery], at: datetime, shown: Shown) -> AtDoor:
    vehicle = visit.route.shift.vehicle if visit.route else None
    metres = metres_from(visit.place, vehicle, at, shown.at_place) if vehicle else None
    since = visit.arrived_at
    tries = ContactTry.objects.filter(delivery__in=here, channel__in=_REAL_CALLS, at__lte=at)
    # One call counts once, also where it was for two deliveries of one person.
    counted = tries.filter(at__gte=since).values("channel", "at").distinct().count() if since else 0
    reachable = visit.place.kind == Place.Kind.ADDRESS and any(row.recipient.phone for row in here)
    return AtDoor(metres=metres, arrived_at=since, at=at, tries=counted, can_be_called=reachable)


def _patience_of(here: Sequence[Delivery]) -> Patience:
    policies = [row.merchant.policy for row in here]
    return Patience(
        metres=min((policy.attempt_metres for policy in policies), default=250),
        wait=timedelta(minutes=max((policy.wait_minutes for policy in policies), default=0)),
        tries=max((policy.contact_tries for policy in policies), default=0),
    )
