"""Greenhouse gas of a plan: metres driven times a factor, always as the difference of the plan with and without.

`FACTORS` are what is used where an operator has none of its own: use phase only, rounded, with their source. Whoever
reports by ISO 14083 puts in well-to-wheel factors (about a quarter more for diesel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from apps.routing.planner.problem import Problem, Vehicle
from apps.routing.planner.ride import along
from apps.routing.planner.solution import Route, Solution

GREEN_METRES: Final = 600
"""A stop that adds no more than this to a plan is on the way of a van that comes near anyhow."""

GREEN_GRAMS: Final = 150
"""Nor may it add more CO2e than this, which is what a diesel van emits on 600 m."""


class Factor(NamedTuple):
    """Grams CO2e per kilometre, and where the figure is from."""

    grams_per_kilometre: int
    source: str


_DEFRA: Final = "UK Government GHG conversion factors (DEFRA), average van up to 3.5 t, use phase only"
FACTORS: Final[Mapping[str, Factor]] = {
    "van": Factor(257, f"{_DEFRA}, diesel"),
    "electric_van": Factor(47, f"{_DEFRA}, battery, UK grid generation"),
    "cargo_bike": Factor(5, "University of Westminster study as reported 2021, electricity only"),
    "foot": Factor(0, "no fuel"),
    "drone": Factor(0, "unknown: put in the maker's figure"),
    "robot": Factor(0, "unknown: put in the maker's figure"),
    "carrier": Factor(257, f"{_DEFRA}, diesel, on the direct way there"),
}


def grams(vehicle: Vehicle, metres: int) -> int:
    """CO2e of so many metres, rounded down."""
    return metres * vehicle.grams_co2e_per_kilometre // 1000


def carried_metres(problem: Problem, vehicle: Vehicle, location: int) -> int:
    """Metres that count for a parcel given to a carrier: the direct way, as its share of a round nobody here knows."""
    return problem.metres(vehicle.profile, vehicle.start, location) if location >= 0 else 0


def route_grams(problem: Problem, route: Route) -> int:
    """CO2e of one route; nothing for a van that stands still."""
    vehicle = problem.vehicle[route.vehicle]
    stops = [problem.stop[stop] for stop in route.stops]
    if vehicle.is_carrier:
        return sum(grams(vehicle, carried_metres(problem, vehicle, stop.location)) for stop in stops)
    if not stops and not vehicle.started:
        return 0
    places = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
    return grams(vehicle, sum(along(problem.travel[vehicle.profile].metres, places)))


def plan_grams(problem: Problem, solution: Solution) -> int:
    """CO2e of a whole plan."""
    return sum(route_grams(problem, route) for route in solution.routes)


def is_green(vehicle: Vehicle, route: Route, added_metres: int, added_grams: int) -> bool:
    """Whether a van is there anyhow: it drives for others already, and the plan grows by next to nothing."""
    alone = vehicle.is_carrier or not route.stops
    return not alone and added_metres <= GREEN_METRES and added_grams <= GREEN_GRAMS
