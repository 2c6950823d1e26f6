"""Where a figure of CO₂e comes from: each vehicle's grams per kilometre and their source, as staff read them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.fleet.models import Vehicle
from apps.routing.planner.emissions import FACTORS
from apps.routing.vans import KINDS


@dataclass(frozen=True, slots=True)
class Factor:
    """`vans` are codes."""

    vans: str
    grams: int
    source: str


def factor_of(vehicle: Vehicle) -> tuple[int, str]:
    """Grams CO2e per kilometre that the plan counts with for this vehicle, and where they are from."""
    if vehicle.grams_co2e_per_kilometre:
        return vehicle.grams_co2e_per_kilometre, vehicle.factor_source or _("put in by the operator without a source")
    known = FACTORS[KINDS.get(Vehicle.Kind(vehicle.kind), vehicle.kind)]
    return known.grams_per_kilometre, known.source


def factors_of(vehicles: Iterable[Vehicle]) -> list[Factor]:
    """One line per factor, with the vans it counts for."""
    found: dict[tuple[int, str], list[str]] = {}
    for vehicle in vehicles:
        found.setdefault(factor_of(vehicle), []).append(vehicle.code)
    return [Factor(", ".join(vans), grams, source) for (grams, source), vans in found.items()]
