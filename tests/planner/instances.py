"""Tiny named instances and random days for the planner's tests."""

from __future__ import annotations

import numpy as np

from apps.routing.planner.insertion import Insertion, Timetable, applied, best_insertion
from apps.routing.planner.problem import Break, Load, Problem, Stop, Tariff, TrafficTable, Vehicle
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.travel import Travel

HOUR = 3600
DAY = (0, 9 * HOUR)
ROOMY = Load(10**9, 10**9, 10**6)


def travel_of(seconds: list[list[int]] | np.ndarray) -> Travel:
    """Metres are ten times the seconds."""
    array = np.array(seconds, dtype=np.int32)
    return Travel(array, np.minimum(array, 10**7) * np.int32(10), True)


def line(*minutes: int) -> Travel:
    """Places along one street, at these minutes from its beginning."""
    at = np.array(minutes) * 60
    return travel_of(np.abs(at[:, None] - at[None, :]))


def van(name: str = "van", **changes: object) -> Vehicle:
    plain = Vehicle(name, "car", start=0, end=0, available=0, shift_end=DAY[1], capacity=ROOMY)
    return plain.replace(**changes)


def stop(name: str, location: int, *windows: tuple[int, int], **changes: object) -> Stop:
    plain = Stop(name, location, windows or (DAY,), service=120, load=Load(1000, 5000, 1))
    return plain.replace(**changes)


def three_on_a_street() -> tuple[Problem, Solution]:
    """One van, stops at 10, 20 and 30 minutes from the depot, all day open; place 4 lies at 15 minutes."""
    problem = Problem(0, (van(),), (stop("a", 1), stop("b", 2), stop("c", 3)), {"car": line(0, 10, 20, 30, 15)})
    return problem, planned(problem, van=["a", "b", "c"])


def planned(problem: Problem, *, frozen: int = 0, unserved: dict[str, Reason] | None = None, **routes: list[str]):
    from apps.routing.planner.solution import Route

    return Solution(tuple(Route(vehicle, tuple(stops), frozen) for vehicle, stops in routes.items()), unserved or {})


def random_travel(rng: np.random.Generator, size: int, spread: int = 2400) -> Travel:
    """Asymmetric whole seconds that keep the triangle inequality."""
    at = rng.random((size, 2)) * spread
    crow = np.ceil(np.hypot(at[:, None, 0] - at[None, :, 0], at[:, None, 1] - at[None, :, 1]))
    seconds = crow + rng.integers(0, 60, size)[:, None] + rng.integers(0, 60, size)[None, :]
    np.fill_diagonal(seconds, 0)
    return travel_of(seconds)


