"""What somebody asked of the plan that it could not answer at once."""

from django.db import models

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery


class WindowRequest(models.Model):
    """A window that fits nowhere as the vans drive now, searched for once; the newest one of a delivery.

    It holds for the delivery as it was at `revision`. Instants are the wall's: somebody waits in front of a page.
    """

    class State(models.TextChoices):
        OPEN = "open"
        GRANTED = "granted"
        REFUSED = "refused"
        STALE = "stale"
        EXPIRED = "expired"

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="window_request")
    window_earliest = models.DateTimeField()
    window_latest = models.DateTimeField()
    revision = models.PositiveIntegerField()
    actor = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    code = models.CharField(max_length=40, blank=True, help_text="Why it was refused.")
    number = models.PositiveIntegerField(default=1, help_text="Counts the requests of this delivery.")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"window request of {self.delivery_id}"

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.window_earliest, self.window_latest)
