"""Where else a parcel may go: the directory of points and what is kept there for whom."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deliveries.models import Delivery
from apps.merchants.models import validate_time_zone


class PickupPoint(models.Model):
    class Kind(models.TextChoices):
        POST_OFFICE = "post_office", _("Post office")
        SHOP = "shop", _("Shop")

    code = models.SlugField(unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=120)
    street = models.CharField(max_length=120)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=12)
    town = models.CharField(max_length=80)
    country = models.CharField(max_length=2, default="LI")
    latitude = models.FloatField()
    longitude = models.FloatField()
    opening_hours = models.CharField(max_length=255, help_text=_("OpenStreetMap opening_hours."))
    time_zone = models.CharField(max_length=40, default="Europe/Vaduz", validators=[validate_time_zone])
    capacity = models.PositiveIntegerField(default=40, help_text=_("Parcels that fit at one time."))
    largest_millimetres = models.PositiveIntegerField(default=1200)
    heaviest_grams = models.PositiveIntegerField(default=20_000)
    is_active = models.BooleanField(default=True)
    handout_sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True)

    def __str__(self) -> str:
        return self.name if self.town in self.name else f"{self.name}, {self.town}"

    @property
    def point(self) -> tuple[float, float]:
        """(latitude, longitude)."""
        return self.latitude, self.longitude


class Reservation(models.Model):
    """Room for one delivery at a point: reserved -> stored -> collected, or released.

    What was agreed for the door before is kept, so that the way back is the old one.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        STORED = "stored", _("Stored")
        COLLECTED = "collected", _("Collected")
        RELEASED = "released", _("Released")

    point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="reservations")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="reservations")
    state = models.CharField(max_length=10, choices=State, default=State.RESERVED)
    made_at = models.DateTimeField()
    stored_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    home_earliest = models.DateTimeField(null=True, blank=True)
    home_latest = models.DateTimeField(null=True, blank=True)
    home_service_seconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"],
                condition=models.Q(state__in=["reserved", "stored"]),
                name="one_live_reservation_per_delivery",
            )
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} at {self.point_id}"
