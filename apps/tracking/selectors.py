"""Reads pages as they were prepared; one that is older than its delivery's page_version is prepared again first."""

import json
from collections.abc import Collection

from django.db.models import F

from apps.deliveries.models import Delivery
from apps.tracking import services
from apps.tracking.dots import Dot, dot_documents
from apps.tracking.hero_words import Hero, hero
from apps.tracking.models import PageSnapshot
from apps.tracking.state import Document, Tier


def page_document(delivery: Delivery, tier: Tier) -> Document:
    """The document of a page for this tier (one-row read)."""
    page: Document = json.loads(page_text(delivery, tier))
    return page


def page_text(delivery: Delivery, tier: Tier) -> str:
    """The same as JSON text, byte for byte what the socket carries."""
    row = _row(delivery.pk, tier)
    if row is None or row[0] < delivery.page_version:
        services.refresh([delivery.pk])
        row = _row(delivery.pk, tier)
    if row is None:
        raise LookupError(f"delivery {delivery.pk} has no page")
    return PageSnapshot.opened(tier, row[1])


def page_texts(delivery_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Both tiers of many pages, by delivery."""
    rows = PageSnapshot.objects.filter(delivery_id__in=delivery_ids)
    current = rows.filter(version__gte=F("delivery__page_version")).values_list("delivery_id", flat=True)
    if old := set(delivery_ids).difference(current):
        services.refresh(old)
    found: dict[int, dict[str, str]] = {}
    for delivery_id, tier, stored in rows.all().values_list("delivery_id", "tier", "document"):
        found.setdefault(delivery_id, {})[tier] = PageSnapshot.opened(tier, stored)
    return found


def page_hero(delivery: Delivery) -> Hero:
    """What the page says first, in words: for lists that link to pages."""
    return hero(page_document(delivery, "link"), delivery.merchant.name)


def dot_document(delivery: Delivery) -> Dot:
    """Where the van is, or {"visible": false}."""
    return dot_documents([delivery.pk])[delivery.pk]


def _row(delivery_id: int, tier: Tier) -> tuple[int, str] | None:
    rows = PageSnapshot.objects.filter(delivery_id=delivery_id, tier=tier)
    return rows.values_list("version", "document").first()
