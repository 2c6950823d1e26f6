"""Lets go of the tries behind messages that were settled long ago; the messages themselves stay."""

from datetime import timedelta

from apps.core import clock
from apps.notifications.models import Message, SendAttempt

KEEP_ATTEMPTS = timedelta(days=90)


def forget_attempts() -> int:
    """Deletes tries nobody has reported on for 90 days of the wall's clock; how many there were."""
    old = SendAttempt.objects.filter(updated_at__lt=clock.wall() - KEEP_ATTEMPTS)
    return old.exclude(message__state=Message.State.WAITING).delete()[0]
