"""Depots, vehicles, drivers, who drives what on which day, and where they are."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from apps.fleet.rules import check_breaks, check_hours, check_skills
from apps.fleet.shapes import check_shape
from apps.merchants.models import validate_time_zone


class Depot(models.Model):
    """Where goods lie and vans start. It serves an address when its zone holds the postcode (no zone: every one).

    A depot has a plan of its own every day. A micro depot has none: its vehicles and goods are part of the plan of the
    depot that feeds it (`parent`), so that a stop with stock at both is brought from where it costs less.
    """

    class Kind(models.TextChoices):
        DEPOT = "depot", _("Depot")
        MICRO = "micro", _("Micro depot")

    class ReplanMode(models.TextChoices):
        AUTOMATIC = "", _("Automatic")
        CHANGED = "insertion", _("Changed stops only")
        VAN = "one_van", _("The whole van")
        VANS = "three_vans", _("Across vans")

    class ReplanPolicy(models.TextChoices):
        CALM = "calm", _("Calm: move nobody's time for little")
        THRIFTY = "thrifty", _("Thrifty: shorter ways first")

    code = models.SlugField(unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.DEPOT)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sites",
        help_text=_("Of a micro depot: the depot it is planned with."),
    )
    name = models.CharField(max_length=80)
    street = models.CharField(max_length=120)
    town = models.CharField(max_length=80)
    latitude = models.FloatField()
    longitude = models.FloatField()
    time_zone = models.CharField(max_length=40, default="Europe/Vaduz", validators=[validate_time_zone])
    currency = models.CharField(max_length=3, default="CHF", help_text=_("Of every cost of its fleet: ISO 4217."))
    cutoff_time = models.TimeField(
        null=True, blank=True, help_text=_("Until when an order may still go out the same day; empty: always.")
    )
    has_stock = models.BooleanField(default=True, help_text=_("Goods lie here. Without stock no new delivery is sent."))
    postcodes = models.CharField(
        max_length=255, blank=True, help_text=_("Postcodes it serves, separated by commas; empty: all.")
    )
    replan_mode = models.CharField(max_length=12, choices=ReplanMode, default=ReplanMode.AUTOMATIC, blank=True)
    replan_policy = models.CharField(max_length=8, choices=ReplanPolicy, default=ReplanPolicy.CALM)
    overlap_seconds = models.PositiveSmallIntegerField(
        default=0,
        help_text=_("Of a draft: seconds of driving worth one stop less among other vans'; 0: off; try 200."),
    )
    balance_percent = models.PositiveSmallIntegerField(
        default=0,
        help_text=_("Of a draft: percent that a second of unequal work counts of one of driving; 0: off; try 20."),
    )

    def __str__(self) -> str:
        return self.name

    @cached_property
    def together(self) -> tuple["Depot", ...]:
        """The depots whose vehicles and goods are one plan: this one first, then its micro depots."""
        return (self, *self.sites.order_by("pk"))

    @property
    def plans_with(self) -> "Depot":
        """The depot whose day plan holds its vehicles."""
        return self.parent or self

    def clean(self) -> None:
        if (self.kind == self.Kind.MICRO) != (self.parent is not None):
            raise ValidationError({"parent": _("A micro depot needs the depot it is planned with; no other has one.")})
        if self.parent is None:
            return
        if self.parent.parent_id is not None or self.parent.pk == self.pk or (self.pk and self.sites.exists()):
            raise ValidationError({"parent": _("A micro depot is planned with a depot, not with another micro depot.")})
        if (self.parent.time_zone, self.parent.currency) != (self.time_zone, self.currency):
            raise ValidationError({"parent": _("Depots that are planned together share time zone and currency.")})


class Vehicle(models.Model):
    class Kind(models.TextChoices):
        DIESEL_VAN = "diesel_van", _("Diesel van")
        ELECTRIC_VAN = "electric_van", _("Electric van")
        CARGO_BIKE = "cargo_bike", _("Cargo bike")
        FOOT = "foot", _("On foot")
        DRONE = "drone", _("Drone")
        ROBOT = "robot", _("Robot")
        CARRIER = "carrier", _("Carrier, paid per stop")

    class Profile(models.TextChoices):
        CAR = "car", _("Car")
        BICYCLE = "bicycle", _("Bicycle")
        FOOT = "foot", _("On foot")
        AIR = "air", _("By air, as the crow flies")

    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="vehicles")
    code = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    profile = models.CharField(
        max_length=12, choices=Profile, default=Profile.CAR, help_text=_("Which roads and speeds count for it.")
    )
    capacity_grams = models.PositiveIntegerField()
    capacity_cubic_centimetres = models.PositiveIntegerField()
    capacity_pieces = models.PositiveIntegerField()
    range_metres = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("How far it goes on a full battery; empty: far enough.")
    )
    recharge_seconds = models.PositiveIntegerField(default=0, help_text=_("At the depot, in the middle of its day."))
    reload_seconds = models.PositiveIntegerField(
        default=0, help_text=_("Loading a second wave at the depot takes so long; 0: it makes one tour only.")
    )
    max_stops = models.PositiveIntegerField(null=True, blank=True)
    postcodes = models.CharField(
        max_length=255, blank=True, help_text=_("Postcodes it serves, separated by commas; empty: all.")
    )
    barred_postcodes = models.CharField(
        max_length=255, blank=True, help_text=_("Postcodes it may not enter, separated by commas.")
    )
    skills = models.JSONField(
        default=list, blank=True, validators=[check_skills], help_text=_('What it can do, such as ["cold"].')
    )
    cost_per_start = models.PositiveIntegerField(default=0, help_text=_("Minor units of the depot's currency."))
    cost_per_hour = models.PositiveIntegerField(default=0, help_text=_("Minor units."))
    cost_per_kilometre = models.PositiveIntegerField(default=0, help_text=_("Minor units."))
    cost_per_stop = models.PositiveIntegerField(default=0, help_text=_("Minor units; what a carrier asks."))
    cost_per_overtime_hour = models.PositiveIntegerField(default=0, help_text=_("Minor units."))
    grams_co2e_per_kilometre = models.PositiveIntegerField(default=0)
    factor_source = models.CharField(
        max_length=160, blank=True, help_text=_("Where the emission factor comes from: name, year, scope.")
    )

    def __str__(self) -> str:
        return self.code


class Zone(models.Model):
    """An area drawn on the map that some vehicles may not stop in: by their kind, or by what they emit.

    With `hours` it counts while these hold; a stop whose window reaches into them is kept from these vehicles whole.
    """

    name = models.CharField(max_length=80)
    shape = models.JSONField(validators=[check_shape], help_text=_("A GeoJSON polygon: [longitude, latitude] pairs."))
    hours = models.CharField(
        max_length=120,
        blank=True,
        validators=[check_hours],
        help_text=_('When it counts, as OpenStreetMap writes opening hours: "Mo-Fr 06:00-11:00"; empty: always.'),
    )
    barred_kinds = models.JSONField(default=list, blank=True, help_text=_("Kinds of vehicle that may not enter."))
    most_grams_co2e_per_kilometre = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Vehicles that emit more may not enter; empty: no limit.")
    )

    def __str__(self) -> str:
        return self.name


class Driver(models.Model):
    """Signs in with a device token; only its SHA-256 is kept."""

    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=20, blank=True)
    shows_first_name = models.BooleanField(
        default=False, help_text=_("The driver agreed that customers on the route read the first name.")
    )
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
    """The roster: this driver, this vehicle, from then to then (UTC).

    `breaks` are seconds since the depot's midnight: each begins between `earliest` and `latest` and lasts `seconds`.
    A shift that is sick or broken down brings nothing more that day.
    """

    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="shifts")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="shifts")
    day = models.DateField(db_index=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    breaks = models.JSONField(
        default=list,
        blank=True,
        validators=[check_breaks],
        help_text=_('Such as [{"earliest": 41400, "latest": 46800, "seconds": 1800}], seconds since midnight.'),
    )
    overtime_seconds = models.PositiveIntegerField(default=0, help_text=_("How long it may run over, at a price."))
    break_began_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when the driver is having a break.")
    )
    sick_at = models.DateTimeField(null=True, blank=True)
    broken_down_at = models.DateTimeField(null=True, blank=True)

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
    sampled_latitude = models.FloatField(null=True)
    sampled_longitude = models.FloatField(null=True)
    sampled_at = models.DateTimeField(null=True, help_text=_("The last position that went into the history."))
    doubted = models.JSONField(
        null=True, help_text=_("What came after a jump and is not believed yet: latitude, longitude, at, how many.")
    )

    def __str__(self) -> str:
        return f"{self.vehicle_id} at {self.at}"


class Tracker(models.Model):
    """An app or a box that reports positions in a protocol of its own; only its id's SHA-256 is kept.

    An app's id is the secret itself. A box's id may be printed on it, so it counts only behind Traccar's shared secret.
    """

    class Kind(models.TextChoices):
        APP = "app", _("App (OsmAnd, Traccar Client)")
        BOX = "box", _("Device behind a Traccar server")

    kind = models.CharField(max_length=4, choices=Kind, default=Kind.APP)
    name = models.CharField(max_length=60)
    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, null=True, blank=True, related_name="trackers")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, null=True, blank=True, related_name="trackers")
    id_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(driver=None, vehicle__isnull=False) | models.Q(driver__isnull=False, vehicle=None),
                name="tracker_of_a_driver_or_of_a_vehicle",
            )
        ]

    def __str__(self) -> str:
        return self.name


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
