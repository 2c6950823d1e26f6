"""The road that is left from the van to the shopper's own stop, where the merchant's rule shows it.

Only while the van drives straight to that stop: a road past other stops would show other people's doors. It ends at
the edge of the area that the link alone shows, so that it does not tell the street either.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from time import monotonic

from apps.core.geo import distance_metres
from apps.routing.planner.travel import Point, TravelError
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.roads import network
from apps.tracking.progress import Progress
from apps.tracking.rules import COARSE_METRES, coarse_point

Spot = tuple[float, float]

AREA_METRES = COARSE_METRES * 0.72
"""A little more than the farthest that a door can be from the middle of its grid cell."""
OFF_ROAD_METRES, AGAIN_SECONDS, FINEST_METRES = 60.0, 5.0, 12.0
_KEPT = 2048
_METRES_PER_DEGREE = 111_195.0


@dataclass(slots=True)
class _Leg:
    road: list[Spot]
    asked_at: float


_legs: OrderedDict[tuple[int, str, Spot], _Leg] = OrderedDict()


def remaining_road(fix: Spot, way: Progress) -> list[Spot] | None:
    """From `fix` on, thinned; None when the van has another stop first, is there, or no road is known."""
    if way.stops_away != 0 or way.next_point is None or way.is_at_own_door or way.is_at_other_door:
        return None
    road = _road_of(way.visit_id, way.profile or "car", fix, way.next_point)
    if road is None:
        return None
    ahead = _until_area(_ahead(road, fix), coarse_point(*way.next_point))
    return ahead if len(ahead) > 1 else None


def _road_of(visit: int, profile: str, fix: Spot, door: Spot) -> list[Spot] | None:
    """Asked of the road network once per leg, and again when the van takes another way."""
    key, now = (visit, profile, door), monotonic()
    leg = _legs.get(key)
    if leg is None or (now - leg.asked_at > AGAIN_SECONDS and _nearest(leg.road, fix)[1] > OFF_ROAD_METRES):
        leg = _Leg(_asked(profile, fix, door), now)
        _legs[key] = leg
        while len(_legs) > _KEPT:
            _legs.popitem(last=False)
    _legs.move_to_end(key)
    if len(leg.road) < 2 or _nearest(leg.road, fix)[1] > OFF_ROAD_METRES:
        return None
    return leg.road


def _asked(profile: str, fix: Spot, door: Spot) -> list[Spot]:
    try:
        roads = network(profile)
        return thinned(roads.leg(Point(*fix), Point(*door)).geometry) if isinstance(roads, RoadNetwork) else []
    except TravelError:
        return []


def thinned(road: Sequence[Spot]) -> list[Spot]:
    """Without the points that lie closer together than anybody sees."""
    kept: list[Spot] = []
    for spot in road:
        if not kept or distance_metres(kept[-1], spot) >= FINEST_METRES:
            kept.append(spot)
    if road and kept[-1] != road[-1]:
        kept.append(road[-1])
    return kept


def _ahead(road: list[Spot], fix: Spot) -> list[Spot]:
    """The van, and what lies before it: nothing of the way it came."""
    segment, _metres = _nearest(road, fix)
    return [fix, *road[segment + 1 :]]


def _until_area(road: list[Spot], middle: Spot) -> list[Spot]:
    kept: list[Spot] = []
    for spot in road:
        if distance_metres(spot, middle) < AREA_METRES:
            break
        kept.append((round(spot[0], 5), round(spot[1], 5)))
    return kept


def _nearest(road: list[Spot], fix: Spot) -> tuple[int, float]:
    """The segment that the van is on, and how far from it the van is."""
    shrink = cos(radians(fix[0]))
    # Flat metres around the van.
    flat = [((lat - fix[0]) * _METRES_PER_DEGREE, (lon - fix[1]) * _METRES_PER_DEGREE * shrink) for lat, lon in road]
    best, least = 0, float("inf")
    for number, ((y, x), (to_y, to_x)) in enumerate(pairwise(flat)):
        dy, dx = to_y - y, to_x - x
        length = dy * dy + dx * dx
        share = max(0.0, min(1.0, -(y * dy + x * dx) / length)) if length else 0.0
        metres = hypot(y + share * dy, x + share * dx)
        if metres < least:
            best, least = number, metres
    return best, least
