"""Distances on the earth's surface, metres."""

from math import asin, cos, isfinite, radians, sin, sqrt

EARTH_RADIUS_METRES = 6_371_008.8
COARSE_METRES = 500
"""The side of the areas that stand for a place which is not to be known exactly."""
_METRES_PER_DEGREE = 111_195.0


def is_coordinate(latitude: float, longitude: float) -> bool:
    """True for a finite pair on the globe."""
    return isfinite(latitude) and isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180


def distance_metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) pairs in degrees; haversine formula."""
    lat_a, lon_a, lat_b, lon_b = map(radians, (*a, *b))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_METRES * asin(min(1.0, sqrt(half)))


def coarse_point(latitude: float, longitude: float) -> tuple[float, float]:
    """The middle of a fixed grid cell of about 500 m, the same for all addresses in it: nothing averages out."""
    step = COARSE_METRES / _METRES_PER_DEGREE
    row = int(latitude // step)
    wide = step / max(0.01, cos(radians((row + 0.5) * step)))
    column = int(longitude // wide)
    return round((row + 0.5) * step, 5), round((column + 0.5) * wide, 5)
