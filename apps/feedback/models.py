"""What people say afterwards. Only this app's services write it."""

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deliveries.models import Attempt, Delivery
from apps.fleet.models import Driver

# Without 0/O, 1/I/L: it is read out on the phone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_case_number() -> str:
    """A number that says nothing about how many there are: "P-7KQ2M9XA" (39 bits; a link is needed to use it)."""
    return "P-" + "".join(secrets.choice(_ALPHABET) for _place in range(8))


class Rating(models.Model):
    """One per delivery. `author_sha256` belongs to the secret of the browser that may still change it."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="rating")
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.CharField(max_length=600, blank=True)
    nps = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(10)], help_text=_("How likely to recommend, 0 to 10.")
    )
    author_sha256 = models.CharField(max_length=64)
    rated_at = models.DateTimeField(db_index=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(stars__gte=1, stars__lte=5), name="one_to_five_stars"),
            models.CheckConstraint(condition=models.Q(nps=None) | models.Q(nps__lte=10), name="nps_zero_to_ten"),
        ]

    def __str__(self) -> str:
        return f"{self.stars} of 5 for {self.delivery_id}"


class ProblemReport(models.Model):
    """A case: what somebody says went wrong, until a member of staff closes it."""

    class Kind(models.TextChoices):
        DAMAGED = "damaged", _("Something is damaged")
        MISSING = "missing", _("Something is missing")
        NOT_RECEIVED = "not_received", _("I did not receive it")
        WRONG_ITEM = "wrong_item", _("It is not what I ordered")
        # Of older cases only: today the attempt itself is disputed.
        NOBODY_CAME = "nobody_came", _("I was there, but nobody came")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        TAKEN = "taken", _("Being looked into")
        CLOSED = "closed", _("Closed")

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="problem_reports")
    number = models.CharField(max_length=12, unique=True, default=new_case_number, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    text = models.TextField(max_length=1000, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN, db_index=True)
    is_verified = models.BooleanField(default=False, help_text=_("Whoever wrote it had confirmed the contact on file."))
    form_key = models.CharField(max_length=32, help_text=_("The same form sent twice is one case."))
    reported_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "form_key"], name="one_case_per_form")]

    def __str__(self) -> str:
        return self.number


class ProblemPhoto(models.Model):
    report = models.ForeignKey(ProblemReport, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to="problems/%Y/%m/%d")

    def __str__(self) -> str:
        return f"photo of {self.report}"


class Dispute(models.Model):
    """The recipient says that the driver was never there: one per attempt, until a member of staff decides it.

    `reason` says why it was decided so, for colleagues only; `driver` is whose attempt it was.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Being checked")
        UPHELD = "upheld", _("The customer was right")
        REJECTED = "rejected", _("The attempt stands")

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="dispute")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="disputes")
    text = models.CharField(max_length=600, blank=True)
    is_verified = models.BooleanField(default=False, help_text=_("Whoever wrote it had confirmed the contact on file."))
    state = models.CharField(max_length=8, choices=State, default=State.OPEN, db_index=True)
    answer = models.CharField(max_length=300, blank=True, help_text=_("Shown to the recipient with the outcome."))
    raised_at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=40, blank=True)
    driver = models.ForeignKey(Driver, on_delete=models.SET_NULL, null=True, blank=True, related_name="disputes")

    def __str__(self) -> str:
        return f"dispute of {self.attempt}"


class ThreadMessage(models.Model):
    """One message between a recipient, the driver who brings it and the help desk; of a driver a ready sentence."""

    class By(models.TextChoices):
        SHOPPER = "shopper", _("Customer")
        DRIVER = "driver", _("Driver")
        DESK = "desk", _("Help desk")

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="thread")
    by = models.CharField(max_length=8, choices=By)
    to_driver = models.BooleanField(default=False, help_text=_("Shown on the phone of the driver who brings it."))
    text = models.CharField(max_length=300, blank=True)
    sentence = models.CharField(max_length=16, blank=True, help_text=_("Which ready sentence a driver chose."))
    actor = models.CharField(max_length=40)
    form_key = models.CharField(max_length=40, help_text=_("The same form sent twice is one message."))
    sent_at = models.DateTimeField(db_index=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text=_("When the driver's phone had it."))
    read_at = models.DateTimeField(null=True, blank=True, help_text=_("When the driver said so on the phone."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "form_key"], name="one_message_per_form")]

    def __str__(self) -> str:
        return f"message of {self.delivery_id}"
