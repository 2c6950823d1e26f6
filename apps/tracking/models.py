"""The prepared page (one row per delivery and tier), the feed that tells live processes which moved, content blocks."""

from datetime import datetime

from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.encryption import decrypt, encrypt
from apps.deliveries.models import Delivery
from apps.merchants.models import Merchant


class PageSnapshot(models.Model):
    """`document` is the whole JSON text of state.py (verified tier: encrypted), `version` the page_version it shows."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="snapshots")
    tier = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    document = models.TextField()
    # When the page will change although nothing happens (a cut-off passes); on the link tier's row only.
    changes_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "tier"], name="one_snapshot_per_delivery_and_tier")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.tier} v{self.version}"

    @staticmethod
    def sealed(tier: str, text: str) -> str:
        """What stands in the column: a verified page holds a street and codes, so its plain text never does."""
        return encrypt(text) if tier == "verified" else text

    @staticmethod
    def opened(tier: str, stored: str) -> str | None:
        """The text again; None when its key has been retired, which only means that the row must be made anew."""
        try:
            return decrypt(stored) if tier == "verified" else stored
        except InvalidToken:
            return None


class PageChange(models.Model):
    """Append-only; on PostgreSQL the table also has a column `xid` (migration 0002), so that tailing misses nothing."""

    delivery_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.delivery_id} v{self.version}"


class ContentBlock(models.Model):
    """A merchant's own lines on its pages: text, one https link, one picture that is kept here.

    `segment` lists the states it is for (empty: all); extras.shown_blocks says when none is shown at all.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="content_blocks")
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=300, blank=True)
    link = models.URLField(
        blank=True, validators=[URLValidator(schemes=["https"])], help_text=_("https only; opens in a new tab.")
    )
    link_label = models.CharField(max_length=40, blank=True)
    image = models.ImageField(
        upload_to="blocks/%Y/%m",
        blank=True,
        help_text=_("Kept here, smaller: readers ask nobody else for it."),
    )
    segment = models.JSONField(default=list, blank=True, help_text=_("The states it is for; none: every state."))
    language = models.CharField(max_length=10, blank=True, help_text=_("Only for readers of this language."))
    shows_from = models.DateTimeField(null=True, blank=True)
    shows_until = models.DateTimeField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.shows_from and self.shows_until and self.shows_from >= self.shows_until:
            raise ValidationError({"shows_until": _("The end comes before the beginning.")})

    def is_due(self, now: datetime) -> bool:
        begun = self.shows_from is None or self.shows_from <= now
        return begun and (self.shows_until is None or now < self.shows_until)
