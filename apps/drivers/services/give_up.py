"""A stop that did not work out: with a reason, at the place, after trying; or with a word why not all of that."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.models import ContactTry, Delivery, Place, Proof
from apps.deliveries.services import note_attempt, record_proof
from apps.drivers import rules
from apps.drivers.photos import read_photo
from apps.drivers.rules import AtDoor, Patience, Shown
from apps.drivers.services.go import Outcome
from apps.drivers.services.own import actor_of, deliveries_at, own_visit
from apps.drivers.services.where import metres_from
from apps.fleet.models import Driver
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
) -> Outcome:
    """Nothing could be handed over; the parcels stay on the van.

    Refused("attempt_far" | "place_unknown" | "no_contact" | "no_wait") until the driver has been there, has called and
    has waited as the shop asks, unless `anyway` says why not: then it is written down, and staff see it.
    """
    shown = shown or Shown()
    visit = own_visit(driver, visit_id)
    rules.check_reason(reason)
    if visit.kind == Visit.Kind.RELOAD:
        raise Refused("at_the_depot", _("This is the depot. Load what is there, then go on."))
    if visit.state == Visit.State.DONE:
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.FAILED:
        return Outcome(visit.pk, visit.state, again=True)
    now = clock.now()
    at = min(at or now, now)
    here = deliveries_at(visit)
    door, patience = _at_door(visit, here, at, shown), _patience_of(here)
    doubts = rules.doubts_of(reason, door, patience)
    if doubts and len(anyway) < rules.LEAST_REASON:
        sentences = " ".join(rules.doubt_words(doubt, door, patience) for doubt in doubts)
        raise Refused(doubts[0], sentences, doubts=doubts)
    photo = read_photo(shown.photos[0]).content if shown.photos else None
    with transaction.atomic():
        ids = routing.fail(visit=visit, reason=reason, actor=actor_of(driver), at=at, more=more)
        details = {} if door.metres is None else {"metres": door.metres}
        for delivery in Delivery.objects.filter(pk__in=ids).order_by("pk"):
            _keep(delivery, visit, photo, details, doubts, at, actor_of(driver))
        words = " ".join(part for part in (shown.staff_note, anyway) if part)
        note_attempt(delivery_ids=ids, for_staff=words, for_recipient=shown.recipient_note)
    return Outcome(visit.pk, Visit.State.FAILED, again=not ids)


def _keep(
    delivery: Delivery, visit: Visit, photo: Any, details: dict[str, Any], doubts: list[str], at: datetime, actor: str
) -> None:
    if photo is not None:
        photo.seek(0)
    record_proof(
        delivery=delivery,
        kind=Proof.Kind.FAILURE,
        taken_at=at,
        image=photo,
        point=visit.place.point,
        details=details,
        flags=doubts,
        actor=actor,
    )


def _at_door(visit: Visit, here: list[Delivery], at: datetime, shown: Shown) -> AtDoor:
    vehicle = visit.route.shift.vehicle if visit.route else None
    metres = metres_from(visit.place, vehicle, at, shown.at_place) if vehicle else None
    since = visit.arrived_at
    tries = ContactTry.objects.filter(delivery__in=here, channel__in=_REAL_CALLS, at__lte=at)
    counted = tries.filter(at__gte=since).count() if since else 0
    reachable = visit.place.kind == Place.Kind.ADDRESS and any(row.recipient.phone for row in here)
    return AtDoor(metres=metres, arrived_at=since, at=at, tries=counted, can_be_called=reachable)


def _patience_of(here: list[Delivery]) -> Patience:
    policies = [row.merchant.policy for row in here]
    return Patience(
        metres=min((policy.attempt_metres for policy in policies), default=250),
        wait=timedelta(minutes=max((policy.wait_minutes for policy in policies), default=0)),
        tries=max((policy.contact_tries for policy in policies), default=0),
    )
