"""Roads that are closed for a while, as the plan sees them: nobody is served inside meanwhile, and who drove through
goes around.

What lies inside is shut for these hours, like a point outside its opening hours (`shut`). A prepared network does not
know the way around, so a leg whose fastest way runs through the closed place is taken to last `CLOSED_DETOUR_SECONDS`
longer while it is closed (`around`, `detours`). Which legs those are is known exactly: going by way of the closed place
takes no longer than they do.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import cos, pi, radians, sin
from threading import Lock

import numpy as np
from django.db.models import Q

from apps.core.geo import distance_metres
from apps.fleet.models import Depot
from apps.routing import roads
from apps.routing.drawn_zones import DrawnZone, inside, kept_out, zones_on
from apps.routing.models import Closure
from apps.routing.planner.problem import Stop, Vehicle, Window
from apps.routing.planner.travel import Ints, Point, Travel, TravelError
from apps.routing.shift_rows import codes_in
from apps.routing.stops import local_instant
from apps.routing.triggers import CLOSED_DETOUR_SECONDS, CLOSED_MARGIN, VANS_LEAVE_AT

SLACK_SECONDS = 15
"""Turning in at a place costs a little that driving through it does not."""
_RING = 4
_METRES_PER_DEGREE = 111_320.0
_KEPT = 4
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Closed:
    """A round area that vans of these profiles keep out of for some time.

    `hours` are seconds since the day's midnight; `detours`: vans that are under way, or leave first, go around it.
    """

    closure: int
    latitude: float
    longitude: float
    radius_metres: int
    profiles: frozenset[str]
    hours: Window
    detours: bool

    def holds(self, point: Point) -> bool:
        return distance_metres((point.lat, point.lon), (self.latitude, self.longitude)) <= self.radius_metres

    def probes(self) -> list[Point]:
        """The middle and some points around it, to ask the network about."""
        reach = self.radius_metres / 2 / _METRES_PER_DEGREE
        angles = [2 * pi * number / _RING for number in range(_RING)]
        wide = cos(radians(self.latitude))
        ring = [Point(self.latitude + reach * sin(a), self.longitude + reach * cos(a) / wide) for a in angles]
        return [Point(self.latitude, self.longitude), *ring]

    @property
    def skill(self) -> str:
        """What a vehicle has that may go in all the same."""
        return f"past:{self.closure}"

    def left_of(self, windows: Sequence[Window]) -> tuple[Window, ...]:
        """The parts of the windows in which it is open."""
        begins, ends = self.hours
        parts = [part for a, b in windows for part in ((a, min(b, begins - 1)), (max(a, ends), b))]
        return tuple((a, b) for a, b in parts if a <= b)


type Barrier = Closed | DrawnZone
"""What keeps vans from serving a place."""


def closed_on(depot: Depot, day: date, now: datetime) -> tuple[Barrier, ...]:
    """What is closed at any time that day from now on, and the zones that are drawn on the map."""
    return (*_roads_closed(depot, day, now), *zones_on(depot, day))


def _roads_closed(depot: Depot, day: date, now: datetime) -> tuple[Closed, ...]:
    opens, ends = local_instant(depot, day, time()), local_instant(depot, day + timedelta(days=1), time())
    looked_at = max(now, local_instant(depot, day, VANS_LEAVE_AT)) + CLOSED_MARGIN
    here = Closure.objects.filter(Q(depot=depot) | Q(depot__parent=depot))
    rows = here.filter(begins_at__lt=ends, ends_at__gt=max(opens, now)).order_by("pk")
    return tuple(
        Closed(
            row.pk,
            row.latitude,
            row.longitude,
            row.radius_metres,
            codes_in(row.profiles),
            # What was open before can no longer be used.
            (-_DAY if row.begins_at <= now else _seconds(row.begins_at, opens), _seconds(row.ends_at, opens)),
            detours=row.begins_at <= looked_at and row.ends_at > looked_at - CLOSED_MARGIN,
        )
        for row in rows
    )


def _seconds(instant: datetime, midnight: datetime) -> int:
    """Since midnight, cut to the days around: a road may be closed for years."""
    return max(-_DAY, min(int((instant - midnight).total_seconds()), 3 * _DAY))


def shut(stop: Stop, point: Point, closed: Collection[Barrier], fleet: Collection[str], profile: str = "") -> Stop:
    """The stop without the hours in which its place is closed; `profile` is that of the van it stands on.

    Where nothing is left, or its own van may go in, only such vans of the `fleet` (its profiles) may serve it.
    """
    for area in closed:
        if isinstance(area, DrawnZone):
            stop = inside(stop, point, area)
            continue
        if not area.holds(point):
            continue
        left = area.left_of(stop.windows)
        may_pass = set(fleet) - area.profiles
        if may_pass and (profile in may_pass or (not left and not profile)):
            stop = stop.replace(skills=stop.skills | {area.skill})
        else:
            stop = stop.replace(windows=left)
    return stop


def let_past(vehicle: Vehicle, closed: Collection[Barrier]) -> Vehicle:
    """The vehicle with what it needs to serve places inside areas that are not closed to it, and its own bans."""
    vehicle = kept_out(vehicle, [area for area in closed if isinstance(area, DrawnZone)])
    skills = {area.skill for area in _roads(closed) if vehicle.profile not in area.profiles}
    return vehicle.replace(skills=vehicle.skills | skills) if skills else vehicle


def _roads(closed: Collection[Barrier]) -> list[Closed]:
    return [area for area in closed if isinstance(area, Closed)]


def around(ground: roads.Ground, closed: tuple[Barrier, ...]) -> Mapping[str, Travel]:
    """The ground's travel by way of the detours; as it is where there are none."""
    detouring = tuple(area for area in _roads(closed) if area.detours)
    if not detouring:
        return ground.travel
    key = (id(ground), detouring)
    known = _around.get(key)
    if known is not None:
        return known[1]
    travel = {profile: _of_profile(ground, profile, detouring) for profile in ground.travel}
    with _writing:
        # The ground is kept too, so that its id stays its own.
        _around[key] = (ground, travel)
        while len(_around) > _KEPT:
            _around.popitem(last=False)
    return travel


