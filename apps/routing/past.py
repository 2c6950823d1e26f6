"""Stops that vans have made, as the planner learns from them: who waited, who drove how far, who had a break before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q

from apps.deliveries.models import Place
from apps.routing.epoch_seconds import seconds_of
from apps.routing.models import Visit
from apps.routing.planner.learning import cell_of
from apps.routing.planner.replay import PastStop, Run
from apps.routing.planner.travel import UNREACHABLE, Point
from apps.routing.stops import SECONDS_PER_FURTHER_DROP, point_of

type FreeRoad = Callable[[str, Sequence[Point]], Sequence[int]]
"""Seconds from each of these points to the next on the empty road of a profile."""


class PastRow(NamedTuple):
    """A visit that is done or failed, and the van's day it belongs to. Instants are seconds since an epoch."""

    route: int
    shift: int
    profile: str
    departed: int
    depot_latitude: float
    depot_longitude: float
    rests: list[dict[str, int]]
    planned_breaks: list[dict[str, Any]]
    visit: int
    is_served: bool
    arrived: int
    left: int
    latitude: float
    longitude: float
    kind: str
    postcode: str
    floor: int | None
    prior: int | None
    drops: int
    parcels: int
    opens: int | None

    @property
    def rest(self) -> int:
        """Seconds of the breaks that were planned directly before the drive to it."""
        before = {row["number"] for row in self.planned_breaks if row.get("before") == self.visit}
        return sum(rest["seconds"] for number, rest in enumerate(self.rests) if number in before)

    @property
    def expected(self) -> int:
        """Seconds at the door as the orders had it; 0 where nothing was handed over."""
        if not self.is_served or self.prior is None:
            return 0
        return self.prior + SECONDS_PER_FURTHER_DROP * max(0, self.drops - 1)


def past_rows(routes: Iterable[int], epoch: int) -> list[PastRow]:
    """Everything these routes have behind them, van by van in the order it was done; one query."""
    kept = Q(drops__is_hold=False)
    rows = (
        Visit.objects.filter(route__in=list(routes), route__departed_at__isnull=False)
        .exclude(state__in=Visit.REMAINING)
        .exclude(arrived_at=None)
        .exclude(left_at=None)
        .annotate(
            prior=Max("drops__delivery__service_seconds", filter=kept),
            drop_count=Count("drops", filter=kept, distinct=True),
            parcel_count=Count("drops__delivery__parcels", filter=kept, distinct=True),
            opened=Max("drops__delivery__window_earliest", filter=kept),
            served=ExpressionWrapper(Q(state=Visit.State.DONE, kind=Visit.Kind.STOP), output_field=BooleanField()),
        )
        .order_by("route", "arrived_at", "sequence")
        .values_list(
            "route_id",
            "route__shift_id",
            "route__shift__vehicle__profile",
            seconds_of("route__departed_at", epoch),
            "route__shift__vehicle__depot__latitude",
            "route__shift__vehicle__depot__longitude",
            "route__shift__breaks",
            "route__breaks",
            "pk",
            "served",
            seconds_of("arrived_at", epoch),
            seconds_of("left_at", epoch),
            "place__latitude",
            "place__longitude",
            "place__kind",
            "place__postcode",
            "place__floor",
            "prior",
            "drop_count",
            "parcel_count",
            seconds_of("opened", epoch),
        )
    )
    return [PastRow._make(row) for row in rows]


def runs_of(rows: Iterable[PastRow], day: str, free_road: FreeRoad) -> dict[int, Run]:
    """The vans' days so far, by shift."""
    found: dict[int, Run] = {}
    for route, mine in groupby(rows, key=lambda row: row.route):
        stops = list(mine)
        first = stops[0]
        points = [Point(first.depot_latitude, first.depot_longitude), *map(point_of, stops)]
        legs = free_road(first.profile, points)
        found[first.shift] = Run(day, str(route), first.profile, tuple(_stops(stops, points, legs)))
    return found


def free_road_of(travel: Mapping[str, Any], index: Mapping[Any, int]) -> FreeRoad:
    """Answers from a ground's matrices."""

    def legs(profile: str, points: Sequence[Point]) -> list[int]:
        nodes = [index[point.key] for point in points]
        seconds: list[int] = travel[profile].seconds[nodes[:-1], nodes[1:]].tolist()
        return seconds

    return legs


def _stops(rows: Sequence[PastRow], points: Sequence[Point], legs: Sequence[int]) -> Iterable[PastStop]:
    left = rows[0].departed
    for row, start, free in zip(rows, points, legs, strict=False):
        yield PastStop(
            kind=row.kind,
            zone=row.postcode,
            parcels=max(1, row.parcels),
            floor=row.floor,
            expected=row.expected,
            cell=cell_of(start.lat, start.lon),
            # No road, or none to speak of: nothing to learn from.
            free=0 if free >= UNREACHABLE else free,
            opens=row.opens if row.kind == Place.Kind.ADDRESS else None,
            left_previous=min(row.arrived, left + row.rest),
            arrived=row.arrived,
            left=max(row.arrived, row.left),
        )
        left = max(row.arrived, row.left)
