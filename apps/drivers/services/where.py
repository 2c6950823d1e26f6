"""How far from a stop something happened, by what the phone said then or what the van's positions say."""

from datetime import datetime, timedelta

from apps.core.geo import distance_metres
from apps.deliveries.models import Place
from apps.fleet.models import Position, PositionSample, Vehicle

NEAR_IN_TIME = timedelta(minutes=5)


def metres_from(place: Place, vehicle: Vehicle, at: datetime, said: tuple[float, float] | None) -> int | None:
    """Whole metres between the place and the van at an instant; None when nobody knows where it was.

    `said` is the phone's own (latitude, longitude) at that instant; else the nearest known position in time counts.
    """
    point = said or _known(vehicle, at)
    return None if point is None else round(distance_metres(point, place.point))


def _known(vehicle: Vehicle, at: datetime) -> tuple[float, float] | None:
    around = (at - NEAR_IN_TIME, at + NEAR_IN_TIME)
    newest = Position.objects.filter(vehicle=vehicle, at__range=around)
    samples = PositionSample.objects.filter(vehicle=vehicle, at__range=around)
    columns = ("at", "latitude", "longitude")
    rows = [*newest.values_list(*columns), *samples.values_list(*columns)]
    if not rows:
        return None
    _at, latitude, longitude = min(rows, key=lambda row: abs(row[0] - at))
    return latitude, longitude
