"""What a depot's clerk needs to see: today's vans, and which parcels are not on them yet."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, Subquery

from apps.core import clock
from apps.deliveries.models import Attempt, Delivery, Parcel
from apps.deliveries.states import State
from apps.fleet.models import Depot, Vehicle
from apps.routing.models import Drop, Route
from apps.routing.selectors import second_loads

_NOT_ON_THE_ROAD = (State.FAILED, State.PLANNED, State.ARRIVED, State.CREATED, State.RETURNING, State.CANCELLED)


@dataclass(slots=True)
class VanLoad:
    """One van's morning. `missing` are barcodes, in the order they are best loaded: the last stop first.

    `later` parcels are fetched when the van is back, at about `back_at`; they count for nothing until then.
    """

    vehicle: str
    kind: str
    driver: str
    leaves_at: datetime
    departed_at: datetime | None
    expected: int = 0
    loaded: int = 0
    missing: list[str] = field(default_factory=list)
    later: int = 0
    back_at: datetime | None = None

    @property
    def is_complete(self) -> bool:
        return self.expected == self.loaded


def zone_of(depot: Depot) -> ZoneInfo:
    return ZoneInfo(depot.time_zone)


def today_at(depot: Depot) -> date:
    return clock.now().astimezone(zone_of(depot)).date()


def vans_today(depot: Depot) -> list[VanLoad]:
    """The vans that start here and have a route today, by code.

    A parcel counts as loaded when it was scanned since midnight.
    """
    day = today_at(depot)
    began = datetime.combine(day, time(), zone_of(depot))
    routes = Route.objects.filter(shift__vehicle__depot=depot, plan__day=day).select_related(
        "shift__vehicle", "shift__driver"
    )
    parcels, found = _parcels(depot, day), []
    calls = second_loads([route.pk for route in routes])
    for route in routes.order_by("shift__vehicle__code"):
        call = calls.get(route.pk)
        van = VanLoad(
            vehicle=route.shift.vehicle.code,
            kind=route.shift.vehicle.kind,
            driver=route.shift.driver.name,
            leaves_at=route.shift.starts_at.astimezone(zone_of(depot)),
            departed_at=route.departed_at,
            back_at=call.planned_arrival.astimezone(zone_of(depot)) if call and call.planned_arrival else None,
        )
        for barcode, loaded_at, sequence in parcels[route.pk]:
            is_loaded = loaded_at is not None and loaded_at >= began
            if call is not None and sequence > call.sequence and not is_loaded:
                van.later += 1
                continue
            van.expected += 1
            if is_loaded:
                van.loaded += 1
            else:
                van.missing.append(barcode)
        found.append(van)
    return found


@dataclass(frozen=True, slots=True)
class ComingBack:
    """A parcel that is on a van and will not be handed over today."""

    barcode: str
    vehicle: str
    reason: str


def coming_back(depot: Depot) -> list[ComingBack]:
    """What today's vans still have aboard of stops that are over, and of deliveries that were taken off their route."""
    day = today_at(depot)
    began = datetime.combine(day, time(), zone_of(depot))
    parcels = Parcel.objects.filter(loaded_at__gte=began, delivery__state__in=_NOT_ON_THE_ROAD)
    tried = Attempt.objects.filter(delivery=OuterRef("delivery"), ended_at__gte=began).order_by("-number")
    ours = Q(lies_at=depot) | Q(lies_at=None, visit__route__shift__vehicle__depot=depot)
    stood = Drop.objects.filter(ours, delivery=OuterRef("delivery"), visit__plan__day=day)
    rows = parcels.annotate(
        vehicle=Subquery(stood.order_by("-pk").values("visit__route__shift__vehicle__code")[:1]),
        reason=Subquery(tried.values("reason_code")[:1]),
    )
    found = [
        ComingBack(row.barcode, row.vehicle or "", row.reason or "") for row in rows.order_by("vehicle", "barcode")
    ]
    return [row for row in found if row.vehicle or _is_ours(row, depot)]


def _is_ours(row: ComingBack, depot: Depot) -> bool:
    """Taken off its route: its new stop, if it has one, is fed from this depot."""
    drops = Drop.objects.filter(delivery__parcels__barcode=row.barcode, is_open=True)
    depots = {lies_at or plan for lies_at, plan in drops.values_list("lies_at", "visit__plan__depot")}
    return not depots or depot.pk in depots


def is_van_of(depot: Depot, code: str) -> bool:
    return Vehicle.objects.filter(depot=depot, code=code).exists()


def _parcels(depot: Depot, day: date) -> dict[int, list[tuple[str, datetime | None, int]]]:
    """(barcode, loaded_at, number of the stop) by route, without what is to be collected on the way."""
    rows = (
        Drop.objects.filter(visit__route__shift__vehicle__depot=depot, visit__plan__day=day, is_hold=False)
        .exclude(delivery__parcels__barcode=None)
        .exclude(delivery__kind=Delivery.Kind.RETURN)
        .exclude(delivery__collect_from__isnull=False, delivery__parcels__arrived_at=None)
        .order_by("-visit__sequence", "delivery__parcels__pk")
        .values_list("visit__route_id", "delivery__parcels__barcode", "delivery__parcels__loaded_at", "visit__sequence")
    )
    by_route: dict[int, list[tuple[str, datetime | None, int]]] = defaultdict(list)
    for route_id, barcode, loaded_at, sequence in rows:
        by_route[route_id].append((barcode, loaded_at, sequence))
    return by_route


def as_json(depot: Depot) -> dict[str, Any]:
    """The body of GET /depot/api/day."""
    vans = [
        {
            "vehicle": van.vehicle,
            "kind": van.kind,
            "leaves_at": van.leaves_at.isoformat(),
            "departed": van.departed_at is not None,
            "expected": van.expected,
            "loaded": van.loaded,
            "missing": van.missing,
            "later": van.later,
        }
        for van in vans_today(depot)
    ]
    back = [{"barcode": row.barcode, "vehicle": row.vehicle, "reason": row.reason} for row in coming_back(depot)]
    return {"depot": depot.code, "day": today_at(depot).isoformat(), "vans": vans, "coming_back": back}
