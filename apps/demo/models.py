"""What only the demo knows: the secrets that its start page links to and its simulator signs in with."""

from django.db import models


class DemoKey(models.Model):
    class Kind(models.TextChoices):
        MERCHANT = "merchant", "API key"
        DRIVER = "driver", "Driver's device"
        CLERK = "clerk", "Depot device"
        POINT = "point", "Hand-out link"
        STORY = "story", "Tracking link worth opening"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=120)
    reference = models.BigIntegerField(null=True)
    secret = models.CharField(max_length=120)

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"
