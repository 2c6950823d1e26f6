"""Days of a parcel fleet on the demo country: planned by the product, then driven through `eta_noise`'s world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apps.routing.planner.learning import Times, cell_of
from apps.routing.planner.problem import Load, Problem, Stop, Vehicle
from apps.routing.planner.replay import PastStop, Run
from apps.routing.planner.solution import Route
from apps.routing.planner.solve import build
from apps.routing.planner.travel import Point, Travel, crow_metres
from benchmarks.eta_noise import World
from benchmarks.replan_day import Country

HOUR = 3600
OPENS, CLOSES = 8 * HOUR, 18 * HOUR
PRIOR_SECONDS = 120
PER_PARCEL = 20
"""What an order says of its time at the door unless its merchant knows better (`Delivery.service_seconds`)."""
FLOOR_KNOWN = 0.7
"""The share of flats whose floor stands in the address."""
TOWNS = {
    "9485": (47.2207, 9.5250),
    "9486": (47.2110, 9.5450),
    "9487": (47.2210, 9.5060),
    "9488": (47.2390, 9.5300),
    "9490": (47.1410, 9.5215),
    "9491": (47.2190, 9.5010),
    "9492": (47.1990, 9.5030),
    "9493": (47.2170, 9.5320),
    "9494": (47.1650, 9.5100),
    "9495": (47.1080, 9.5270),
    "9496": (47.0680, 9.5050),
    "9497": (47.1390, 9.5480),
}


@dataclass(frozen=True)
class Customer:
    """A stop as the order describes it; `number` is its location in the town's matrix."""

    number: int
    point: Point
    kind: str
    zone: str
    parcels: int
    floor: int | None
    """What the order knows; None: unknown, or a house."""
    true_floor: int | None
    window: tuple[int, int]

    @property
    def prior(self) -> int:
        return PRIOR_SECONDS + PER_PARCEL * (self.parcels - 1)


@dataclass(frozen=True)
class VanDay:
    """What one van did: who in which order, when, and the free road between them."""

    van: str
    profile: str
    start: int
    departed: int
    customers: tuple[Customer, ...]
    run: Run


@dataclass(frozen=True)
class Ground:
    """All addresses of the week, the depot first, and the free road between them."""

    country: Country
    points: list[Point]
    travel: dict[str, Travel]

    @classmethod
    def draw(cls, country: Country, rng: np.random.Generator, addresses: int) -> Ground:
        points = [country.depot, *country.draw(rng, addresses)]
        return cls(country, points, {kind: country.network(kind).travel(points) for kind in ("car", "bicycle")})

    @cached_property
    def cells(self) -> list[str]:
        return [cell_of(point.lat, point.lon) for point in self.points]

    @cached_property
    def zones(self) -> list[str]:
        towns = [Point(*where) for where in TOWNS.values()]
        return [list(TOWNS)[near] for near in np.argmin(crow_metres(self.points, towns), axis=1)]

    @cached_property
    def near_depot(self) -> np.ndarray:
        near: np.ndarray = crow_metres([self.points[0]], self.points)[0] <= 3_000
        return near

    @property
    def box(self) -> tuple[float, float, float, float]:
        lats, lons = [p.lat for p in self.points], [p.lon for p in self.points]
        return min(lats), min(lons), max(lats), max(lons)


def customers(ground: Ground, world: World, rng: np.random.Generator, count: int) -> list[Customer]:
    """A day's stops, drawn without repetition."""
    drawn = rng.choice(np.arange(1, len(ground.points)), count, replace=False).tolist()
    found = []
    for number in drawn:
        kind = str(rng.choice(["address", "pickup_point", "locker"], p=[0.9, 0.06, 0.04]))
        parcels = 1 + int(rng.poisson(0.4 if kind == "address" else 4.0))
        point = ground.points[number]
        true_floor = world.floor((point.lat, point.lon)) if kind == "address" else None
        floor = true_floor if rng.random() < FLOOR_KNOWN else None
        found.append(Customer(number, point, kind, ground.zones[number], parcels, floor, true_floor, _window(rng)))
    return found


