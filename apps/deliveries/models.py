"""The nouns a parcel has. Only this app's services write them."""

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.encryption import EncryptedTextField
from apps.core.time_windows import TimeWindow
from apps.deliveries.states import State
from apps.merchants.models import Merchant


def new_public_id() -> str:
    """An id for APIs and pages that says nothing about how many there are (120 bits)."""
    return secrets.token_urlsafe(15)


class Contact(models.Model):
    """A person: recipient or buyer. Phone in E.164."""

    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True, db_index=True)
    email = models.EmailField(blank=True, db_index=True)
    language = models.CharField(max_length=10, default="en")
    phone_refused_at = models.DateTimeField(null=True, blank=True, help_text=_("The network says this number is dead."))

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """Where a delivery goes. `merge_key` is equal for what one stop can serve: one pick-up point, one person's door."""

    class Kind(models.TextChoices):
        ADDRESS = "address", _("Address")
        PICKUP_POINT = "pickup_point", _("Pick-up point")
        LOCKER = "locker", _("Locker")
        SHOP = "shop", _("Shop, where goods are collected")

    kind = models.CharField(max_length=16, choices=Kind, default=Kind.ADDRESS)
    name = models.CharField(max_length=120, blank=True)
    street = models.CharField(max_length=120)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=12)
    town = models.CharField(max_length=80)
    country = models.CharField(max_length=2, default="LI")
    latitude = models.FloatField(help_text=_("Of the entrance, degrees."))
    longitude = models.FloatField()
    opening_hours = models.CharField(
        max_length=255, blank=True, help_text=_("OpenStreetMap opening_hours; empty: always.")
    )
    merge_key = models.CharField(max_length=60, blank=True, db_index=True)
    floor = models.SmallIntegerField(null=True, blank=True, help_text=_("Of a flat; 0 is the ground floor."))

    def __str__(self) -> str:
        if self.name:
            return self.name if self.town in self.name else f"{self.name}, {self.town}"
        return f"{self.street} {self.house_number}, {self.town}".replace(" ,", ",")

    @property
    def point(self) -> tuple[float, float]:
        """(latitude, longitude)."""
        return self.latitude, self.longitude


class Order(models.Model):
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="orders")
    reference = models.CharField(max_length=60, db_index=True)
    buyer = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="orders_bought")
    placed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "reference"], name="order_reference_per_merchant")]

    def __str__(self) -> str:
        return self.reference


class Delivery(models.Model):
    """`revision` counts what a person may change, `page_version` everything the page shows.

    `needs` are skills the van must have. A return is collected at the customer's and comes back to the depot.
    """

    class Kind(models.TextChoices):
        DELIVERY = "delivery", _("Delivery")
        RETURN = "return", _("Return, collected at the door")

    class Deferred(models.TextChoices):
        NOT_IN_STOCK = "not_in_stock", _("Not in stock yet")
        OTHER_WAREHOUSE = "other_warehouse", _("From another warehouse")
        MADE_TO_ORDER = "made_to_order", _("Made to order")

    public_id = models.CharField(max_length=24, unique=True, default=new_public_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="deliveries")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="deliveries")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="deliveries")
    home = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="home_deliveries")
    collect_from = models.ForeignKey(
        Place,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="collections",
        help_text=_("The shop where a van collects it on the way; empty: it comes from a depot."),
    )
    state = models.CharField(max_length=20, choices=State, default=State.CREATED, db_index=True)
    window_earliest = models.DateTimeField(help_text=_("What was agreed; hard."))
    window_latest = models.DateTimeField()
    preferred_earliest = models.DateTimeField(
        null=True, blank=True, help_text=_("The part of the window they would like best; weighed, never promised.")
    )
    preferred_latest = models.DateTimeField(null=True, blank=True)
    service_seconds = models.PositiveIntegerField(default=120)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.DELIVERY)
    deferred_reason = models.CharField(
        max_length=20,
        choices=Deferred,
        blank=True,
        help_text=_("Why this part of the order comes later."),
    )
    priority = models.PositiveSmallIntegerField(default=0, help_text=_("0 to 10; a higher one is left out last."))
    needs = models.JSONField(default=list, blank=True, help_text=_('Skills the van must have, such as ["cold"].'))
    proof_needed = models.JSONField(
        default=list,
        blank=True,
        help_text=_('Besides what the merchant asks for: "photo", "signature", "code", "scan".'),
    )
    minimum_age = models.PositiveSmallIntegerField(default=0, help_text=_("Years; 0: anybody may take it."))
    cash_due = models.PositiveIntegerField(default=0, help_text=_("To be paid at the door, minor units."))
    cash_currency = models.CharField(max_length=3, blank=True)
    change_count = models.PositiveSmallIntegerField(default=0)
    revision = models.PositiveIntegerField(default=1)
    page_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    collect_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(window_latest__gte=models.F("window_earliest")), name="delivery_window_not_reversed"
            ),
            models.CheckConstraint(
                condition=models.Q(preferred_earliest=None, preferred_latest=None)
                | models.Q(
                    preferred_earliest__gte=models.F("window_earliest"),
                    preferred_latest__gte=models.F("preferred_earliest"),
                    preferred_latest__lte=models.F("window_latest"),
                ),
                name="delivery_preference_inside_window",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} to {self.recipient}"

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.window_earliest, self.window_latest)

    @property
    def preferred(self) -> TimeWindow | None:
        """The part of the window they would like best."""
        if self.preferred_earliest is None or self.preferred_latest is None:
            return None
        return TimeWindow(self.preferred_earliest, self.preferred_latest)


