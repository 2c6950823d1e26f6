"""The single gate for shoppers: which delivery a link opens, how much of it, and the step up by one-time code.

Unknown, expired, revoked and mangled links get the same answer. Wall time here: codes and throttles must not speed up
with the demo's clock.
"""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import keyed_digest
from apps.core.errors import InvalidInput, NotAllowed, NotFound, Refused, Throttled
from apps.core.phones import masked, masked_email
from apps.core.sealed_ids import opened_id, sealed_id
from apps.core.throttles import LocalTries, check_tries, count_try
from apps.deliveries import events
from apps.deliveries.models import Delivery, Link, StepUp
from apps.deliveries.services.links import find_link, is_alive
from apps.events.services import emit

VERIFIED_COOKIE = "doorstep_verified"
VERIFIED_SECONDS = 30 * 60
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
REQUESTS, REQUESTS_WITHIN = 3, timedelta(minutes=15)
REQUESTS_PER_DAY = 10
# Misses per address and opens per token; a household, a shop's network or a polling page stays far below.
MISSES_PER_ADDRESS, OPENS_PER_TOKEN, WINDOW_SECONDS = 30, 300, 60
# One counter for all doors of a link: the page, the polled row, the socket.
opens = LocalTries(WINDOW_SECONDS)
_LONGEST_TOKEN = 64
_SALT = "doorstep.step_up"

Tier = Literal["link", "verified"]


@dataclass(frozen=True, slots=True)
class Access:
    """What the holder of a link may see and do."""

    link: Link
    delivery: Delivery
    tier: Tier
    view_only: bool

    @property
    def is_verified(self) -> bool:
        return self.tier == "verified"


def open_link(token: str, *, address: str = "") -> Access:
    """The access a token gives. NotFound for every token that opens nothing; Throttled after too many tries.

    `address` is the caller's IP: misses are counted against it, opens against the token.
    """
    if address:
        check_tries("link-miss", address, limit=MISSES_PER_ADDRESS, seconds=WINDOW_SECONDS)
    link = find_link(token[: _LONGEST_TOKEN + 1])
    if link is None or not is_alive(link):
        if address:
            count_try("link-miss", address, limit=MISSES_PER_ADDRESS, seconds=WINDOW_SECONDS)
        raise NotFound("link_not_found", _("This link does not open a delivery."))
    count_open(link.token_sha256 or "")
    return Access(link=link, delivery=link.delivery, tier="link", view_only=link.kind == Link.Kind.VIEW)


def may_open(token_sha256: str) -> bool:
    """Whether a link has openings left for now; counts nothing. Who answers without the gate asks this first."""
    return opens.are_left(token_sha256, OPENS_PER_TOKEN)


def count_open(token_sha256: str) -> None:
    """Counts one opening of a link that opens something; Throttled when it was one too many."""
    opens.count(token_sha256, OPENS_PER_TOKEN)


def require_changeable(access: Access) -> None:
    """Raises NotAllowed for a link that may only look."""
    if access.view_only:
        raise NotAllowed("view_only", _("This link shows the delivery. It cannot change it."))


def require_verified(access: Access) -> None:
    """Raises NotAllowed("step_up_required") unless the holder has proved to be the contact on file."""
    require_changeable(access)
    if not access.is_verified:
        raise NotAllowed("step_up_required", _("For this we first send a code to the contact on file."))


def channels_of(delivery: Delivery) -> dict[str, str]:
    """Channel -> masked contact: where a code can be sent for this delivery, the best first."""
    person = delivery.recipient
    found = {}
    if person.phone and person.phone_refused_at is None:
        found["sms"] = masked(person.phone)
    if person.email:
        found["email"] = masked_email(person.email)
    return found


def request_code(*, access: Access, channel: str) -> StepUp:
    """Asks for a code to be made and sent; the code itself exists only in the sending reaction.

    Throttled after 3 requests in 15 minutes or 10 in a day for one delivery, whatever link they come from.
    """
    require_changeable(access)
    if channel not in channels_of(access.delivery):
        raise InvalidInput("channel_unknown", _("We cannot send a code that way. Please call us."))
    with transaction.atomic():
        # The row lock makes parallel requests count one another.
        Delivery.objects.select_for_update().values_list("pk").get(pk=access.delivery.pk)
        now = clock.wall()
        asked = StepUp.objects.filter(link__delivery=access.delivery)
        recent = asked.filter(requested_at__gt=now - REQUESTS_WITHIN).count()
        if recent >= REQUESTS or asked.filter(requested_at__gt=now - timedelta(days=1)).count() >= REQUESTS_PER_DAY:
            raise Throttled(
                "too_many_codes",
                _("We have sent several codes already. Please wait a quarter of an hour."),
                retry_after_seconds=int(REQUESTS_WITHIN.total_seconds()),
            )
        step_up = StepUp.objects.create(link=access.link, channel=channel, requested_at=now, expires_at=now + CODE_LIFE)
        emit(
            events.STEP_UP_REQUESTED,
            delivery_id=access.delivery.pk,
            payload={"step_up": step_up.pk},
            actor="shopper",
        )
    return step_up