def _window(rng: np.random.Generator) -> tuple[int, int]:
    """Three in four are at home all day, the others asked for four hours of it."""
    if rng.random() < 0.75:
        return OPENS, CLOSES
    opens = int(rng.choice([8, 10, 12, 14])) * HOUR
    return opens, opens + 4 * HOUR


def problem_of(ground: Ground, day: list[Customer], vans: list[Vehicle], times: Times) -> Problem:
    """The planner's problem with what was learned so far."""
    places = [0, *(customer.number for customer in day)]
    travel = {profile: ground.travel[profile].take(places) for profile in {van.profile for van in vans}}
    cells = [ground.cells[place] for place in places]
    tables = {profile: times.travel.table(profile, cells) for profile in travel}
    stops = tuple(
        Stop(f"s{number}", number, (one.window,), service_seconds(one, times), Load(pieces=1), zone=_area(ground, one))
        for number, one in enumerate(day, start=1)
    )
    return Problem(0, tuple(vans), stops, travel, traffic={name: table for name, table in tables.items() if table})


def service_seconds(one: Customer, times: Times) -> int:
    return times.service.seconds(one.prior, one.kind, one.zone, one.parcels, one.floor)


def vans_for(ground: Ground, stops: int) -> list[Vehicle]:
    """Cars for some 50 stops each, and one cargo bike for the town around the depot."""
    roomy, small = Load(pieces=56), Load(pieces=24)
    cars = max(2, -(-stops // 50))
    found = [Vehicle(f"car{n}", "car", 0, 0, OPENS, CLOSES, roomy) for n in range(cars)]
    return [*found, Vehicle("bike", "bicycle", 0, 0, OPENS, CLOSES, small, zones=frozenset({"town"}))]


def _area(ground: Ground, one: Customer) -> str:
    return "town" if ground.near_depot[one.number] else "country"


def drive_day(
    ground: Ground, world: World, plan: list[tuple[Vehicle, list[Customer]]], day: int, fleet: str
) -> list[VanDay]:
    """What really happened, stop by stop; opening times are kept, promises are nobody's reason to wait."""
    found = []
    for vehicle, order in plan:
        van_day = (fleet + vehicle.id, day)
        clock = departed = OPENS + round(float(world.rng.gamma(2.0, 240.0)))
        stuck, stuck_at = world.incident(), int(world.rng.integers(0, len(order)))
        at, stops = 0, []
        for index, one in enumerate(order):
            free = int(ground.travel[vehicle.profile].seconds[at, one.number])
            where = one.point.lat, one.point.lon
            took = world.drive(free, where, clock, van_day, vehicle.profile == "car")
            arrived = clock + took + (round(stuck) if index == stuck_at else 0)
            served = world.service(one.kind, where, one.parcels, one.true_floor, van_day)
            left = max(arrived, one.window[0]) + served
            who = one.kind, one.zone, one.parcels, one.floor, one.prior, ground.cells[at]
            stops.append(PastStop(*who, free, one.window[0], clock, arrived, left))
            at, clock = one.number, left
        run = Run(f"{day:02d}", fleet + vehicle.id, vehicle.profile, tuple(stops))
        found.append(VanDay(fleet + vehicle.id, vehicle.profile, 0, departed, tuple(order), run))
    return found


def plan_day(
    ground: Ground, day: list[Customer], times: Times, *, seconds: float, seed: int
) -> list[tuple[Vehicle, list[Customer]]]:
    """Each van's order of stops, by the product's own day planner with what it knows by then."""
    vans = vans_for(ground, len(day))
    problem = problem_of(ground, day, vans, times)
    plan = build(problem, seconds=seconds, seed=seed)
    by_id = {f"s{number}": one for number, one in enumerate(day, start=1)}
    orders = [(van, [by_id[stop] for stop in plan.route.get(van.id, Route(van.id)).stops]) for van in vans]
    return [(van, order) for van, order in orders if order]
