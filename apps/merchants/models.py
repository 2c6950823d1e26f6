"""Tenants: who sends the parcels, how their pages look, what their customers may do."""

import zoneinfo
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.encryption import EncryptedTextField
from apps.merchants.visibility import Visibility, check_road, check_visibility, visibility_of


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("This is not a time zone name such as Europe/Vaduz."))


class Merchant(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=40, default="Europe/Vaduz", validators=[validate_time_zone])
    language = models.CharField(max_length=10, default="en")
    help_phone = models.CharField(max_length=20, blank=True)
    help_email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Branding(models.Model):
    """The merchant's one accent colour and its logo; the page derives every tint from them."""

    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="branding")
    accent = models.CharField(
        max_length=7,
        default="#1f6f5c",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Use a colour like #1f6f5c."))],
    )
    logo_svg = models.TextField(blank=True, help_text=_("A small SVG drawing, shown as an image, never inlined."))

    def __str__(self) -> str:
        return f"{self.merchant} branding"


def _rule(default: str, help_text: Any, *checks: Any) -> "models.CharField[str, str]":
    return models.CharField(default=default, max_length=60, validators=[check_visibility, *checks], help_text=help_text)


class Policy(models.Model):
    """What this merchant's customers may change, until when, and when they may be disturbed."""

    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="policy")
    allow_time_change = models.BooleanField(default=True)
    allow_place_change = models.BooleanField(default=True)
    allow_instructions = models.BooleanField(default=True)
    allow_safe_place = models.BooleanField(default=True)
    allow_cancel = models.BooleanField(default=True)
    change_limit = models.PositiveSmallIntegerField(default=5, help_text=_("Changes of time or place per delivery."))
    days_ahead = models.PositiveSmallIntegerField(default=2, help_text=_("Days after today that may be chosen."))
    window_minutes = models.PositiveSmallIntegerField(default=120, help_text=_("Width of the offered windows."))
    cutoff_minutes = models.PositiveSmallIntegerField(default=20, help_text=_("No change this close to arrival."))
    freeze_stops = models.PositiveSmallIntegerField(default=2, help_text=_("Next stops that stay as they are."))
    show_position = _rule(
        "stops 5 or minutes 30",
        _("The van on the map: always, never, or thresholds such as stops 5 or minutes 30 or metres 2000."),
    )
    show_road = _rule(
        "stops 0",
        _("The road to the next stop, where the van is shown; other doors lie on it, so only who is next sees it."),
        check_road,
    )
    show_eta = _rule("always", _("The time of arrival; the agreed window stands instead."))
    show_stops = _rule("always", _("How many stops come first."))
    show_distance = _rule("stops 2", _("How far the van still has to drive."))
    show_photo = models.BooleanField(default=True, help_text=_("Proof: the photo, to whoever has confirmed a code."))
    show_signature = models.BooleanField(default=True, help_text=_("Proof: the signature, likewise."))
    show_receiver = models.BooleanField(default=True, help_text=_("Proof: who took the parcel, likewise."))
    show_left_at = models.BooleanField(default=True, help_text=_("Proof: where it was left, likewise."))
    quiet_from = models.TimeField(default="21:00")
    quiet_until = models.TimeField(default="08:00")
    pickup_days = models.PositiveSmallIntegerField(default=7, help_text=_("Days a parcel waits at a pick-up point."))
    proof_needed = models.JSONField(
        default=list, blank=True, help_text=_('At every door: any of "photo", "signature", "code", "scan".')
    )
    least_photos = models.PositiveSmallIntegerField(default=1, help_text=_("Where a photo is taken."))
    photo_metres = models.PositiveSmallIntegerField(
        default=150, help_text=_("A photo from further away is shown to staff.")
    )
    attempt_metres = models.PositiveSmallIntegerField(
        default=250, help_text=_("A stop can be failed within this distance of the door.")
    )
    wait_minutes = models.PositiveSmallIntegerField(
        default=3, help_text=_('How long a driver waits at the door before "nobody is at home".')
    )
    contact_tries = models.PositiveSmallIntegerField(default=1, help_text=_("Calls or texts before that."))
    ask_for_acknowledgement = models.BooleanField(
        default=True, help_text=_("A driver cannot arrive before having read what is new.")
    )
    link_days = models.PositiveSmallIntegerField(default=30, help_text=_("Days a tracking link lives after the end."))
    share_days = models.PositiveSmallIntegerField(default=7, help_text=_("Days a link lives that a customer shares."))
    allow_rating = models.BooleanField(default=True)
    rating_edit_hours = models.PositiveSmallIntegerField(
        default=48, help_text=_("Hours in which a rating may still be changed.")
    )
    ask_recommendation = models.BooleanField(
        default=False, help_text=_("Also ask how likely somebody is to recommend the shop (NPS, 0 to 10).")
    )
    allow_problem_reports = models.BooleanField(default=True)
    allow_messages = models.BooleanField(
        default=True, help_text=_("Customers may write to the help desk, and to the driver once the van is near.")
    )
    photo_days = models.PositiveSmallIntegerField(
        default=90, help_text=_("Days that pictures of handovers, failed stops and closed cases are kept.")
    )
    words_days = models.PositiveSmallIntegerField(
        default=365, help_text=_("Days that comments, closed cases, notes and names of receivers are kept.")
    )

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return f"{self.merchant} policy"

    def visibility(self, element: str) -> Visibility:
        """The rule for "position", "road", "eta", "stops" or "distance"."""
        return visibility_of(getattr(self, f"show_{element}"))


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        AGENT = "agent", _("Support agent")
        READER = "reader", _("Read only")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.AGENT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "merchant"], name="one_membership_per_merchant")]

    def __str__(self) -> str:
        return f"{self.user} at {self.merchant}"


class ApiKey(models.Model):
    """A secret of the form ds_<prefix>_<secret>; only its SHA-256 is kept."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    can_write = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class WebhookEndpoint(models.Model):
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.URLField()
    secret = EncryptedTextField(help_text=_("whsec_…, shown once when it is made."))
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.url
