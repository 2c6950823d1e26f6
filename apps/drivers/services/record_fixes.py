"""Positions of the driver's own van."""

from apps.drivers.services.own import own_shift
from apps.fleet.models import Driver
from apps.fleet.services import Fix, record_positions
from apps.routing import services as routing
from apps.routing.models import Route


def record_fixes(*, driver: Driver, fixes: list[Fix]) -> int:
    """How many were believed. The route's times follow within seconds."""
    shift = own_shift(driver)
    believed = record_positions(vehicle=shift.vehicle, fixes=fixes)
    if believed:
        under_way = Route.objects.filter(shift=shift, departed_at__isnull=False, finished_at=None)
        for route_id in under_way.values_list("pk", flat=True):
            routing.roll_forward_soon(route_id=route_id)
    return believed
