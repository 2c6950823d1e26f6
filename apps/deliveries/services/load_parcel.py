"""A parcel is on its van."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Coalesce

from apps.deliveries.models import Parcel


def load_parcel(*, parcel_id: int, at: datetime, day_began: datetime) -> int:
    """Notes that the parcel was scanned onto a van; how many parcels of its delivery are still missing that day."""
    stale = Q(loaded_at=None) | Q(loaded_at__lt=day_began)
    Parcel.objects.filter(stale, pk=parcel_id).update(loaded_at=at, arrived_at=Coalesce("arrived_at", at))
    return Parcel.objects.filter(stale, delivery__parcels=parcel_id).count()
