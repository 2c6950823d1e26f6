"""Areas drawn on a map: which GeoJSON is understood, and whether a point lies inside. Pure rules."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.core.geo import is_coordinate

type Ring = tuple[tuple[float, float], ...]
"""(longitude, latitude) pairs, the last one the first again."""
MOST_VERTICES = 400
WIDEST_DEGREES = 3.0
_FEWEST = 4
_MOST_DEGREES = 180


def check_shape(shape: Any) -> None:
    """ValidationError unless this is one GeoJSON polygon, holes allowed, whose edges do not cross."""
    rings_of(shape)


def rings_of(shape: Any) -> tuple[Ring, ...]:
    """The outer ring and the holes of a polygon, or of a feature that is one."""
    if isinstance(shape, dict) and shape.get("type") == "Feature":
        shape = shape.get("geometry")
    if not isinstance(shape, dict) or shape.get("type") != "Polygon":
        raise ValidationError(_("A zone is one GeoJSON polygon."), code="no_polygon")
    rings = shape.get("coordinates")
    if not isinstance(rings, list) or not rings or not all(isinstance(ring, list) for ring in rings):
        raise ValidationError(_("A zone is one GeoJSON polygon."), code="no_polygon")
    # Counted before anything is read: what comes in may be as large as a form may be.
    if sum(map(len, rings)) > MOST_VERTICES:
        raise ValidationError(
            _("A zone has at most %(most)s corners."), code="too_many_corners", params={"most": MOST_VERTICES}
        )
    found = tuple(tuple(map(_point, ring)) for ring in rings)
    for ring in found:
        if len(ring) < _FEWEST or ring[0] != ring[-1]:
            raise ValidationError(
                _("A zone needs at least three corners, and ends where it begins."), code="not_closed"
            )
    _check_width(found[0])
    _check_crossings(found)
    _check_ground(found[0])
    return found


def bounds_of(ring: Ring) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    lons, lats = [lon for lon, _lat in ring], [lat for _lon, lat in ring]
    return min(lons), min(lats), max(lons), max(lats)


def holds(rings: Sequence[Ring], latitude: float, longitude: float) -> bool:
    """Whether the point lies inside (even-odd rule: not in a hole)."""
    inside = False
    for ring in rings:
        for (a_lon, a_lat), (b_lon, b_lat) in pairwise(ring):
            if (a_lat > latitude) != (b_lat > latitude):
                crossing = a_lon + (latitude - a_lat) / (b_lat - a_lat) * (b_lon - a_lon)
                inside ^= longitude < crossing
    return inside


def _point(pair: Any) -> tuple[float, float]:
    numbers = isinstance(pair, list) and len(pair) in (2, 3) and all(_is_number(one) for one in pair)
    # The absolute value first: JSON knows integers that no float can hold.
    if not numbers or any(abs(one) > _MOST_DEGREES for one in pair[:2]) or not is_coordinate(pair[1], pair[0]):
        raise ValidationError(_("A corner is [longitude, latitude] in degrees."), code="no_place")
    return float(pair[0]), float(pair[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_width(outer: Ring) -> None:
    west, south, east, north = bounds_of(outer)
    if east - west > WIDEST_DEGREES or north - south > WIDEST_DEGREES:
        raise ValidationError(_("A zone is at most three degrees wide and high."), code="too_wide")


def _check_ground(outer: Ring) -> None:
    west, south = bounds_of(outer)[:2]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((lon - west, lat - south) for lon, lat in outer))
    if abs(area) < 1e-10:
        raise ValidationError(_("A zone needs some ground."), code="no_ground")


def _check_crossings(rings: Sequence[Ring]) -> None:
    """At most some 80,000 pairs of edges, each told apart by its box first."""
    edges = [(number, a, b) for number, ring in enumerate(rings) for a, b in pairwise(ring)]
    for first, second in _pairs(edges):
        (ring, a, b), (other, c, d) = first, second
        if ring == other and (b == c or a == d):
            # Neighbours share a corner; they cross when they lie on one another.
            if a == c or b == d or (_side(a, b, d) == 0 and b == c and _between(d, a, b)):
                raise _crossed()
            continue
        if _crosses(a, b, c, d):
            raise _crossed()


type _Edge = tuple[int, tuple[float, float], tuple[float, float]]


def _pairs(edges: Sequence[_Edge]) -> Iterator[tuple[_Edge, _Edge]]:
    for number, first in enumerate(edges):
        for second in edges[number + 1 :]:
            yield first, second


def _crossed() -> ValidationError:
    return ValidationError(_("The edges of the zone cross or touch each other."), code="crosses_itself")


type _Point = tuple[float, float]


def _crosses(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Whether two edges meet anywhere."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    sides = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    ends = ((sides[0], c, a, b), (sides[1], d, a, b), (sides[2], a, c, d), (sides[3], b, c, d))
    return any(side == 0 and _between(point, start, end) for side, point, start, end in ends)


def _side(a: _Point, b: _Point, point: _Point) -> int:
    cross = (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
    return (cross > 0) - (cross < 0)


def _between(point: _Point, a: _Point, b: _Point) -> bool:
    inside_lon = min(a[0], b[0]) <= point[0] <= max(a[0], b[0])
    return inside_lon and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
