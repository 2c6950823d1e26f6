"""What only the demo knows: its phone, and the secrets that its start page links to and its simulator signs in with."""

from django.db import models


class DemoKey(models.Model):
    class Kind(models.TextChoices):
        MERCHANT = "merchant", "API key"
        DRIVER = "driver", "Driver's device"
        CLERK = "clerk", "Depot device"
        POINT = "point", "Hand-out link"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=120)
    reference = models.BigIntegerField(null=True)
    secret = models.CharField(max_length=120)
    taken_at = models.DateTimeField(null=True, blank=True, help_text="A visitor drives this van since then.")
    drive_on_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # Tests use the models without installing the demo.
        app_label = "demo"

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class PhoneMessage(models.Model):
    """Unlike the log of messages this is the phone itself, so codes and links stand in it in full."""

    class Channel(models.TextChoices):
        SMS = "sms", "SMS"
        EMAIL = "email", "E-mail"

    channel = models.CharField(max_length=8, choices=Channel)
    to = models.CharField(max_length=254, db_index=True)
    sender = models.CharField(max_length=254)
    subject = models.CharField(max_length=255, blank=True)
    body = models.TextField()
    # Twilio's SM… for a text, the Message-ID for an e-mail: the same one twice is one message, as in a mailbox.
    provider_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=16, default="queued")
    status_callback = models.CharField(max_length=500, blank=True)
    arrived_at = models.DateTimeField()

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"
