"""The prepared page: one row per delivery and tier, and the feed that tells live processes which moved."""

from django.db import models

from apps.deliveries.models import Delivery


class PageSnapshot(models.Model):
    """`document` is the whole language-free JSON text of state.py; `version` the page_version it was made for."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="snapshots")
    tier = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    document = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "tier"], name="one_snapshot_per_delivery_and_tier")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.tier} v{self.version}"


class PageChange(models.Model):
    """Append-only; on PostgreSQL the table also has an `xid` column (see the migration) so that tailing misses nothing."""

    delivery_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.delivery_id} v{self.version}"
