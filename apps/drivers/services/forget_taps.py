"""Lets go of what phones have told once no phone can say it again."""

from datetime import timedelta

from apps.core import clock
from apps.drivers.models import PhoneEvent

KEEP_TAPS = timedelta(days=30)


def forget_taps() -> int:
    """Deletes taps received more than 30 days ago; how many there were."""
    return PhoneEvent.objects.filter(received_at__lt=clock.now() - KEEP_TAPS).delete()[0]
