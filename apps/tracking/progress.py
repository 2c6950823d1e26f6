"""Where a delivery stands on its van's route; for many deliveries in three queries."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.geo import coarse_point, distance_metres
from apps.core.time_windows import TimeWindow
from apps.routing.models import DayPlan, Drop, Visit

# How much longer roads are than the crow's way.
DETOUR = 1.3
# So near somebody else's door a position is that door, whether or not the driver has told of it.
DOOR_METRES = 80
_DOOR_DEGREES = DOOR_METRES / 111_000


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
    # Where the driver may still be walking back from.
    last_left_other_point: tuple[float, float] | None
    eta_reason: str
    # The shift's, overtime included.
    on_duty: TimeWindow | None
    # A break, a sick driver or a broken van: where it stands then is nobody's business.
    is_resting: bool
    # Only of drivers who agreed to it.
    driver_first_name: str
    # The next door the van drives to, and how far it is from there to this one, through those between.
    next_point: tuple[float, float] | None
    metres_beyond_next: float

    def metres_from(self, point: tuple[float, float]) -> float | None:
        """How far the van at `point` still drives: about, by the stops between and a usual detour.

        Counted to the middles of the coarse areas the stops lie in: from distances to a door itself, told along the
        van's way, anybody could work out where the door is.
        """
        metres = self.metres_to_next(point)
        return None if metres is None else metres + self.metres_beyond_next

    def metres_to_next(self, point: tuple[float, float]) -> float | None:
        """The same to the next door, whosever it is."""
        if self.next_point is None:
            return None
        return DETOUR * distance_metres(point, coarse_point(*self.next_point))

    def is_near_other_door(self, point: tuple[float, float]) -> bool:
        """Whether the van at `point` is (still, or already) where somebody else waits for it."""
        if self.is_at_own_door:
            return False
        if self.last_left_other_point is not None and _is_near(point, self.last_left_other_point):
            return True
        return bool(self.stops_away) and self.next_point is not None and _is_near(point, self.next_point)

    @property
    def arrival(self) -> datetime | None:
        """The middle of the ETA pair."""
        return self.eta.earliest + self.eta.width / 2 if self.eta else None


def _is_near(point: tuple[float, float], door: tuple[float, float]) -> bool:
    # Asked for every watcher at every fix: most doors are told apart by their latitude.
    return abs(point[0] - door[0]) < _DOOR_DEGREES and distance_metres(point, door) < DOOR_METRES


@dataclass(slots=True)
class _Road:
    """What is left of a route, as far as others' stops matter."""

    waiting: list[tuple[int, int, tuple[float, float]]] = field(default_factory=list)
    """(sequence, visit, point) of stops still to be made, in their order."""
    metres: list[float] = field(default_factory=list)
    """How far each of them is from the first, by the doors between."""
    arrived: set[int] = field(default_factory=set)
    last_left_at: datetime | None = None
    last_left: tuple[int, tuple[float, float]] | None = None
    """(visit, point) of the stop that was left last."""
    last_arrived_at: datetime | None = None


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
    "eta_reason": "visit__eta_reason",
    "shift_starts_at": "visit__route__shift__starts_at",
    "shift_ends_at": "visit__route__shift__ends_at",
    "overtime_seconds": "visit__route__shift__overtime_seconds",
    "break_began_at": "visit__route__shift__break_began_at",
    "sick_at": "visit__route__shift__sick_at",
    "broken_down_at": "visit__route__shift__broken_down_at",
    "driver_name": "visit__route__shift__driver__name",
    "shows_first_name": "visit__route__shift__driver__shows_first_name",
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
    columns = ("route_id", "pk", "sequence", "state", "place__latitude", "place__longitude")
    for route, visit, sequence, state, *point in waiting.order_by("sequence").values_list(*columns):
        road = found[int(route or 0)]
        road.waiting.append((sequence, visit, (point[0], point[1])))
        if state == Visit.State.ARRIVED:
            road.arrived.add(visit)
    for road in found.values():
        points = [coarse_point(*point) for _sequence, _visit, point in road.waiting]
        legs = (DETOUR * distance_metres(one, other) for one, other in pairwise(points))
        road.metres = list(accumulate(legs, initial=0.0)) if points else []
    _add_what_was_left(visits, found)
    return found


def _add_what_was_left(visits: QuerySet[Visit], roads: dict[int, _Road]) -> None:
    come_to = visits.filter(Q(left_at__isnull=False) | Q(arrived_at__isnull=False))
    columns = ("route_id", "pk", "arrived_at", "left_at", "place__latitude", "place__longitude")
    for route, visit, arrived, left, *point in come_to.values_list(*columns):
        road = roads[int(route or 0)]
        if left is not None and (road.last_left_at is None or left > road.last_left_at):
            road.last_left_at, road.last_left = left, (visit, (point[0], point[1]))
        if arrived is not None and (road.last_arrived_at is None or arrived > road.last_arrived_at):
            road.last_arrived_at = arrived


def _progress(row: dict[str, Any], road: _Road) -> Progress:
    has_route = row["route"] is not None
    has_eta = row["eta_earliest"] is not None and row["eta_latest"] is not None
    ahead = bisect_left(road.waiting, (row["sequence"],)) if has_route else 0
    # Its own stop may be one of them, or made already.
    last = min(ahead, len(road.metres) - 1)
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
        stops_away=ahead if has_route else None,
        eta=TimeWindow(row["eta_earliest"], row["eta_latest"]) if has_eta else None,
        planned_arrival=row["planned_arrival"],
        is_at_other_door=bool(road.arrived - {row["visit"]}),
        last_left_other_door_at=road.last_left_at,
        last_left_other_point=road.last_left[1] if road.last_left and road.last_left[0] != row["visit"] else None,
        eta_reason=row["eta_reason"] or "",
        on_duty=_on_duty(row) if has_route else None,
        is_resting=bool(row["sick_at"] or row["broken_down_at"]) or _is_on_break(row["break_began_at"], road),
        driver_first_name=(row["driver_name"] or "").partition(" ")[0] if row["shows_first_name"] else "",
        next_point=road.waiting[0][2] if road.waiting else None,
        metres_beyond_next=road.metres[last] if road.metres else 0.0,
    )


def _on_duty(row: dict[str, Any]) -> TimeWindow:
    return TimeWindow(row["shift_starts_at"], row["shift_ends_at"] + timedelta(seconds=row["overtime_seconds"]))


def _is_on_break(began_at: datetime | None, road: _Road) -> bool:
    """A break that nobody ended is over when the van has arrived somewhere since."""
    return began_at is not None and (road.last_arrived_at is None or road.last_arrived_at < began_at)
