"""A parcel is on its van, or lies at the depot again."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Coalesce

from apps.deliveries.models import Parcel


def load_parcel(*, parcel_id: int, at: datetime, day_began: datetime) -> int:
    """Notes that the parcel was scanned onto a van; how many parcels of its delivery are still missing that day."""
    stale = Q(loaded_at=None) | Q(loaded_at__lt=day_began)
    Parcel.objects.filter(stale, pk=parcel_id).update(loaded_at=at, arrived_at=Coalesce("arrived_at", at))
    return Parcel.objects.filter(stale, delivery__parcels=parcel_id).count()


def unload_parcel(*, parcel_id: int, at: datetime) -> bool:
    """Notes that the parcel lies at the depot; False when it was on no van."""
    out = Parcel.objects.filter(pk=parcel_id, loaded_at__isnull=False)
    was_out = bool(out.update(loaded_at=None, arrived_at=at))
    Parcel.objects.filter(pk=parcel_id, arrived_at=None).update(arrived_at=at)
    return was_out
