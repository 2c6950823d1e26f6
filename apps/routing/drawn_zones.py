"""Zones drawn on the map, as the plan sees them: a stop inside is not for vehicles that may not enter.

They ride along with the closed roads (`closures.closed_on`), so that whatever asks the plan holds them: a stop learns
which zones it lies in (`Stop.areas`), a vehicle which it may not enter (`Vehicle.barred_zones`). Driving through a zone
without a stop in it is not kept from anybody: a prepared road network has no such ban.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from apps.fleet.models import Depot, Zone
from apps.fleet.models import Vehicle as VehicleRow
from apps.fleet.shapes import Ring, bounds_of, holds, rings_of
from apps.places.selectors import opening_windows
from apps.routing.epoch_seconds import since
from apps.routing.planner.problem import Stop, Vehicle, Window
from apps.routing.planner.travel import Point
from apps.routing.stops import epoch_of, zone_of
from apps.routing.vans import KINDS

NEW = "new"
"""The id of a stop that is not in the plan yet (`new_stop`)."""
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Outline:
    """A zone's rings, with what was asked of them before."""

    rings: tuple[Ring, ...]
    bounds: tuple[float, float, float, float]
    known: dict[Point, bool] = field(default_factory=dict, compare=False, hash=False)

    def holds(self, point: Point) -> bool:
        west, south, east, north = self.bounds
        if not (west <= point.lon <= east and south <= point.lat <= north):
            return False
        inside = self.known.get(point)
        if inside is None:
            if len(self.known) >= _MOST_REMEMBERED:
                self.known.clear()
            inside = self.known[point] = holds(self.rings, point.lat, point.lon)
        return inside


@dataclass(frozen=True, slots=True)
class DrawnZone:
    """One zone on one day. `hours` are seconds since the day's midnight in which it counts."""

    code: str
    outline: Outline
    hours: tuple[Window, ...]
    kinds: frozenset[str]
    most_grams: int | None

    def holds(self, point: Point) -> bool:
        return self.outline.holds(point)

    def counts_for(self, windows: Sequence[Window]) -> bool:
        """Whether a stop with these windows could be served while the zone counts."""
        return any(a <= until and since_ <= b for a, b in windows for since_, until in self.hours)

    def bars(self, vehicle: Vehicle) -> bool:
        too_much = self.most_grams is not None and vehicle.grams_co2e_per_kilometre > self.most_grams
        return vehicle.kind in self.kinds or too_much


def zones_on(depot: Depot, day: date) -> tuple[DrawnZone, ...]:
    """Every zone that counts at some time that day."""
    found = []
    for row in Zone.objects.order_by("pk"):
        hours = _hours(row.hours, depot, day)
        if hours:
            kinds = frozenset(KINDS.get(VehicleRow.Kind(kind), kind) for kind in row.barred_kinds)
            limit = row.most_grams_co2e_per_kilometre
            found.append(DrawnZone(f"zone:{row.pk}", _outline(json.dumps(row.shape)), hours, kinds, limit))
    return tuple(found)


def inside(stop: Stop, point: Point, zone: DrawnZone) -> Stop:
    """The stop, marked if it lies in the zone. What its van has on board already is still brought."""
    is_still_brought = stop.loaded_on is not None and stop.id != NEW
    if is_still_brought or not zone.holds(point) or not zone.counts_for(stop.windows):
        return stop
    return stop.replace(areas=stop.areas | {zone.code})


def kept_out(vehicle: Vehicle, zones: Collection[DrawnZone]) -> Vehicle:
    """The vehicle with the zones that it may not enter."""
    codes = {zone.code for zone in zones if zone.bars(vehicle)}
    return vehicle.replace(barred_zones=vehicle.barred_zones | codes) if codes else vehicle


def _hours(words: str, depot: Depot, day: date) -> tuple[Window, ...]:
    epoch = epoch_of(depot, day)
    if not words.strip():
        return ((-86_400, 3 * 86_400),)
    spans = opening_windows(words, day, zone_of(depot))
    return tuple((since(epoch, span.earliest), since(epoch, span.latest) - 1) for span in spans)


@lru_cache(maxsize=256)
def _outline(shape: str) -> Outline:
    rings = rings_of(json.loads(shape))
    return Outline(rings, bounds_of(rings[0]))
