"""The code that the recipient tells the driver at the door: derived, shown to its owner, stored nowhere."""

import hmac
from collections.abc import Sequence

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import keyed_digest
from apps.core.errors import Refused
from apps.deliveries.models import Delivery, DoorstepCode

DOORSTEP_TRIES = 5
DOORSTEP_DIGITS = 6


def needs_doorstep_code(delivery: Delivery) -> bool:
    """Whether the merchant, or this delivery, asks for a code at the door."""
    return "code" in delivery.proof_needed or "code" in delivery.merchant.policy.proof_needed


def doorstep_code_of(delivery: Delivery) -> str:
    """The six digits, for the page of its verified recipient and nobody else."""
    row: DoorstepCode | None = getattr(delivery, "doorstep_code", None)
    return _derived(delivery.pk, row.generation if row else 1)


def try_doorstep_code(*, delivery: Delivery, code: str) -> bool:
    """try_doorstep_codes for one."""
    return try_doorstep_codes(deliveries=[delivery], code=code)


def try_doorstep_codes(*, deliveries: Sequence[Delivery], code: str) -> bool:
    """True when `code` is the one for any of these deliveries of one recipient, who then is there for all of them.

    Saying the right one again stays right. Refused("code_locked") from the sixth wrong try. Call it outside a
    transaction: a wrong try must be counted whatever the caller does next, and parallel guesses share the five.
    """
    typed = "".join(code[:40].split()).encode("utf-8", "replace")
    rows = [DoorstepCode.objects.get_or_create(delivery=delivery)[0] for delivery in deliveries]
    # One guess counts against each code that it is held against.
    may_be = [row for row in rows if row.confirmed_at is not None or _counted(row)]
    if not may_be:
        raise Refused("code_locked", _("This code was tried too often. Say why you hand over without it."))
    right = [hmac.compare_digest(_derived(row.delivery_id, row.generation).encode(), typed) for row in may_be]
    if not any(right):
        return False
    DoorstepCode.objects.filter(pk__in=[row.pk for row in rows], confirmed_at=None).update(confirmed_at=clock.now())
    return True


def _counted(row: DoorstepCode) -> bool:
    return bool(DoorstepCode.objects.filter(pk=row.pk, tries__lt=DOORSTEP_TRIES).update(tries=F("tries") + 1))


def renew_doorstep_code(*, delivery: Delivery) -> None:
    """Another code with fresh tries, for instance when the parcel goes to another place."""
    row, _is_new = DoorstepCode.objects.get_or_create(delivery=delivery)
    DoorstepCode.objects.filter(pk=row.pk).update(generation=F("generation") + 1, tries=0, confirmed_at=None)


def _derived(delivery_id: int, generation: int) -> str:
    digest = keyed_digest(settings.LINK_KEY, "doorstep", delivery_id, generation)
    return f"{int.from_bytes(digest[:8]) % 10**DOORSTEP_DIGITS:0{DOORSTEP_DIGITS}d}"
