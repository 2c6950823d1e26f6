"""Where a delivery stands on its van's route; for many deliveries in two queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

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


@dataclass(frozen=True, slots=True)
class _Stop:
    visit_id: int
    sequence: int
    state: str
    left_at: datetime | None
    has_open_drop: bool


def progress_of(delivery_ids: Iterable[int]) -> dict[int, Progress]:
    """By delivery; those that are in no plan are missing."""
    rows = list(
        Drop.objects.filter(delivery_id__in=list(delivery_ids), is_open=True, is_hold=False).select_related(
            "visit__plan", "visit__route__shift__vehicle__depot"
        )
    )
    stops = _stops_of({drop.visit.route_id for drop in rows if drop.visit.route_id is not None})
    return {drop.delivery_id: _progress(drop.visit, stops) for drop in rows}


def _stops_of(route_ids: set[int]) -> dict[int | None, list[_Stop]]:
    found: dict[int | None, list[_Stop]] = defaultdict(list)
    open_drops = Drop.objects.filter(visit_id=OuterRef("pk"), is_open=True, is_hold=False)
    visits = Visit.objects.filter(route_id__in=route_ids).annotate(has_open_drop=Exists(open_drops))
    rows = visits.values_list("route_id", "pk", "sequence", "state", "left_at", "has_open_drop")
    for route_id, pk, sequence, state, left_at, has_open_drop in rows:
        found[route_id].append(_Stop(pk, sequence, state, left_at, has_open_drop))
    return found


def _progress(visit: Visit, stops: dict[int | None, list[_Stop]]) -> Progress:
    route = visit.route
    others = [stop for stop in stops.get(visit.route_id, []) if stop.visit_id != visit.pk]
    waiting = (Visit.State.PLANNED, Visit.State.ARRIVED)
    ahead = sum(1 for stop in others if stop.has_open_drop and stop.state in waiting and stop.sequence < visit.sequence)
    vehicle = route.shift.vehicle if route else None
    has_eta = visit.eta_earliest is not None and visit.eta_latest is not None
    return Progress(
        visit_id=visit.pk,
        route_id=visit.route_id,
        vehicle_id=vehicle.pk if vehicle else None,
        vehicle_kind=vehicle.kind if vehicle else None,
        profile=vehicle.profile if vehicle else None,
        depot_point=(vehicle.depot.latitude, vehicle.depot.longitude) if vehicle else None,
        is_published=visit.plan.stage == DayPlan.Stage.PUBLISHED,
        has_departed=bool(route and route.departed_at),
        is_at_own_door=visit.state == Visit.State.ARRIVED,
        is_under_way=bool(route and route.departed_at and not route.finished_at),
        stops_away=ahead if route else None,
        eta=TimeWindow(visit.eta_earliest, visit.eta_latest) if has_eta else None,  # type: ignore[arg-type]
        planned_arrival=visit.planned_arrival,
        is_at_other_door=any(stop.state == Visit.State.ARRIVED for stop in others),
        last_left_other_door_at=max((stop.left_at for stop in others if stop.left_at), default=None),
    )
