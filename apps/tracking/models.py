"""The prepared page: one row per delivery and tier, and the feed that tells live processes which moved."""

from cryptography.fernet import InvalidToken
from django.db import models

from apps.core.encryption import decrypt, encrypt
from apps.deliveries.models import Delivery


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
