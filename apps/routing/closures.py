"""Roads that are closed for a while, as the plan sees them: what lies inside cannot be reached, who drove through goes
around.

A prepared network does not know the way around, so a leg whose fastest way runs through the closed place is taken to
last `CLOSED_DETOUR_SECONDS` longer. Which legs those are is known exactly: going by way of the closed place takes no
longer than they do.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import cos, pi, radians, sin

import numpy as np

from apps.core.geo import distance_metres
from apps.fleet.models import Depot
from apps.routing import roads
from apps.routing.models import Closure
from apps.routing.planner.travel import UNREACHABLE, Point, Travel, TravelError
from apps.routing.shift_rows import codes_in
from apps.routing.stops import local_instant
from apps.routing.triggers import CLOSED_DETOUR_SECONDS

SLACK_SECONDS = 15
"""Turning in at a place costs a little that driving through it does not."""
_RING = 4
_METRES_PER_DEGREE = 111_320.0
_KEPT = 4


@dataclass(frozen=True, slots=True)
class Closed:
    """A round area that vans of these profiles keep out of, for what is left of the day."""

    latitude: float
    longitude: float
    radius_metres: int
    profiles: frozenset[str]

    def holds(self, point: Point) -> bool:
        return distance_metres((point.lat, point.lon), (self.latitude, self.longitude)) <= self.radius_metres

    def probes(self) -> list[Point]:
        """The middle and some points around it, to ask the network about."""
        reach = self.radius_metres / 2 / _METRES_PER_DEGREE
        angles = [2 * pi * number / _RING for number in range(_RING)]
        wide = cos(radians(self.latitude))
        ring = [Point(self.latitude + reach * sin(a), self.longitude + reach * cos(a) / wide) for a in angles]
        return [Point(self.latitude, self.longitude), *ring]


def closed_on(depot: Depot, day: date, now: datetime) -> tuple[Closed, ...]:
    """What is closed at any time that day from now on."""
    opens, ends = local_instant(depot, day, time()), local_instant(depot, day + timedelta(days=1), time())
    rows = Closure.objects.filter(depot=depot, begins_at__lt=ends, ends_at__gt=max(opens, now)).order_by("pk")
    return tuple(Closed(row.latitude, row.longitude, row.radius_metres, codes_in(row.profiles)) for row in rows)


def around(ground: roads.Ground, closed: tuple[Closed, ...]) -> Mapping[str, Travel]:
    """The ground's travel with these places closed; as it is where nothing is."""
    if not closed:
        return ground.travel
    key = (id(ground), closed)
    if key not in _around:
        travel = {profile: _of_profile(ground, profile, closed) for profile in ground.travel}
        # The ground is kept too, so that its id stays its own.
        _around[key] = (ground, travel)
        while len(_around) > _KEPT:
            _around.popitem(last=False)
    return _around[key][1]


_around: OrderedDict[tuple[int, tuple[Closed, ...]], tuple[roads.Ground, dict[str, Travel]]] = OrderedDict()


def _of_profile(ground: roads.Ground, profile: str, closed: tuple[Closed, ...]) -> Travel:
    travel = ground.travel[profile]
    seconds, metres = travel.seconds, travel.metres
    near = [number for number, point in enumerate(ground.points) if point.key not in ground.off]
    for area in closed:
        if profile not in area.profiles:
            continue
        slower = np.zeros(seconds.shape, dtype=np.bool_)
        slower[np.ix_(near, near)] = _through(ground, profile, area, near)
        seconds = np.where(slower & (seconds < UNREACHABLE), seconds + CLOSED_DETOUR_SECONDS, seconds)
        inside = [number for number, point in enumerate(ground.points) if area.holds(point)]
        seconds[inside, :] = seconds[:, inside] = UNREACHABLE
        metres = np.where(seconds >= UNREACHABLE, UNREACHABLE, metres)
    seconds, metres = seconds.astype(np.int32), metres.astype(np.int32)
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    return Travel(seconds, metres, travel.exact)


def _through(ground: roads.Ground, profile: str, area: Closed, near: list[int]) -> np.ndarray:
    """Which legs between these places run through the area."""
    points, network = [ground.points[number] for number in near], roads.network(profile)
    direct = ground.travel[profile].seconds[np.ix_(near, near)].astype(np.int64)
    found = np.zeros(direct.shape, dtype=np.bool_)
    for probe in area.probes():
        try:
            to, away = network.table(points, [probe]).seconds[:, 0], network.table([probe], points).seconds[0]
        except TravelError:
            continue
        found |= to[:, None].astype(np.int64) + away[None, :] <= direct + SLACK_SECONDS
    return found