class Parcel(models.Model):
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="parcels")
    barcode = models.CharField(max_length=40, unique=True)
    description = models.CharField(max_length=120, blank=True)
    weight_grams = models.PositiveIntegerField()
    length_millimetres = models.PositiveIntegerField()
    width_millimetres = models.PositiveIntegerField()
    height_millimetres = models.PositiveIntegerField()
    arrived_at = models.DateTimeField(null=True, blank=True)
    loaded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.barcode

    @property
    def cubic_centimetres(self) -> int:
        return self.length_millimetres * self.width_millimetres * self.height_millimetres // 1000


class Attempt(models.Model):
    """One try to hand over. A redirect or a re-attempt keeps the delivery and adds one of these."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="attempts")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    staff_note = models.CharField(max_length=300, blank=True, help_text=_("The driver's, for colleagues only."))
    recipient_note = models.CharField(max_length=300, blank=True, help_text=_("The driver's, shown to the recipient."))
    counts = models.BooleanField(default=True, help_text=_("Not when staff found that nobody was at the door."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_per_delivery")]

    def __str__(self) -> str:
        return f"{self.delivery_id} attempt {self.number}"


class Promise(models.Model):
    """What a message told the customer; versioned, hard. Older versions are closed, never rewritten."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="promises")
    version = models.PositiveIntegerField()
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "version"], name="promise_version_per_delivery"),
            models.UniqueConstraint(
                fields=["delivery"], condition=models.Q(closed_at=None), name="one_open_promise_per_delivery"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} v{self.version}"


class Proof(models.Model):
    """What shows that, how or why not a parcel was handed over. `flags` are codes of what does not fit together.

    `details` hold codes and numbers only: how far the photo was taken from the stop (metres), how the age was checked.
    No document of anybody is kept.
    """

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        SIGNATURE = "signature", _("Signature")
        HANDOUT = "handout", _("Hand-out at the point")
        CODE = "code", _("Code at the door")
        SCAN = "scan", _("Barcode scan at the door")
        AGE = "age", _("Age check")
        CASH = "cash", _("Cash on delivery")
        FAILURE = "failure", _("Photo of a stop that failed")

    # What the recipient's page may call the proof of a delivery.
    OF_HANDOVER = (Kind.PHOTO, Kind.SIGNATURE, Kind.HANDOUT)

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="proofs")
    kind = models.CharField(max_length=12, choices=Kind)
    image = models.ImageField(upload_to="proofs/%Y/%m/%d", blank=True)
    received_by = models.CharField(max_length=120, blank=True)
    left_at = models.CharField(max_length=40, blank=True, help_text=_("Code of the place where it was left."))
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    taken_at = models.DateTimeField()
    details = models.JSONField(default=dict, blank=True)
    flags = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of {self.delivery_id}"


class ContactTry(models.Model):
    """The driver tried to reach the recipient before giving up."""

    class Channel(models.TextChoices):
        CALL = "call", _("Call")
        SMS = "sms", _("Text message")
        BELL = "bell", _("Doorbell")

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="contact_tries")
    channel = models.CharField(max_length=4, choices=Channel)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)

    class Meta:
        verbose_name_plural = "contact tries"
        constraints = [
            models.UniqueConstraint(fields=["delivery", "channel", "at"], name="one_contact_try_per_instant")
        ]

    def __str__(self) -> str:
        return f"{self.channel} for {self.delivery_id}"


class Link(models.Model):
    """A tracking link. Its token is derived (LINK_KEY, id, generation) and never stored; the row keeps the SHA-256."""

    class Kind(models.TextChoices):
        FULL = "full", _("Recipient")
        VIEW = "view", _("View only")

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FULL)
    shared_from = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shares",
        help_text=_("Whose holder made it."),
    )
    label = models.CharField(max_length=40, blank=True, help_text=_("Whom its maker gave it to."))
    generation = models.PositiveIntegerField(default=1)
    token_sha256 = models.CharField(max_length=64, unique=True, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    first_opened_at = models.DateTimeField(null=True, blank=True)
    last_opened_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link {self.pk} of {self.delivery_id}"


class StepUp(models.Model):
    """One request for a one-time code. The code is made inside the sending reaction; only its digest is kept."""

    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="step_ups")
    channel = models.CharField(max_length=8)
    requested_at = models.DateTimeField(help_text=_("Wall time."))
    expires_at = models.DateTimeField(help_text=_("Wall time."))
    code_digest = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    used_up_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"step-up {self.pk}"


class AccessCode(models.Model):
    """A door or gate code: encrypted, shown to the assigned driver only, every reveal leaves an event."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="access_code")
    code = EncryptedTextField()
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code of {self.delivery_id}"


class CollectionCode(models.Model):
    """The code that opens a hand-out at a pick-up point: derivable for its owner's page, digest for the point."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="collection_code")
    code = EncryptedTextField()
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"collection code of {self.delivery_id}"


class DoorstepCode(models.Model):
    """Tries at the code that the recipient tells the driver. The code itself is derived and stands nowhere."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="doorstep_code")
    generation = models.PositiveSmallIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"doorstep code of {self.delivery_id}"
