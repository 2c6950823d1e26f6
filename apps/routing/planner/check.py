"""The independent judge of a plan: it simulates by itself and shares no code with whatever made the plan.

Lateness, overload and overtime that the standing plan has already are no new violations, but must not grow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.solution import Route, Solution


class Code(StrEnum):
    """What is wrong with a plan."""

    UNKNOWN_STOP = "unknown_stop"
    UNKNOWN_VEHICLE = "unknown_vehicle"
    REPEATED = "repeated"
    """A stop stands in the plan more than once, or is both served and unserved."""
    FORGOTTEN = "forgotten"
    """A stop is neither served nor named as unserved."""
    DROPPED = "dropped"
    """The standing plan serves the stop, this one does not."""
    WINDOW = "window"
    PROMISE = "promise"
    SHIFT_END = "shift_end"
    CAPACITY = "capacity"
    SKILLS = "skills"
    ZONE = "zone"
    UNREACHABLE = "unreachable"
    HOPPED = "hopped"
    """A loaded parcel stands on another van's route."""
    NOT_ON_BOARD = "not_on_board"
    """A van that has left the depot is to bring a parcel that still lies there."""
    FROZEN = "frozen"
    """The leading stops that may not change have changed."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong: where, and by how many seconds (or pieces, for capacity) where that means something."""

    code: Code
    stop: str = ""
    vehicle: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class _Drive:
    """One simulated route: service start per stop, arrival at its end."""

    starts: dict[str, int]
    end: int


def violations(
    problem: Problem,
    solution: Solution,
    *,
    standing: Solution | None = None,
    standing_problem: Problem | None = None,
    strict: Collection[str] = (),
) -> list[Violation]:
    """Everything wrong with the plan, empty when it holds.

    `standing` is the plan it replaces, which fixes the frozen stops and how late each stop may already be;
    `standing_problem` is the problem that plan was made for, when a change has altered it since; stops named in
    `strict` (the ones just changed) get no grace.
    """
    known = [route for route in solution.routes if route.vehicle in problem.vehicle]
    found = [Violation(Code.UNKNOWN_VEHICLE, vehicle=r.vehicle) for r in solution.routes if r not in known]
    found += _census(problem, solution)
    if any(violation.code == Code.UNKNOWN_STOP for violation in found):
        return found
    before = _Before(standing_problem or problem, standing, frozenset(strict))
    for route in known:
        found += _compatible(problem, route, before)
        found += _capacity(problem, route, before)
        found += _timing(problem, route, before)
    found += _kept(problem, solution, before)
    return found


class _Before:
    """What the standing plan already does wrong, and what of it may not change."""

    def __init__(self, problem: Problem, standing: Solution | None, strict: frozenset[str]) -> None:
        self.problem = problem
        self.standing = standing
        self.routes = {} if standing is None else {route.vehicle: route for route in standing.routes}
        drives = {
            vehicle: _simulate(problem, route) for vehicle, route in self.routes.items() if vehicle in problem.vehicle
        }
        self.starts = {s: t for drive in drives.values() for s, t in drive.starts.items() if s not in strict}
        self.ends = {vehicle: drive.end for vehicle, drive in drives.items()}

    def load(self, vehicle: str) -> tuple[int, int, int]:
        route = self.routes.get(vehicle)
        return (0, 0, 0) if route is None else _sum_of_loads(self.problem, route)

    def had(self, vehicle: str, stop: str) -> bool:
        return vehicle in self.routes and stop in self.routes[vehicle].stops


