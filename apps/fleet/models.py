"""Depots, vehicles, drivers, who drives what on which day, and where they are."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.merchants.models import validate_time_zone


class Depot(models.Model):
    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    street = models.CharField(max_length=120)
    town = models.CharField(max_length=80)
    latitude = models.FloatField()
    longitude = models.FloatField()
    time_zone = models.CharField(max_length=40, default="Europe/Vaduz", validators=[validate_time_zone])

    def __str__(self) -> str:
        return self.name


class Vehicle(models.Model):
    class Kind(models.TextChoices):
        DIESEL_VAN = "diesel_van", _("Diesel van")
        ELECTRIC_VAN = "electric_van", _("Electric van")
        CARGO_BIKE = "cargo_bike", _("Cargo bike")

    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="vehicles")
    code = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    profile = models.CharField(max_length=12, default="car", help_text=_("Road profile: car or bicycle."))
    capacity_grams = models.PositiveIntegerField()
    capacity_cubic_centimetres = models.PositiveIntegerField()
    capacity_pieces = models.PositiveIntegerField()
    range_metres = models.PositiveIntegerField(null=True, blank=True)
    postcodes = models.CharField(
        max_length=255, blank=True, help_text=_("Postcodes it serves, separated by commas; empty: all.")
    )

    def __str__(self) -> str:
        return self.code


class Driver(models.Model):
    """Signs in with a device token; only its SHA-256 is kept."""

    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=20, blank=True)
    device_sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True)
    device_made_at = models.DateTimeField(null=True, blank=True)
    device_revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class DepotDevice(models.Model):
    """A clerk's phone at a depot."""

    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=60)
    device_sha256 = models.CharField(max_length=64, unique=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.depot}"


class Shift(models.Model):
    """The roster: this driver, this vehicle, from then to then (UTC)."""

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="shifts")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="shifts")
    day = models.DateField(db_index=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vehicle", "day"], name="one_shift_per_vehicle_and_day"),
            models.UniqueConstraint(fields=["driver", "day"], name="one_shift_per_driver_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle} {self.day}"


class Position(models.Model):
    """The newest position of a vehicle; `sequence` grows with every write so that live processes can tail it."""

    vehicle = models.OneToOneField(Vehicle, on_delete=models.CASCADE, related_name="position")
    latitude = models.FloatField()
    longitude = models.FloatField()
    heading_degrees = models.FloatField(null=True)
    speed_metres_per_second = models.FloatField(null=True)
    at = models.DateTimeField(help_text=_("When the phone measured it."))
    sequence = models.BigIntegerField(db_index=True)
    doubted = models.JSONField(
        null=True, help_text=_("What came after a jump and is not believed yet: latitude, longitude, at, how many.")
    )

    def __str__(self) -> str:
        return f"{self.vehicle_id} at {self.at}"


class PositionSample(models.Model):
    """A thinned history, dropped after some days."""

    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="position_samples")
    latitude = models.FloatField()
    longitude = models.FloatField()
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.vehicle_id} at {self.at}"


class PositionDrop(models.Model):
    """How many positions were thrown away, per day and reason: a counter staff can read."""

    day = models.DateField()
    reason = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "reason"], name="one_drop_counter_per_day_and_reason")]

    def __str__(self) -> str:
        return f"{self.day} {self.reason}: {self.count}"
