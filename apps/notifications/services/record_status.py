"""Takes in what a provider says about a try. Reports come twice, late and in any order."""

from django.db import transaction

from apps.core import clock
from apps.notifications import rules
from apps.notifications.models import Message, SendAttempt
from apps.notifications.services.send_message import note_dead_number
from apps.notifications.services.tell import ask_to_send


def record_status(*, public_id: str, provider_id: str, status: str, error_code: str = "") -> bool:
    """True when the report was news; False for an unknown try, an unknown word, a repeat or something older."""
    attempt = SendAttempt.objects.select_related("message").filter(public_id=public_id).first()
    if attempt is None or status not in rules.RANKS or attempt.provider_id not in ("", provider_id):
        return False
    with transaction.atomic():
        moved = SendAttempt.objects.filter(pk=attempt.pk, status__in=rules.lower_statuses(status)).update(
            status=status, error_code=error_code[:12], provider_id=provider_id[:64], updated_at=clock.wall()
        )
        if moved:
            _carry_over(attempt.message, status, error_code)
    return bool(moved)


def _carry_over(message: Message, status: str, error_code: str) -> None:
    """What the news about a try means for its message."""
    State = Message.State  # noqa: N806
    mine = Message.objects.filter(pk=message.pk)
    if status in rules.ARRIVED:
        mine.exclude(state=State.SUPPRESSED).update(state=State.DELIVERED, reason="")
    elif status not in rules.FAILED:
        mine.filter(state=State.WAITING).update(state=State.SENT)
    else:
        note_dead_number(message, error_code)
        # Another try, or the other channel: send_message decides. A text that arrived by another try stays arrived.
        if mine.filter(state__in=[State.SENT, State.WAITING]).update(state=State.WAITING):
            ask_to_send(message)
