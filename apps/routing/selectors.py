"""What others may ask about the vans' plan."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from apps.core.time_windows import TimeWindow
from apps.fleet.models import Vehicle
from apps.routing.collecting import shop_hours
from apps.routing.epoch_seconds import instant, since_midnight
from apps.routing.models import Drop, EtaChange, Route, Visit
from apps.routing.moved_words import MovedTime, moved_time
from apps.routing.stops import epoch_of, zone_of
from apps.routing.waves import parcels_of, second_loads

__all__ = [
    "BreakAhead",
    "MovedTime",
    "Progress",
    "breaks_ahead",
    "eta_of",
    "moved_times_of",
    "parcels_of",
    "progress_of",
    "remaining_visits",
    "second_loads",
    "shop_hours",
    "stops_away",
    "van_of",
    "visit_of",
    "zone_of",
]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery's van is. `stops_away` counts visits before it, several drops at one place once."""

    departed: bool
    arrived: bool
    stops_away: int | None
    arrival: datetime | None


@dataclass(frozen=True, slots=True)
class BreakAhead:
    """A break of so many seconds, directly before leaving towards the visit `before` (None: before the way home)."""

    number: int
    before: int | None
    earliest: datetime
    seconds: int


def visit_of(delivery_id: int) -> Visit | None:
    """The visit that will bring the delivery; None when no plan holds it."""
    drop = (
        Drop.objects.filter(delivery=delivery_id, is_open=True, is_hold=False)
        .select_related("visit__plan__depot", "visit__place", "visit__route__shift__vehicle")
        .first()
    )
    return drop.visit if drop else None


def stops_away(delivery_id: int) -> int | None:
    """Visits still to be made before it; None when no van has it."""
    visit = visit_of(delivery_id)
    return _ahead_of(visit) if visit is not None and visit.route_id is not None else None


def van_of(delivery_id: int) -> tuple[Route, Vehicle] | None:
    """The route and the vehicle that will bring it."""
    visit = visit_of(delivery_id)
    return (visit.route, visit.route.shift.vehicle) if visit is not None and visit.route is not None else None


def eta_of(delivery_id: int) -> TimeWindow | None:
    """The pair its page shows."""
    visit = visit_of(delivery_id)
    if visit is None or visit.eta_earliest is None or visit.eta_latest is None:
        return None
    return TimeWindow(visit.eta_earliest, visit.eta_latest)


def progress_of(delivery_id: int) -> Progress | None:
    """How far its van is; None when no plan holds it."""
    visit = visit_of(delivery_id)
    if visit is None:
        return None
    route = visit.route
    return Progress(
        departed=route is not None and route.departed_at is not None,
        arrived=visit.state == Visit.State.ARRIVED,
        stops_away=_ahead_of(visit) if route is not None else None,
        arrival=visit.planned_arrival,
    )


def remaining_visits(route_id: int) -> list[Visit]:
    """The route's visits that are not done, in driving order, without slot holds."""
    return list(
        Visit.objects.filter(route=route_id, state__in=[Visit.State.PLANNED, Visit.State.ARRIVED], hold_until=None)
        .select_related("place")
        .order_by("sequence", "pk")
    )


def breaks_ahead(route: Route) -> list[BreakAhead]:
    """The breaks that the plan still has for the route's driver, in order."""
    if not route.breaks:
        return []
    epoch = epoch_of(route.plan.depot, route.plan.day)
    taken = set(route.visits.exclude(state=Visit.State.PLANNED).values_list("pk", flat=True))
    found = []
    for row in route.breaks:
        if row["number"] < len(route.shift.breaks) and row["before"] not in taken:
            one = route.shift.breaks[row["number"]]
            earliest = instant(epoch, since_midnight(route.plan.depot.time_zone, route.plan.day, one["earliest"]))
            found.append(BreakAhead(row["number"], row["before"], earliest, one["seconds"]))
    return found


def _ahead_of(visit: Visit) -> int:
    return (
        Visit.objects.filter(
            route=visit.route_id,
            state__in=[Visit.State.PLANNED, Visit.State.ARRIVED],
            sequence__lt=visit.sequence,
            drops__is_open=True,
            drops__is_hold=False,
        )
        .distinct()
        .count()
    )


def moved_times_of(delivery_id: int, *, zone: ZoneInfo) -> list[MovedTime]:
    """Why its expected time moved, the last time first: for staff, as no other delivery is named."""
    rows = EtaChange.objects.filter(delivery=delivery_id).select_related("replan").order_by("-pk")
    return [moved_time(row, zone) for row in rows]
