"""One row per fact told to one person, and below it one row per try."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deliveries.models import Contact, Delivery, StepUp


class Message(models.Model):
    """`body` is the text as it was sent, with dots for what no table may keep: one-time codes and link tokens."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        SUPPRESSED = "suppressed", _("Not sent")

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="messages")
    recipient = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="messages")
    trigger = models.CharField(max_length=24)
    dedupe_key = models.CharField(max_length=120, unique=True)
    event_id = models.BigIntegerField(null=True, blank=True, help_text=_("The event this tells of."))
    step_up = models.ForeignKey(StepUp, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    promise_version = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=10)
    channel = models.CharField(max_length=12, blank=True, help_text=_("Set when the shopper chose it."))
    subject = models.CharField(max_length=160, blank=True)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=60, blank=True, help_text=_("Why it was not sent, or failed."))
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["delivery", "trigger"])]

    def __str__(self) -> str:
        return f"{self.trigger} for {self.delivery_id}"


class SendAttempt(models.Model):
    """Saved before the provider is called, so that a try whose process died is known and not blindly repeated."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, help_text=_("Stands in the provider's call-back address."))
    channel = models.CharField(max_length=12)
    provider_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, default="started")
    error_code = models.CharField(max_length=12, blank=True)
    started_at = models.DateTimeField(help_text=_("Wall time."))
    updated_at = models.DateTimeField(help_text=_("Wall time."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "number"], name="attempt_number_per_message")]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"
