"""Saves what to do at the place, keeps codes out of it, and lets the driver read and acknowledge it."""

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.door_codes import clean_note, split_codes
from apps.core.errors import InvalidInput, NotAllowed, NotFound, Refused, Stale
from apps.deliveries.models import AccessCode, Delivery, Place
from apps.deliveries.services import bump_pages, save_access_code
from apps.deliveries.states import OPEN, State
from apps.events.services import emit
from apps.instructions import events
from apps.instructions.models import Instruction
from apps.instructions.rules import LONGEST_NOTE
from apps.instructions.selectors import is_at_the_door, is_drivers_next_stop

_MAY_STILL_READ = OPEN | {State.FAILED}


def save_instruction(
    *,
    delivery: Delivery,
    safe_place: str,
    note: str,
    access_code: str = "",
    forget_code: bool = False,
    revision: int,
    actor: str,
    verified: bool,
) -> Instruction:
    """The saved instruction; a changed one has a new version, which the driver must acknowledge again.

    An empty `access_code` keeps the one on file. Codes found in the note are moved to the protected field. NotAllowed
    ("step_up_required") for a new safe place, a code of its own or a replaced code unless `verified`; Stale when
    `revision` has moved on; Refused when the merchant does not offer it or the driver is at the door.
    """
    if safe_place not in Instruction.SafePlace.values:
        raise InvalidInput("safe_place_unknown", _("Choose one of the places on the list."))
    plain = clean_note(note[: LONGEST_NOTE * 4])
    if len(plain) > LONGEST_NOTE:
        raise InvalidInput("note_too_long", _("A note has at most 300 characters."))
    plain, found = split_codes(plain)
    code = access_code.strip() or found
    standing = Instruction.objects.filter(delivery=delivery).first()
    _check_offer(delivery, safe_place, standing)
    if not verified:
        _check_link_tier(delivery, safe_place, standing, typed=access_code.strip(), found=found, forget=forget_code)
    if standing and (standing.safe_place, standing.note) == (safe_place, plain) and not code and not forget_code:
        return standing
    with transaction.atomic():
        _claim(delivery, revision)
        if code or forget_code:
            save_access_code(delivery_id=delivery.pk, code=code)
        delivery.refresh_from_db()
        # Versions follow the delivery's revision, so that they never repeat, even after a note was thrown away.
        instruction, _is_new = Instruction.objects.update_or_create(
            delivery=delivery,
            defaults={
                "safe_place": safe_place,
                "note": plain,
                "version": delivery.revision,
                "saved_at": clock.now(),
                "acknowledged_at": None,
            },
        )
        emit(events.SAVED, delivery_id=delivery.pk, payload={"version": instruction.version}, actor=actor)
    return instruction


def acknowledge_instruction(*, delivery_id: int, version: int, driver_id: int) -> bool:
    """True when this version is acknowledged now or was before; False when it is not the current one."""
    with transaction.atomic():
        current = Instruction.objects.filter(delivery=delivery_id, version=version)
        if current.exclude(acknowledged_version=version).update(
            acknowledged_version=version, acknowledged_at=clock.now()
        ):
            bump_pages(delivery_ids=[delivery_id])
            emit(
                events.ACKNOWLEDGED,
                delivery_id=delivery_id,
                payload={"version": version},
                actor=f"driver:{driver_id}",
            )
            return True
        return current.exists()


def reveal_access_code(*, delivery: Delivery, driver_id: int) -> str:
    """The door code, for the driver whose next stop this is; every look leaves an event.

    NotAllowed for any other driver or earlier, NotFound when there is no code.
    """
    if delivery.state != State.OUT or not is_drivers_next_stop(delivery.pk, driver_id):
        raise NotAllowed("not_your_next_stop", _("The code is shown when this is your next stop."))
    with transaction.atomic():
        row = AccessCode.objects.filter(delivery=delivery).first()
        if row is None:
            raise NotFound("no_code", _("There is no code for this door."))
        emit(events.CODE_REVEALED, delivery_id=delivery.pk, actor=f"driver:{driver_id}")
    return row.code


def drop_instruction(*, delivery_id: int, before_version: int) -> bool:
    """Throws away what was meant for a place the delivery no longer goes to."""
    dropped, _rows = Instruction.objects.filter(delivery=delivery_id, version__lt=before_version).delete()
    if dropped:
        bump_pages(delivery_ids=[delivery_id])
    return bool(dropped)


def _check_offer(delivery: Delivery, safe_place: str, standing: Instruction | None) -> None:
    policy = delivery.merchant.policy
    if not policy.allow_instructions:
        raise Refused("policy", _("This shop does not take instructions."))
    if delivery.place.kind != Place.Kind.ADDRESS:
        raise Refused("to_point", _("The delivery goes to a pick-up point. Instructions are for your door."))
    new_place = safe_place != (standing.safe_place if standing else Instruction.SafePlace.IN_PERSON)
    if new_place and safe_place != Instruction.SafePlace.IN_PERSON and not policy.allow_safe_place:
        raise Refused("policy", _("This shop wants its parcels handed over in person."))
    if delivery.state not in _MAY_STILL_READ:
        raise Refused("too_late", _("This delivery has ended. The driver can no longer read this."))
    if is_at_the_door(delivery.pk):
        raise Refused("too_late", _("The driver is at your door already."))


def _check_link_tier(
    delivery: Delivery, safe_place: str, standing: Instruction | None, *, typed: str, found: str, forget: bool
) -> None:
    """What the bare link may not do: choose a safe place, name a code, replace or remove one."""
    new_place = safe_place != (standing.safe_place if standing else Instruction.SafePlace.IN_PERSON)
    replaces = (found or forget) and AccessCode.objects.filter(delivery=delivery).exists()
    if typed or replaces or (new_place and safe_place != Instruction.SafePlace.IN_PERSON):
        raise NotAllowed("step_up_required", _("For this we first send a code to the contact on file."))


def _claim(delivery: Delivery, revision: int) -> None:
    written = Delivery.objects.filter(pk=delivery.pk, revision=revision, state__in=_MAY_STILL_READ).update(
        revision=F("revision") + 1, page_version=F("page_version") + 1
    )
    if not written:
        raise Stale("changed_meanwhile", _("Someone changed this a moment ago."))
