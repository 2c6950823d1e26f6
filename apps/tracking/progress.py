"""Where a delivery stands on its van's route; for many deliveries in three queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef

from apps.core.time_windows import TimeWindow
from apps.routing.models import DayPlan, Drop, Visit


@dataclass(frozen=True, slots=True)
class Progress:
    """`stops_away` counts the stops before this one that are still to be made, merged drops once."""

    visit_id: int
    route_id: int | None
    vehicle_id: int | None
    vehicle_kind: str | None
    profile: str | None
    depot_point: tuple[float, float] | None
    is_published: bool
    has_departed: bool
    # Departed, and not back.
    is_under_way: bool
    is_at_own_door: bool
    stops_away: int | None
    eta: TimeWindow | None
    planned_arrival: datetime | None
    # The van stands at a door that is not this delivery's.
    is_at_other_door: bool
    last_left_other_door_at: datetime | None

    @property
    def arrival(self) -> datetime | None:
        """The middle of the ETA pair."""
        return self.eta.earliest + self.eta.width / 2 if self.eta else None


@dataclass(slots=True)
class _Road:
    """What is left of a route, as far as others' stops matter."""

    waiting: list[tuple[int, int]] = field(default_factory=list)
    """(sequence, visit) of stops still to be made."""
    arrived: set[int] = field(default_factory=set)
    last_left_at: datetime | None = None


_COLUMNS = {
    "delivery": "delivery_id",
    "visit": "visit_id",
    "visit_state": "visit__state",
    "sequence": "visit__sequence",
    "eta_earliest": "visit__eta_earliest",
    "eta_latest": "visit__eta_latest",
    "planned_arrival": "visit__planned_arrival",
    "stage": "visit__plan__stage",
    "route": "visit__route_id",
    "departed_at": "visit__route__departed_at",
    "finished_at": "visit__route__finished_at",
    "vehicle": "visit__route__shift__vehicle_id",
    "kind": "visit__route__shift__vehicle__kind",
    "profile": "visit__route__shift__vehicle__profile",
    "depot_latitude": "visit__route__shift__vehicle__depot__latitude",
    "depot_longitude": "visit__route__shift__vehicle__depot__longitude",
}


def progress_of(delivery_ids: Iterable[int]) -> dict[int, Progress]:
    """By delivery; those that are in no plan are missing."""
    drops = Drop.objects.filter(delivery_id__in=list(delivery_ids), is_open=True, is_hold=False)
    # Plain values: the models behind this join cost ten times as much, and the dot asks often.
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in drops.values_list(*_COLUMNS.values())]
    roads = _roads({row["route"] for row in rows if row["route"] is not None})
    return {row["delivery"]: _progress(row, roads.get(row["route"], _Road())) for row in rows}


def _roads(route_ids: set[int]) -> dict[int, _Road]:
    found = {route: _Road() for route in route_ids}
    visits = Visit.objects.filter(route_id__in=route_ids)
    open_drops = Drop.objects.filter(visit_id=OuterRef("pk"), is_open=True, is_hold=False)
    waiting = visits.filter(Exists(open_drops), state__in=[Visit.State.PLANNED, Visit.State.ARRIVED])
    for route, visit, sequence, state in waiting.values_list("route_id", "pk", "sequence", "state"):
        road = found[int(route or 0)]
        road.waiting.append((sequence, visit))
        if state == Visit.State.ARRIVED:
            road.arrived.add(visit)
    for route, last in visits.values_list("route_id").annotate(last=Max("left_at")).order_by():
        found[int(route or 0)].last_left_at = last
    return found


def _progress(row: dict[str, Any], road: _Road) -> Progress:
    has_route = row["route"] is not None
    has_eta = row["eta_earliest"] is not None and row["eta_latest"] is not None
    return Progress(
        visit_id=row["visit"],
        route_id=row["route"],
        vehicle_id=row["vehicle"],
        vehicle_kind=row["kind"],
        profile=row["profile"],
        depot_point=(row["depot_latitude"], row["depot_longitude"]) if has_route else None,
        is_published=row["stage"] == DayPlan.Stage.PUBLISHED,
        has_departed=row["departed_at"] is not None,
        is_under_way=row["departed_at"] is not None and row["finished_at"] is None,
        is_at_own_door=row["visit_state"] == Visit.State.ARRIVED,
        stops_away=sum(1 for sequence, _visit in road.waiting if sequence < row["sequence"]) if has_route else None,
        eta=TimeWindow(row["eta_earliest"], row["eta_latest"]) if has_eta else None,
        planned_arrival=row["planned_arrival"],
        is_at_other_door=bool(road.arrived - {row["visit"]}),
        last_left_other_door_at=road.last_left_at,
    )
