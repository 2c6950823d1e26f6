"""What drivers' phones have said, so that nothing counts twice, and what drivers must read before they arrive."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deliveries.models import Delivery
from apps.fleet.models import Driver
from apps.routing.models import Route


class PhoneEvent(models.Model):
    """One thing a driver tapped, by the id that the phone gave it; the answer is kept for when it is said again."""

    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="phone_events")
    client_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)
    at = models.DateTimeField(help_text=_("When it was tapped."))
    received_at = models.DateTimeField()
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["driver", "client_id"], name="one_phone_event_per_id")]

    def __str__(self) -> str:
        return f"{self.kind} of driver {self.driver_id}"


class Notice(models.Model):
    """A change to a van under way that its driver must have read."""

    class Kind(models.TextChoices):
        WINDOW = "window", _("New time")
        PLACE = "place", _("New place")
        CANCELLED = "cancelled", _("Called off")
        OTHER_DAY = "other_day", _("Not today")

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="driver_notices")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="driver_notices")
    kind = models.CharField(max_length=10, choices=Kind)
    event = models.BigIntegerField(help_text=_("The event that told of it."))
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "delivery"], name="one_driver_notice_per_event")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.delivery_id}"
