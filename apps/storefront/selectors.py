"""What a merchant may read of its own deliveries: the rows in two queries, and the words for one row."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from apps.core.errors import NotFound
from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import tracking_url
from apps.merchants.models import Merchant
from apps.storefront.serializers import DeliveryOutput


def deliveries_of(merchant: Merchant) -> QuerySet[Delivery]:
    """Only this merchant's, with all that `described` reads."""
    links = Link.objects.filter(delivery=OuterRef("pk"), kind=Link.Kind.FULL, revoked_at=None).order_by("-pk")
    return (
        Delivery.objects.filter(merchant=merchant)
        .select_related("order", "place", "collect_from")
        .prefetch_related("parcels")
        .annotate(link_id=Subquery(links.values("pk")[:1]), link_generation=Subquery(links.values("generation")[:1]))
    )


def delivery_of(merchant: Merchant, public_id: str) -> Delivery:
    """NotFound for an id that is unknown or another merchant's, without a difference."""
    found = deliveries_of(merchant).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("delivery_not_found", _("There is no such delivery."))
    return found


def described(row: Delivery, merchant: Merchant) -> dict[str, Any]:
    """What the API says about a row of `deliveries_of`."""
    link_id, generation = getattr(row, "link_id", None), getattr(row, "link_generation", None)
    link = Link(pk=link_id, generation=generation, delivery_id=row.pk) if link_id and generation else None
    facts = {
        "id": row.public_id,
        "reference": row.order.reference,
        "status": row.state,
        "tracking_url": tracking_url(link) if link else None,
        "window": {"earliest": row.window_earliest, "latest": row.window_latest},
        "preferred_window": (
            {"earliest": row.preferred_earliest, "latest": row.preferred_latest} if row.preferred else None
        ),
        "time_zone": merchant.time_zone,
        "place": {"kind": row.place.kind, "town": row.place.town},
        "collect_from": {"name": row.collect_from.name, "town": row.collect_from.town} if row.collect_from else None,
        "parcels": [{"barcode": one.barcode, "description": one.description} for one in row.parcels.all()],
        "revision": row.revision,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }
    return dict(DeliveryOutput(facts).data)
