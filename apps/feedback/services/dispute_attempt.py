"""The recipient was there and says so: the driver's attempt is looked into, and the answer is told on the page."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, Refused
from apps.core.throttles import count_try
from apps.deliveries.access import Access, require_changeable
from apps.deliveries.models import Attempt
from apps.deliveries.services import bump_pages, discount_attempt
from apps.events.services import emit
from apps.feedback import events
from apps.feedback.models import Dispute
from apps.feedback.rules import LONGEST_ANSWER, LONGEST_COMMENT, may_be_disputed
from apps.feedback.selectors import last_failed_attempt

TRIES, TRIES_SECONDS = 10, 3600


def dispute_attempt(*, access: Access, text: str = "") -> Dispute:
    """The dispute of the newest failed attempt; the same attempt again is the same dispute, with its first words.

    Refused("not_disputable") when no driver said anything of the recipient within the last 14 days; InvalidInput for
    more than 600 characters; NotAllowed for a link that may only look; Throttled after 10 tries in an hour.
    """
    require_changeable(access)
    count_try("dispute", str(access.delivery.pk), limit=TRIES, seconds=TRIES_SECONDS)
    attempt = last_failed_attempt(access.delivery.pk)
    if attempt is None:
        raise _not_disputable()
    standing: Dispute | None = getattr(attempt, "dispute", None)
    if standing is not None:
        return standing
    if not may_be_disputed(attempt, clock.now()):
        raise _not_disputable()
    text = " ".join(text.replace("\0", "").split())
    if len(text) > LONGEST_COMMENT:
        raise InvalidInput("text_too_long", _("That is more than 600 characters."))
    try:
        return _raised(access, attempt, text)
    except IntegrityError:
        # The same form came twice at the same moment.
        return Dispute.objects.get(attempt=attempt)


def decide_dispute(
    *, dispute: Dispute, upheld: bool, answer: str = "", reason: str = "", driver_id: int | None = None, actor: str
) -> bool:
    """Ends the check; True when it was open until now. An attempt that was upheld against no longer counts.

    `answer` (at most 300 characters) is shown to the recipient, `reason` is for colleagues; `driver_id`: whose attempt.
    """
    answer, reason = (" ".join(text.replace("\0", "").split()) for text in (answer, reason))
    if max(len(answer), len(reason)) > LONGEST_ANSWER:
        raise InvalidInput("answer_too_long", _("An answer has at most 300 characters."))
    state = Dispute.State.UPHELD if upheld else Dispute.State.REJECTED
    with transaction.atomic():
        decided = Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(
            state=state,
            answer=answer,
            reason=reason,
            driver=driver_id,
            decided_at=clock.now(),
            decided_by=actor[:40],
        )
        if decided and upheld:
            discount_attempt(attempt_id=dispute.attempt_id)
        if decided:
            _announce(events.DISPUTE_DECIDED, dispute, actor, upheld=upheld)
    return bool(decided)


def _raised(access: Access, attempt: Attempt, text: str) -> Dispute:
    with transaction.atomic():
        dispute = Dispute.objects.create(
            attempt=attempt,
            delivery=access.delivery,
            text=text,
            is_verified=access.is_verified,
            raised_at=clock.now(),
        )
        _announce(events.ATTEMPT_DISPUTED, dispute, "shopper")
    return dispute


def _announce(kind: str, dispute: Dispute, actor: str, **more: bool) -> None:
    payload = {"dispute": dispute.pk, "attempt": dispute.attempt.number, **more}
    emit(kind, delivery_id=dispute.delivery_id, payload=payload, actor=actor)
    bump_pages(delivery_ids=[dispute.delivery_id])


def _not_disputable() -> Refused:
    return Refused("not_disputable", _("There is no attempt that could be disputed. Please call us."))
