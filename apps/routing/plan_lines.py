"""Where a van drives, as a line for the map: along the roads, straight where none is known."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from apps.routing import roads
from apps.routing.planner.travel import Point, TravelError
from apps.routing.planner.travel_osrm import RoadNetwork

type LonLat = tuple[float, float]
_THINNED_METRES_SQUARED = 1.6e-8
"""Degrees squared: points of a track that lie closer to the last one (about 14 m) say nothing at a day's scale."""


def drawn_line(profile: str, points: Sequence[Point]) -> list[LonLat]:
    """[longitude, latitude] pairs through these points."""
    return list(_thinned(_along(profile, points)))


def _along(profile: str, points: Sequence[Point]) -> Iterator[LonLat]:
    network = roads.network(profile)
    for start, end in pairwise(points):
        try:
            leg = network.leg(start, end).geometry if isinstance(network, RoadNetwork) else None
        except TravelError:
            leg = None
        for lat, lon in leg or ((start.lat, start.lon), (end.lat, end.lon)):
            yield round(lon, 5), round(lat, 5)


def _thinned(line: Iterator[LonLat]) -> Iterator[LonLat]:
    last: LonLat | None = None
    for point in line:
        if last is None or (point[0] - last[0]) ** 2 + (point[1] - last[1]) ** 2 > _THINNED_METRES_SQUARED:
            yield point
            last = point
