"""A van that comes back for a second load: what goes out with it then, and not before."""

from collections.abc import Collection

from apps.deliveries.models import Delivery
from apps.routing.models import Drop, Visit
from apps.routing.stops import day_began


def second_loads(route_ids: Collection[int | None]) -> dict[int, Visit]:
    """The call at the depot that each of these routes still has before it, where it has one."""
    calls = Visit.objects.filter(route__in=route_ids, kind=Visit.Kind.RELOAD, state=Visit.State.PLANNED)
    return {call.route_id: call for call in calls.order_by("-sequence") if call.route_id is not None}


def parcels_of(call: Visit) -> list[tuple[str, bool]]:
    """(barcode, whether it lies at the depot still) of what a van takes on board at a call, the last stop first."""
    later = Visit.objects.filter(route=call.route_id, sequence__gt=call.sequence)
    again = later.filter(kind=Visit.Kind.RELOAD).order_by("sequence").values_list("sequence", flat=True).first()
    behind = later if again is None else later.filter(sequence__lt=again)
    drops = Drop.objects.filter(visit__in=behind.values("pk"), is_open=True, is_hold=False)
    rows = drops.exclude(delivery__kind=Delivery.Kind.RETURN).exclude(delivery__parcels__barcode=None)
    rows = rows.exclude(delivery__collect_from__isnull=False, delivery__parcels__arrived_at=None)
    began = day_began(call.plan)
    found = rows.order_by("-visit__sequence", "delivery__parcels__pk").values_list(
        "delivery__parcels__barcode", "delivery__parcels__loaded_at"
    )
    return [(barcode, loaded_at is None or loaded_at < began) for barcode, loaded_at in found]