# Threads of a web process share it.
_writing = Lock()
_around: OrderedDict[tuple[int, tuple[Closed, ...]], tuple[roads.Ground, dict[str, Travel]]] = OrderedDict()


def _of_profile(ground: roads.Ground, profile: str, closed: tuple[Closed, ...]) -> Travel:
    travel = ground.travel[profile]
    near = [number for number, point in enumerate(ground.points) if point.key not in ground.off]
    points, square = [ground.points[number] for number in near], np.ix_(near, near)
    seconds = travel.seconds.copy()
    seconds[square] = detours(profile, closed, points, points, seconds[square])
    np.fill_diagonal(seconds, 0)
    return Travel(seconds, travel.metres, travel.exact)


def detours(
    profile: str, closed: Collection[Barrier], starts: Sequence[Point], ends: Sequence[Point], direct: Ints
) -> Ints:
    """Seconds of the legs between these places (a row per start) with what driving around costs.

    A leg that begins or ends inside is driven when it is open, so it needs no detour.
    """
    found = direct.astype(np.int64)
    for area in _roads(closed):
        if profile not in area.profiles or not area.detours:
            continue
        slower = _through(profile, area, starts, ends, direct)
        slower[[area.holds(point) for point in starts], :] = False
        slower[:, [area.holds(point) for point in ends]] = False
        found[slower] += CLOSED_DETOUR_SECONDS
    return found.astype(np.int32)


def _through(profile: str, area: Closed, starts: Sequence[Point], ends: Sequence[Point], direct: Ints) -> np.ndarray:
    """Which of these legs run through the area."""
    network, found = roads.network(profile), np.zeros(direct.shape, dtype=np.bool_)
    for probe in area.probes():
        try:
            to, away = network.table(starts, [probe]).seconds[:, 0], network.table([probe], ends).seconds[0]
        except TravelError:
            continue
        found |= to[:, None].astype(np.int64) + away[None, :] <= direct + SLACK_SECONDS
    return found
