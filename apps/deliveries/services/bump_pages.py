"""Says that the pages of some deliveries show something old now."""

from collections.abc import Iterable

from django.db.models import F

from apps.deliveries.models import Delivery


def bump_pages(*, delivery_ids: Iterable[int]) -> int:
    """Raises page_version by one for each, in one statement; how many there were."""
    return Delivery.objects.filter(pk__in=list(delivery_ids)).update(page_version=F("page_version") + 1)
