"""A synthetic parcel day on a real road network: real addresses, vans of two kinds, and what shoppers ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import osmium

from apps.routing.planner.eta import pairs
from apps.routing.planner.new_place import PlaceRows, Rows
from apps.routing.planner.problem import Load, Problem, Stop, Vehicle
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.solve import build
from apps.routing.planner.timetable import Timetable
from apps.routing.planner.travel import SNAP_LIMIT, Point, Travel, crow_metres
from apps.routing.planner.travel_osrm import RoadNetwork, Roads
from apps.routing.planner.travel_prepare import prepare

HOUR = 3600
SHIFT = 9 * HOUR
STOPS_PER_CAR = 72
STOPS_PER_BIKE = 32
ZONE_METRES = 3000
BASE_SECONDS = {100: 6.0, 300: 12.0}
BASE_SECONDS_LARGE = 30.0


def addresses(extract: Path) -> list[Point]:
    """Every place with a house number: nodes, and buildings by the middle of their corners."""
    tagged = osmium.filter.KeyFilter("addr:housenumber")
    found: dict[tuple[int, int], Point] = {}
    for thing in osmium.FileProcessor(str(extract)).with_locations().with_filter(tagged):
        if thing.is_node():
            point = Point(thing.location.lat, thing.location.lon)
        elif thing.is_way():
            corners = [node.location for node in thing.nodes if node.location.valid()]
            if not corners:
                continue
            point = Point(sum(c.lat for c in corners) / len(corners), sum(c.lon for c in corners) / len(corners))
        else:
            continue
        found.setdefault(point.key, point)
    return sorted(found.values(), key=lambda point: (point.lat, point.lon))


def roads(extract: Path, directory: Path) -> Roads:
    prepare(extract, directory, ("car", "bicycle"))
    return Roads(directory)


@dataclass(frozen=True)
class Country:
    """The addresses that cars and bicycles can reach, and the depot among them."""

    roads: Roads
    points: list[Point]
    depot: Point

    @classmethod
    def read(cls, extract: Path, directory: Path) -> Country:
        """The depot stands where most addresses are near: the median of all, snapped to the nearest one."""
        network, found = roads(extract, directory), addresses(extract)
        middle = Point(float(np.median([p.lat for p in found])), float(np.median([p.lon for p in found])))
        depot = min(found, key=lambda point: math.hypot(point.lat - middle.lat, point.lon - middle.lon))
        return cls(network, found, depot)

    def draw(self, rng: np.random.Generator, count: int) -> list[Point]:
        """So many different addresses, each near a road of both kinds."""
        order = rng.permutation(len(self.points))
        car, bicycle = self.network("car"), self.network("bicycle")
        drawn: list[Point] = []
        for number in order.tolist():
            point = self.points[number]
            if point.key != self.depot.key and not car.off_the_map([point]) and not bicycle.off_the_map([point]):
                drawn.append(point)
            if len(drawn) == count:
                return drawn
        raise SystemExit(f"the extract has only {len(drawn)} usable addresses within {SNAP_LIMIT:.0f} m of a road")

    def network(self, profile: str) -> RoadNetwork:
        return self.roads.road(profile)


@dataclass
class BenchmarkDay:
    """The plan as it stands, and the places that changes may still ask for."""

    country: Country
    points: list[Point]
    """Depot first, then the stops; the position is the location index."""
    newcomers: list[Point]
    problem: Problem
    plan: Solution
    rng: np.random.Generator
    asked_roads: int = field(default=0)

    def again(self, seed: int) -> BenchmarkDay:
        """The same morning, to be lived once more with the same luck."""
        rng = np.random.default_rng([seed, len(self.points)])
        return BenchmarkDay(self.country, list(self.points), list(self.newcomers), self.problem, self.plan, rng)

    @cached_property
    def degrees(self) -> np.ndarray:
        return np.array([(point.lat, point.lon) for point in self.points])

    def nearest(self, point: Point) -> list[int]:
        """Known locations by air, nearest first."""
        north = (self.degrees[:, 0] - point.lat) * 111_195
        east = (self.degrees[:, 1] - point.lon) * 111_195 * math.cos(math.radians(point.lat))
        closest: list[int] = np.argsort(north * north + east * east)[:8].tolist()
        return closest

    def rows(self, point: Point) -> Rows:
        """Exact road rows between a new place and known ones, counted."""

        def ask(profile: str, locations: Sequence[int]) -> PlaceRows:
            # one square table: the road engine spends its time on snapping, which two tables would do twice
            both = self.country.network(profile).table([point, *(self.points[location] for location in locations)])
            self.asked_roads += len(locations)
            return PlaceRows(both.seconds[1:, 0], both.seconds[0, 1:], both.metres[1:, 0], both.metres[0, 1:])

        return ask

    def add_place(self, point: Point) -> int:
        """The point takes the next location index: one row and one column more in every matrix."""
        travel: dict[str, Travel] = {}
        for profile, known in self.problem.travel.items():
            network = self.country.network(profile)
            to, away = network.rows_to(point, self.points), network.rows_from(point, [*self.points, point])
            seconds = np.vstack([np.hstack([known.seconds, to.seconds]), away.seconds])
            metres = np.vstack([np.hstack([known.metres, to.metres]), away.metres])
            travel[profile] = Travel(seconds, metres, True)
        self.problem = self.problem.grown(travel, self.nearest(point)[0])
        self.points.append(point)
        self.__dict__.pop("degrees", None)
        return len(self.points) - 1


def make_day(country: Country, stops: int, newcomers: int, seed: int) -> BenchmarkDay:
    """The day's plan (by PyVRP where installed), half of the vans just gone with their parcels on board."""
    rng = np.random.default_rng([seed, stops])
    drawn = country.draw(rng, stops + newcomers)
    points = [country.depot, *drawn[:stops]]
    travel = {profile: country.network(profile).travel(points) for profile in ("car", "bicycle")}
    town = crow_metres([country.depot], drawn)[0] <= ZONE_METRES
    asked = tuple(_stop(rng, number, bool(town[number - 1])) for number in range(1, stops + 1))
    problem = Problem(0, _vans(stops, int(town[:stops].sum())), asked, travel)
    plan = build(problem, seconds=BASE_SECONDS.get(stops, BASE_SECONDS_LARGE), seed=seed)
    problem = problem.replace(stops=tuple(s for s in problem.stops if s.id not in plan.unserved))
    problem, plan = _said(rng, *_gone(problem, plan.replace(unserved={})))
    return BenchmarkDay(country, points, drawn[stops:], problem, plan, rng)