def issue_code(*, step_up_id: int) -> str:
    """Makes the code. Only the reaction that sends it may call this, and must not keep it.

    A repeated reaction gets another code and the older one is dead; tries already made still count. Refused when
    nobody waits for it any more.
    """
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        step_up = StepUp.objects.select_related("link").filter(pk=step_up_id).first()
        if step_up is None:
            raise NotFound("step_up_not_found")
        made = StepUp.objects.filter(
            pk=step_up_id, verified_at=None, used_up_at=None, expires_at__gt=clock.wall()
        ).update(code_digest=_code_digest(step_up, code))
        if not made:
            raise Refused("code_not_wanted", _("This code is not wanted any more."))
        # The newest code is the only one: guesses cannot be spread over several.
        StepUp.objects.filter(link=step_up.link, pk__lt=step_up_id, verified_at=None, used_up_at=None).update(
            used_up_at=clock.wall()
        )
    return code


def verify_code(*, access: Access, code: str) -> str:
    """The value for the verification cookie. NotAllowed("code_wrong") for wrong, late, used and foreign codes alike.

    The try is counted before the comparison, so parallel guesses share the five tries.
    """
    require_changeable(access)
    typed = "".join(code[:40].split()).replace("-", "")
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        raise InvalidInput("code_not_understood", _("The code has six digits."))
    step_up = (
        StepUp.objects.select_related("link")
        .filter(link=access.link, verified_at=None, used_up_at=None)
        .exclude(code_digest="")
        .order_by("-pk")
        .first()
    )
    if step_up is None or not _counts_try(step_up):
        raise _wrong_code()
    if not hmac.compare_digest(step_up.code_digest, _code_digest(step_up, typed)):
        StepUp.objects.filter(pk=step_up.pk, tries__gte=CODE_TRIES, used_up_at=None).update(used_up_at=clock.wall())
        raise _wrong_code()
    with transaction.atomic():
        if not StepUp.objects.filter(pk=step_up.pk, verified_at=None, used_up_at=None).update(verified_at=clock.wall()):
            raise _wrong_code()
        emit(events.STEP_UP_PASSED, delivery_id=access.delivery.pk, actor="shopper")
    return _signed(access.link, step_up.pk)


def carried_over(access: Access, cookie: str | None) -> str | None:
    """The verification cookie for the token that replaced this link's; None when none did, or nobody was verified.

    Called with the access as it was, after the link has been rotated by its own verified holder.
    """
    before = access.link.generation
    access.link.refresh_from_db(fields=["generation"])
    try:
        generation, sealed = signing.loads(cookie or "", salt=_salt(access.link), max_age=VERIFIED_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    step_up_id = opened_id("step-up", sealed)
    if generation != before or before == access.link.generation or step_up_id is None:
        return None
    return _signed(access.link, step_up_id)


def tier_from(access: Access, cookie: str | None) -> Access:
    """The access raised to *verified* if the cookie proves it for this very link and generation; else as it was."""
    if not cookie or access.view_only:
        return access
    try:
        generation, sealed = signing.loads(cookie, salt=_salt(access.link), max_age=VERIFIED_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return access
    step_up_id = opened_id("step-up", sealed)
    if generation != access.link.generation or step_up_id is None:
        return access
    stands = StepUp.objects.filter(pk=step_up_id, link=access.link, verified_at__isnull=False, used_up_at=None)
    return replace(access, tier="verified") if stands.exists() else access


def _signed(link: Link, step_up_id: int) -> str:
    return signing.dumps([link.generation, sealed_id("step-up", step_up_id)], salt=_salt(link))


def _salt(link: Link) -> str:
    # The link's number is in the signature, not in the cookie.
    return f"{_SALT}/{link.pk}"


def _counts_try(step_up: StepUp) -> bool:
    """Takes one of the tries; False when none is left or the time is up."""
    return bool(
        StepUp.objects.filter(
            pk=step_up.pk, verified_at=None, used_up_at=None, tries__lt=CODE_TRIES, expires_at__gt=clock.wall()
        ).update(tries=F("tries") + 1)
    )


def _code_digest(step_up: StepUp, code: str) -> str:
    link = step_up.link
    return keyed_digest(settings.SECRET_KEY, "step-up", step_up.pk, link.pk, link.generation, code).hex()


def _wrong_code() -> NotAllowed:
    return NotAllowed("code_wrong", _("That code does not match. Check it, or ask for a new one."))
