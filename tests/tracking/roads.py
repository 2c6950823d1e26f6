"""Rows of a van on its way, made by hand: what the page reads of the plan."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from apps.deliveries.models import Delivery
from apps.fleet.models import Position
from apps.routing.models import DayPlan, Drop, Route, Visit
from tests import world


def on_route(
    delivery_ids: Sequence[int], *, van: str = "van-1", first: datetime | None = None, departed: bool = True
) -> list[Visit]:
    """One visit each, ten minutes apart, on a published plan; the van has left the depot."""
    shift = world.shift(van)
    plan, _ = DayPlan.objects.get_or_create(
        depot=world.depot(), day=world.TODAY, defaults={"stage": DayPlan.Stage.PUBLISHED}
    )
    route = Route.objects.create(plan=plan, shift=shift, departed_at=world.MORNING if departed else None)
    start = first or world.MORNING + timedelta(minutes=10)
    visits = []
    for number, delivery in enumerate(Delivery.objects.filter(pk__in=delivery_ids).order_by("pk")):
        arrival = start + timedelta(minutes=10 * number)
        visit = Visit.objects.create(
            plan=plan,
            route=route,
            sequence=number + 1,
            place=delivery.place,
            service_seconds=120,
            planned_arrival=arrival,
            eta_earliest=arrival - timedelta(minutes=5),
            eta_latest=arrival + timedelta(minutes=5),
        )
        Drop.objects.create(visit=visit, delivery=delivery)
        visits.append(visit)
    return visits


def put_van(van: str, latitude: float, longitude: float, at: datetime, sequence: int = 1) -> Position:
    shift = world.Vehicle.objects.get(code=van)
    row, _ = Position.objects.update_or_create(
        vehicle=shift, defaults={"latitude": latitude, "longitude": longitude, "at": at, "sequence": sequence}
    )
    return row