def zone_of(country: Country, point: Point) -> str:
    return "town" if crow_metres([country.depot], [point])[0, 0] <= ZONE_METRES else "country"


def _vans(stops: int, in_town: int) -> tuple[Vehicle, ...]:
    bikes = min(2, in_town // STOPS_PER_BIKE)
    cars = max(3, math.ceil((stops - bikes * STOPS_PER_BIKE) / STOPS_PER_CAR))
    roomy, small = Load(900_000, 9_000_000, 140), Load(120_000, 1_200_000, 45)
    return (
        *(Vehicle(f"car{n}", "car", 0, 0, 0, SHIFT, roomy) for n in range(cars)),
        *(Vehicle(f"bike{n}", "bicycle", 0, 0, 0, SHIFT, small, zones=frozenset({"town"})) for n in range(bikes)),
    )


def window(rng: np.random.Generator) -> tuple[int, int]:
    """A quarter want two hours, a fifth four, the others the day."""
    kind = rng.random()
    if kind < 0.45:
        length = (2 if kind < 0.25 else 4) * HOUR
        opens = int(rng.integers(0, (SHIFT - length) // HOUR + 1)) * HOUR
        return opens, opens + length
    return 0, SHIFT


def plain_stop(rng: np.random.Generator, number: int) -> Stop:
    """A stop of an ordinary parcel at the location of its number."""
    return _stop(rng, number, in_town=False)


def _stop(rng: np.random.Generator, number: int, in_town: bool) -> Stop:
    return Stop(
        f"s{number}",
        number,
        (window(rng),),
        service=int(rng.integers(90, 211)),
        load=Load(int(rng.integers(200, 8000)), int(rng.integers(500, 60_000)), 1),
        zone="town" if in_town else "country",
    )


def _gone(problem: Problem, plan: Solution) -> tuple[Problem, Solution]:
    """Every other van has just left: parcels on board, its next two stops frozen."""
    gone = {van.id for number, van in enumerate(problem.vehicles) if number % 2 == 0}
    vans = tuple(van.replace(started=van.id in gone) for van in problem.vehicles)
    loaded = tuple(
        stop.replace(loaded_on=plan.vehicle_of[stop.id]) if plan.vehicle_of[stop.id] in gone else stop
        for stop in problem.stops
    )
    routes = tuple(
        Route(route.vehicle, route.stops, min(2, len(route.stops)) if route.vehicle in gone else 0)
        for route in plan.routes
    )
    return problem.replace(vehicles=vans, stops=loaded), Solution(routes)


def _said(rng: np.random.Generator, problem: Problem, plan: Solution) -> tuple[Problem, Solution]:
    """Every page shows an honest pair; three in ten customers were also promised an hour and a half by a message."""
    timetable, shown = Timetable.of(problem, plan), pairs(problem, plan, now=0)
    told: list[Stop] = []
    for stop in problem.stops:
        start = timetable.times(stop.id).start
        promise = (max(0, start - 2700), start + 2700) if rng.random() < 0.3 else None
        told.append(stop.replace(eta=tuple(shown[stop.id]), promise=promise))
    return problem.replace(stops=tuple(told)), plan
