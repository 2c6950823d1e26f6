"""Reads pages as they were prepared; one that is older than its delivery's page_version is prepared again first."""

import json
from collections.abc import Collection

from django.db.models import F

from apps.deliveries.models import Delivery
from apps.tracking import services
from apps.tracking.dots import Dot, dot_documents
from apps.tracking.hero_words import Hero, hero
from apps.tracking.models import PageSnapshot
from apps.tracking.state import TIERS, Document, Tier


def page_document(delivery: Delivery, tier: Tier) -> Document:
    """The document of a page for this tier (one-row read)."""
    page: Document = json.loads(page_text(delivery, tier))
    return page


def page_text(delivery: Delivery, tier: Tier) -> str:
    """The same as JSON text, byte for byte what the socket carries."""
    text = _read(delivery.pk, tier, delivery.page_version)
    if text is None:
        services.refresh([delivery.pk])
        text = _read(delivery.pk, tier, 0)
    if text is None:
        raise LookupError(f"delivery {delivery.pk} has no page")
    return text


def page_texts(delivery_ids: Collection[int], tiers: Collection[str] = TIERS) -> dict[int, dict[str, str]]:
    """Both tiers (or those named) of many pages, by delivery."""
    found = _read_many(delivery_ids, tiers)
    if old := {pk for pk in delivery_ids if len(found.get(pk, ())) < len(tiers)}:
        services.refresh(old)
        found |= _read_many(old, tiers, even_old=True)
    return found


def page_hero(delivery: Delivery) -> Hero:
    """What the page says first, in words: for lists that link to pages."""
    return hero(page_document(delivery, "link"), delivery.merchant.name)


def dot_document(delivery: Delivery) -> Dot:
    """Where the van is, or {"visible": false}."""
    return dot_documents([delivery.pk])[delivery.pk]


def _read(delivery_id: int, tier: Tier, at_least: int) -> str | None:
    rows = PageSnapshot.objects.filter(delivery_id=delivery_id, tier=tier, version__gte=at_least)
    stored = rows.values_list("document", flat=True).first()
    return PageSnapshot.opened(tier, stored) if stored is not None else None


def _read_many(
    delivery_ids: Collection[int], tiers: Collection[str], *, even_old: bool = False
) -> dict[int, dict[str, str]]:
    rows = PageSnapshot.objects.filter(delivery_id__in=delivery_ids, tier__in=tiers)
    if not even_old:
        rows = rows.filter(version__gte=F("delivery__page_version"))
    found: dict[int, dict[str, str]] = {}
    for delivery_id, tier, stored in rows.values_list("delivery_id", "tier", "document"):
        if text := PageSnapshot.opened(tier, stored):
            found.setdefault(delivery_id, {})[tier] = text
    return found
