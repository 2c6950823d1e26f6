"""What the merchant's face remembers: answers that may be asked for again, and every try of a webhook."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.encryption import EncryptedTextField
from apps.merchants.models import Merchant, WebhookEndpoint


class KeptAnswer(models.Model):
    """The answer to a request that carried an Idempotency-Key, written in the transaction of its effect."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="kept_answers")
    key_sha256 = models.CharField(max_length=64)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, help_text=_("HTTP status of the answer."))
    # Encrypted: the answer holds a tracking link, and tokens of links are stored nowhere.
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(db_index=True, help_text=_("Wall time."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "key_sha256"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"answer {self.pk} of {self.merchant_id}"


class WebhookAttempt(models.Model):
    """One try to tell one endpoint of one event. The body is made from the event each time and never stored."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("Started")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected by the endpoint")
        TIMED_OUT = "timed_out", _("No answer in time")
        UNREACHABLE = "unreachable", _("Could not be reached")
        BLOCKED = "blocked", _("Address not allowed")
        LOST = "lost", _("Our process ended during the try")

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="attempts")
    event_id = models.BigIntegerField()
    kind = models.CharField(max_length=80)
    message_id = models.CharField(max_length=40, help_text=_("The webhook-id header; equal over all tries."))
    number = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.STARTED)
    status = models.PositiveSmallIntegerField(null=True, help_text=_("HTTP status of the endpoint's answer."))
    reason = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(help_text=_("Wall time."))
    ended_at = models.DateTimeField(null=True, help_text=_("Wall time."))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id", "number"], name="one_row_per_webhook_try")
        ]

    def __str__(self) -> str:
        return f"{self.kind} to endpoint {self.endpoint_id}, try {self.number}"