def random_windows(rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    kind = rng.random()
    if kind < 0.35:
        return (DAY,)
    if kind < 0.75:
        opens = int(rng.integers(0, 7)) * HOUR
        return ((opens, opens + 2 * HOUR),)
    if kind < 0.9:
        opens = int(rng.integers(0, 5)) * HOUR
        return ((opens, opens + 4 * HOUR),)
    return ((0, int(rng.integers(1, 4)) * HOUR), (int(rng.integers(4, 6)) * HOUR, int(rng.integers(6, 9)) * HOUR))


def random_stop(rng: np.random.Generator, name: str, location: int) -> Stop:
    windows = random_windows(rng)
    promise = None
    if rng.random() < 0.2:
        opens = windows[0][0] + int(rng.integers(0, HOUR))
        promise = (opens, opens + HOUR)
    return Stop(
        name,
        location,
        windows,
        service=int(rng.integers(60, 300)),
        load=Load(int(rng.integers(100, 20_000)), int(rng.integers(100, 60_000)), 1),
        promise=promise,
        skills=frozenset({"lift"}) if rng.random() < 0.08 else frozenset(),
        zone="town" if rng.random() < 0.5 else "country",
    )


def random_vans(rng: np.random.Generator, count: int, pieces: int) -> tuple[Vehicle, ...]:
    return tuple(
        van(
            f"van{number}",
            profile="bicycle" if number == 2 else "car",
            available=int(rng.integers(0, HOUR)),
            shift_end=int(rng.integers(7, 10)) * HOUR,
            capacity=Load(10**7, 10**8, pieces),
            skills=frozenset({"lift"}) if number == 0 else frozenset(),
            zones=frozenset({"town"}) if number == 2 else frozenset(),
        )
        for number in range(count)
    )


def random_problem(seed: int, *, vans: int = 3, stops: int = 14, spare: int = 4) -> Problem:
    """A day with `spare` places that no stop is at yet (the last location indices)."""
    rng = np.random.default_rng(seed)
    size = 1 + stops + spare
    car = random_travel(rng, size)
    slow = (car.seconds * 2).astype(np.int32)
    bicycle = Travel(slow, car.metres, True)
    drawn = tuple(random_stop(rng, f"s{i}", i + 1) for i in range(stops))
    return Problem(0, random_vans(rng, vans, pieces=stops), drawn, {"car": car, "bicycle": bicycle})


def random_rich_problem(seed: int, *, vans: int = 3, stops: int = 12, spare: int = 3) -> Problem:
    """A random day on which every constraint of a delivery day may turn up, each on about every third."""
    rng = np.random.default_rng([seed, 3])
    problem = random_problem(seed, vans=vans, stops=stops, spare=spare)
    fleet = [_equipped(rng, vehicle) for vehicle in problem.vehicles]
    if rng.random() < 0.4:
        tariff = Tariff(per_stop=int(rng.integers(200, 1500)))
        light = Load(10_000, 40_000, 1)
        fleet.append(van("carrier", kind="carrier", cost=tariff, capacity=light, available=int(rng.integers(0, HOUR))))
    people = [_demanding(rng, item) for item in problem.stops]
    calls = [
        Stop(f"reload{number}", 0, (DAY,), service=600, reload_of=f"van{number}")
        for number in range(vans)
        if rng.random() < 0.3
    ]
    traffic = {}
    if rng.random() < 0.4:
        size = problem.travel["car"].size
        zones = tuple(rng.integers(0, 2, size).tolist())
        speeds = tuple(tuple(rng.integers(600, 1200, 9).tolist()) for _ in range(2))
        traffic = {"car": TrafficTable(zones, speeds)}
    return problem.replace(vehicles=tuple(fleet), stops=(*people, *calls), traffic=traffic)


def _equipped(rng: np.random.Generator, vehicle: Vehicle) -> Vehicle:
    changes: dict[str, object] = {"grams_co2e_per_kilometre": int(rng.integers(0, 300))}
    breaks: list[Break] = []
    for number in range(int(rng.choice([0, 0, 0, 1, 1, 2]))):
        opens = int(rng.integers(2 + 3 * number, 4 + 3 * number)) * HOUR
        breaks.append(Break(opens, opens + int(rng.integers(900, 2 * HOUR)), int(rng.integers(900, 3000))))
    if breaks:
        changes["breaks"] = tuple(breaks)
    elif rng.random() < 0.4:
        changes["overtime"] = int(rng.integers(600, 2 * HOUR))
        changes["shift_end"] = vehicle.shift_end - int(rng.integers(0, 5 * HOUR))
    if rng.random() < 0.3:
        changes["range_metres"] = int(rng.integers(40_000, 110_000))
    if rng.random() < 0.5:
        changes["cost"] = Tariff(
            per_start=int(rng.integers(0, 2000)),
            per_hour=int(rng.integers(0, 4000)),
            per_kilometre=int(rng.integers(0, 60)),
            per_stop=int(rng.integers(0, 50)),
            per_overtime_hour=int(rng.integers(0, 6000)),
        )
    if rng.random() < 0.3:
        changes["max_stops"] = int(rng.integers(3, 7))
    if rng.random() < 0.3:
        changes["capacity"] = Load(int(rng.integers(40_000, 90_000)), 10**6, int(rng.integers(3, 8)))
    if rng.random() < 0.2:
        changes["barred_zones"] = frozenset({"town" if not vehicle.zones else "country", "drawn"})
    if rng.random() < 0.3:
        changes["depot"] = "north"
    if rng.random() < 0.2:
        changes["slowdown_percent"] = int(rng.integers(90, 150))
    return vehicle.replace(**changes)


def _demanding(rng: np.random.Generator, item: Stop) -> Stop:
    changes: dict[str, object] = {"priority": int(rng.integers(0, 11))}
    kind = rng.random()
    if kind < 0.2:
        changes["collects"] = True
    elif kind < 0.3:
        changes["returns"] = Load(int(rng.integers(100, 20_000)), 1000, 1)
    if rng.random() < 0.15:
        changes["depots"] = frozenset({str(rng.choice(["north", "south"]))})
    if item.service % 5 == 0:
        changes["areas"] = frozenset({"drawn", "free"})
    return item.replace(**changes)


def wishing(problem: Problem) -> Problem:
    """The same day on which every third customer would like the first hour of the last window best."""

    def asked(number: int, item: Stop) -> Stop:
        if number % 3 or item.is_reload or not item.windows:
            return item
        opens, closes = item.windows[-1]
        return item.replace(wish=(opens, min(opens + HOUR, closes)))

    return problem.replace(stops=tuple(asked(number, item) for number, item in enumerate(problem.stops)))


def greedy_plan(problem: Problem) -> Timetable:
    """Every stop in turn where it fits best; what does not fit is left out and named."""
    timetable = Timetable.of(problem, Solution(unserved={s.id: Reason.NOT_PLANNED for s in problem.stops}))
    for item in sorted(problem.stops, key=lambda s: (s.windows[0][1], s.id)):
        found = best_insertion(timetable, item)
        if isinstance(found, Insertion):
            timetable = applied(timetable, found, item)
    return timetable