def _census(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Every stop exactly once, or named as unserved."""
    times = Counter(stop for route in solution.routes for stop in route.stops)
    times.update(list(solution.unserved))
    for stop, count in times.items():
        if stop not in problem.stop:
            yield Violation(Code.UNKNOWN_STOP, stop)
        elif count > 1:
            yield Violation(Code.REPEATED, stop)
    for stop in problem.stop:
        if stop not in times:
            yield Violation(Code.FORGOTTEN, stop)


def _compatible(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """The right van for every stop: parcels on board, skills, zone."""
    vehicle = problem.vehicle[route.vehicle]
    for stop_id in route.stops:
        stop = problem.stop[stop_id]
        if stop.loaded_on is not None and stop.loaded_on != vehicle.id:
            yield Violation(Code.HOPPED, stop_id, vehicle.id)
        at_depot = stop.loaded_on is None and not stop.collects
        if vehicle.started and at_depot and not before.had(vehicle.id, stop_id):
            yield Violation(Code.NOT_ON_BOARD, stop_id, vehicle.id)
        if not stop.skills <= vehicle.skills:
            yield Violation(Code.SKILLS, stop_id, vehicle.id)
        if vehicle.zones and stop.zone not in vehicle.zones:
            yield Violation(Code.ZONE, stop_id, vehicle.id)


def _sum_of_loads(problem: Problem, route: Route, *, aboard_only: bool = False) -> tuple[int, int, int]:
    stops = [problem.stop[stop] for stop in route.stops if stop in problem.stop]
    loads = [stop.load for stop in stops if not aboard_only or stop.loaded_on == route.vehicle]
    return (
        sum(load.grams for load in loads),
        sum(load.cubic_centimetres for load in loads),
        sum(load.pieces for load in loads),
    )


def _capacity(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """No van is filled beyond its room. What is on board already is on board, whatever the scales say."""
    vehicle = problem.vehicle[route.vehicle]
    room = (vehicle.capacity.grams, vehicle.capacity.cubic_centimetres, vehicle.capacity.pieces)
    aboard = _sum_of_loads(problem, route, aboard_only=True)
    loads = _sum_of_loads(problem, route)
    for load, limit, already, carried in zip(loads, room, before.load(vehicle.id), aboard, strict=True):
        if load > max(limit, already, carried):
            yield Violation(Code.CAPACITY, vehicle=vehicle.id, seconds=load - limit)


def _timing(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """Windows, promises, shift end and roads, by a simulation of its own."""
    vehicle = problem.vehicle[route.vehicle]
    places = [vehicle.start, *(problem.stop[stop].location for stop in route.stops), vehicle.end]
    legs = list(zip(places, places[1:], [*route.stops, ""], strict=False)) if route.stops else []
    if route.frozen and vehicle.first_arrival is not None:
        legs = legs[1:]
    for source, destination, stop_id in legs:
        if not problem.reachable(vehicle.profile, source, destination):
            yield Violation(Code.UNREACHABLE, stop_id, vehicle.id)
    drive = _simulate(problem, route)
    for stop_id, start in drive.starts.items():
        if start <= before.starts.get(stop_id, -(2**62)):
            continue
        stop = problem.stop[stop_id]
        late = _after_windows(stop, start)
        if late:
            yield Violation(Code.WINDOW, stop_id, vehicle.id, late)
        if stop.promise is not None and not stop.promise[0] <= start <= stop.promise[1]:
            yield Violation(Code.PROMISE, stop_id, vehicle.id, abs(start - stop.promise[1]))
    allowed = max(vehicle.shift_end, before.ends.get(vehicle.id, vehicle.shift_end))
    if route.stops and drive.end > allowed:
        yield Violation(Code.SHIFT_END, vehicle=vehicle.id, seconds=drive.end - vehicle.shift_end)


def _kept(problem: Problem, solution: Solution, before: _Before) -> Iterator[Violation]:
    """Frozen stops are as they were, and nothing that was served is left out."""
    now = {route.vehicle: route.stops for route in solution.routes}
    served = {stop for stops in now.values() for stop in stops}
    for vehicle, route in before.routes.items():
        if now.get(vehicle, ())[: route.frozen] != route.stops[: route.frozen]:
            yield Violation(Code.FROZEN, vehicle=vehicle)
        for stop in route.stops:
            if stop in problem.stop and stop not in served:
                yield Violation(Code.DROPPED, stop, vehicle)


def _simulate(problem: Problem, route: Route) -> _Drive:
    """Drive the route as early as possible. A stop whose windows are over is served on arrival (late)."""
    vehicle: Vehicle = problem.vehicle[route.vehicle]
    clock, place = vehicle.available, vehicle.start
    starts: dict[str, int] = {}
    for number, stop_id in enumerate(route.stops):
        stop = problem.stop[stop_id]
        clock += problem.seconds(vehicle.profile, place, stop.location)
        if number == 0 and route.frozen and vehicle.first_arrival is not None:
            clock = vehicle.first_arrival
        starts[stop_id] = clock = _opening(stop, clock)
        clock += stop.service
        place = stop.location
    return _Drive(starts, clock + problem.seconds(vehicle.profile, place, vehicle.end))


def _opening(stop: Stop, arrival: int) -> int:
    """The first second from arrival on that lies in a window and in the promise; arrival itself when none is left."""
    for opens, closes in stop.windows:
        first = max(opens, arrival)
        if stop.promise is not None:
            first = max(first, stop.promise[0])
            closes = min(closes, stop.promise[1])
        if first <= closes:
            return first
    return arrival


def _after_windows(stop: Stop, start: int) -> int:
    """Seconds outside the windows: since the last one closed, or until the next opens; 0 inside."""
    closing = [closes for _, closes in stop.windows]
    number = bisect_left(closing, start)
    if number < len(closing):
        return max(0, stop.windows[number][0] - start)
    return start - closing[-1] if closing else 1
