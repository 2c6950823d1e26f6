"""Keeps door codes and collection codes: encrypted, one per delivery, gone when the place changes or all has ended."""

import hmac
import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, Refused
from apps.deliveries import events
from apps.deliveries.models import AccessCode, CollectionCode, Delivery
from apps.deliveries.services.bump_pages import bump_pages
from apps.deliveries.states import State
from apps.events.services import emit

COLLECTION_TRIES = 5
LONGEST_ACCESS_CODE = 40


def save_access_code(*, delivery_id: int, code: str) -> None:
    """Keeps the code of a door or gate; an empty one forgets it."""
    code = code.strip()
    if len(code) > LONGEST_ACCESS_CODE or not code.isprintable():
        raise InvalidInput("access_code_not_understood", _("A door code has at most 40 characters."))
    if code:
        AccessCode.objects.update_or_create(delivery_id=delivery_id, defaults={"code": code, "saved_at": clock.now()})
    else:
        AccessCode.objects.filter(delivery_id=delivery_id).delete()


def drop_codes(*, delivery_id: int) -> None:
    AccessCode.objects.filter(delivery_id=delivery_id).delete()
    CollectionCode.objects.filter(delivery_id=delivery_id).delete()


def set_collection(*, delivery_id: int, until: datetime) -> None:
    """Makes the six-digit code that opens the hand-out, and keeps until when the parcel waits. Harmless twice."""
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery_id, state=State.AT_POINT).update(
            collect_until=until, page_version=F("page_version") + 1
        )
        CollectionCode.objects.get_or_create(
            delivery_id=delivery_id, defaults={"code": new_collection_code(), "made_at": clock.now()}
        )


def collection_code_of(delivery_id: int) -> str | None:
    """The code, for the page of its verified owner and nobody else; None before the parcel is at the point."""
    row = CollectionCode.objects.filter(delivery_id=delivery_id, used_at=None).first()
    return row.code if row else None


def renew_collection_code(*, delivery_id: int, actor: str = "system") -> bool:
    """Replaces a code that leaked or was locked by wrong tries; False when nothing waits to be collected."""
    with transaction.atomic():
        renewed = CollectionCode.objects.filter(delivery_id=delivery_id, used_at=None).update(
            code=new_collection_code(), tries=0, made_at=clock.now()
        )
        if renewed:
            bump_pages(delivery_ids=[delivery_id])
            emit(events.COLLECTION_CODE_RENEWED, delivery_id=delivery_id, actor=actor)
    return bool(renewed)


def new_collection_code() -> str:
    return f"{secrets.randbelow(10**6):06d}"


def try_collection_code(*, delivery_id: int, code: str) -> bool:
    """True when `code` is the one for this delivery. Every try counts, the right one too.

    Refused("code_locked") from the sixth. The count is written before the comparison and must be committed whatever
    the caller does next, so call it outside a transaction: parallel guesses share the five.
    """
    counted = CollectionCode.objects.filter(delivery_id=delivery_id, used_at=None, tries__lt=COLLECTION_TRIES).update(
        tries=F("tries") + 1
    )
    row = CollectionCode.objects.filter(delivery_id=delivery_id, used_at=None).first()
    if row is None:
        return False
    if not counted:
        raise Refused("code_locked", _("This code was tried too often. Please call us for a new one."))
    return hmac.compare_digest(row.code.encode(), code.encode("utf-8", "replace"))


def use_collection_code(*, delivery_id: int) -> bool:
    """True when it is used now; a code opens once."""
    return bool(CollectionCode.objects.filter(delivery_id=delivery_id, used_at=None).update(used_at=clock.now()))
