"""How far from a stop something happened, by what the phone said then or what the van's positions say."""

from datetime import datetime, timedelta

from apps.core.geo import distance_metres
from apps.deliveries.models import Place
from apps.fleet.models import Position, PositionSample, Vehicle

NEAR_IN_TIME = timedelta(minutes=5)
# A van moves on: beside what the phone says itself only what was measured at the same moment counts.
SAME_MOMENT = timedelta(minutes=1)


def metres_from(place: Place, vehicle: Vehicle, at: datetime, said: tuple[float, float] | None) -> int | None:
    """Whole metres between the place and the van at an instant; None when nobody knows where it was.

    `said` is the phone's own (latitude, longitude) at that instant, which anybody can make up: the van's position at
    the same moment counts as well, and the larger distance is believed. Else the nearest known position in time counts.
    """
    points = (said, _known(vehicle, at, SAME_MOMENT if said else NEAR_IN_TIME))
    return max((round(distance_metres(point, place.point)) for point in points if point), default=None)


def measured_point(vehicle: Vehicle, at: datetime, said: tuple[float, float] | None) -> tuple[float, float] | None:
    """(latitude, longitude) where something happened; None when nobody measured it."""
    return said or _known(vehicle, at, NEAR_IN_TIME)


def _known(vehicle: Vehicle, at: datetime, nearness: timedelta) -> tuple[float, float] | None:
    around = (at - nearness, at + nearness)
    newest = Position.objects.filter(vehicle=vehicle, at__range=around)
    samples = PositionSample.objects.filter(vehicle=vehicle, at__range=around)
    columns = ("at", "latitude", "longitude")
    rows = [*newest.values_list(*columns), *samples.values_list(*columns)]
    if not rows:
        return None
    _at, latitude, longitude = min(rows, key=lambda row: abs(row[0] - at))
    return latitude, longitude
