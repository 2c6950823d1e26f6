"""What to do at the place."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deliveries.models import Delivery


class Instruction(models.Model):
    class SafePlace(models.TextChoices):
        IN_PERSON = "in_person", _("Hand it to me")
        PORCH = "porch", _("On the porch")
        GARAGE = "garage", _("In the garage")
        SHED = "shed", _("In the garden shed")
        MAILBOX = "mailbox", _("In the mailbox")
        RECEPTION = "reception", _("With reception")

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="instruction")
    safe_place = models.CharField(max_length=12, choices=SafePlace, default=SafePlace.IN_PERSON)
    note = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField()
    acknowledged_version = models.PositiveIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"instruction for {self.delivery_id}"
