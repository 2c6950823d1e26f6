"""Tiny named instances and random days for the planner's tests."""

from __future__ import annotations

import numpy as np

from apps.routing.planner.insertion import Insertion, Timetable, applied, best_insertion
from apps.routing.planner.problem import Load, Problem, Stop, Vehicle
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


def greedy_plan(problem: Problem) -> Timetable:
    """Every stop in turn where it fits best; what does not fit is left out and named."""
    timetable = Timetable.of(problem, Solution(unserved={s.id: Reason.NOT_PLANNED for s in problem.stops}))
    for item in sorted(problem.stops, key=lambda s: (s.windows[0][1], s.id)):
        found = best_insertion(timetable, item)
        if isinstance(found, Insertion):
            timetable = applied(timetable, found, item)
    return timetable
