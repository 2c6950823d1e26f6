"""The independent judge of a plan: it simulates by itself and shares no code with whatever made the plan.

Lateness, overload and overtime that the standing plan has already are no new violations, but must not grow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from apps.routing.planner.check_drive import Amounts, aboard, drive, fullest, longest_excess, most_of
from apps.routing.planner.problem import Problem, Stop
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
    DEPOT = "depot"
    """The goods lie at another depot than the van's."""
    RELOAD = "reload"
    """A call at the depot that belongs to another van."""
    MAX_STOPS = "max_stops"
    RANGE = "range"
    BREAK = "break"
    """A break is missing from the route, or starts outside its times."""
    PAIR = "pair"
    """What is collected on the way is brought by another van, before it is collected, or not at all."""
    FROZEN = "frozen"
    """The leading stops that may not change have changed."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong: where, and by how many seconds (or units of load, stops, metres) where that means something."""

    code: Code
    stop: str = ""
    vehicle: str = ""
    seconds: int = 0


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
        found += [Violation(Code.PAIR, s, route.vehicle) for s in _parted(problem, route) if s not in before.parted]
        found += _capacity(problem, route, before)
        found += _range(problem, route, before)
        found += _timing(problem, route, before)
    found += _kept(problem, solution, before)
    return found


class _Before:
    """What the standing plan already does wrong, and what of it may not change."""

    def __init__(self, problem: Problem, standing: Solution | None, strict: frozenset[str]) -> None:
        self.problem = problem
        self.standing = standing
        self.routes = {} if standing is None else {route.vehicle: route for route in standing.routes}
        known = {vehicle: route for vehicle, route in self.routes.items() if vehicle in problem.vehicle}
        drives = {vehicle: drive(problem, route) for vehicle, route in known.items()}
        self.starts = {s: t for drive in drives.values() for s, t in drive.starts.items() if s not in strict}
        self.rests = {vehicle: drive.rests for vehicle, drive in drives.items()}
        self.ends = {vehicle: drive.end for vehicle, drive in drives.items() if known[vehicle].stops}
        self.loads: dict[str, Amounts] = {vehicle: fullest(problem, route) for vehicle, route in known.items()}
        self.excess = {vehicle: longest_excess(problem, route) for vehicle, route in known.items()}
        self.calls = {vehicle: _customers(problem, route) for vehicle, route in known.items()}
        self.cut_off = {vehicle: _cut_off(problem, route) for vehicle, route in known.items()}
        parted = {stop for route in known.values() for stop in _parted(problem, route)}
        self.parted = parted - strict
        self.missing = {(vehicle, stop) for vehicle, route in known.items() for stop in _not_on_board(problem, route)}


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
        if stop not in times and not problem.stop[stop].is_reload:
            yield Violation(Code.FORGOTTEN, stop)


def _compatible(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """The right van for every stop: parcels on board or at its depot, skills, zone, number."""
    vehicle = problem.vehicle[route.vehicle]
    missing = _not_on_board(problem, route)
    for stop_id in route.stops:
        stop = problem.stop[stop_id]
        if stop.reload_of is not None:
            if stop.reload_of != vehicle.id or vehicle.is_carrier:
                yield Violation(Code.RELOAD, stop_id, vehicle.id)
            continue
        if stop.loaded_on is not None and stop.loaded_on != vehicle.id:
            yield Violation(Code.HOPPED, stop_id, vehicle.id)
        if stop_id in missing and (vehicle.id, stop_id) not in before.missing:
            yield Violation(Code.NOT_ON_BOARD, stop_id, vehicle.id)
        if stop.lies_at_depot and vehicle.depot and stop.depots and vehicle.depot not in stop.depots:
            yield Violation(Code.DEPOT, stop_id, vehicle.id)
        if not stop.skills <= vehicle.skills:
            yield Violation(Code.SKILLS, stop_id, vehicle.id)
        here = {stop.zone, *stop.areas}
        if (vehicle.zones and stop.zone not in vehicle.zones) or not here.isdisjoint(vehicle.barred_zones):
            yield Violation(Code.ZONE, stop_id, vehicle.id)
    calls = _customers(problem, route)
    if vehicle.max_stops is not None and calls > max(vehicle.max_stops, before.calls.get(vehicle.id, 0)):
        yield Violation(Code.MAX_STOPS, vehicle=vehicle.id, seconds=calls - vehicle.max_stops)


def _customers(problem: Problem, route: Route) -> int:
    return sum(stop in problem.stop and not problem.stop[stop].is_reload for stop in route.stops)


def _not_on_board(problem: Problem, route: Route) -> list[str]:
    """Stops whose goods lie at a depot that the van has left and has not called at again before."""
    found: list[str] = []
    for stop_id in route.stops if problem.vehicle[route.vehicle].started else ():
        stop = problem.stop.get(stop_id)
        if stop is not None and stop.is_reload:
            break
        if stop is not None and stop.lies_at_depot:
            found.append(stop_id)
    return found


def _parted(problem: Problem, route: Route) -> list[str]:
    """Halves of pairs whose other half is not on this van, or on the wrong side; all of a carrier's."""
    place = {stop: number for number, stop in enumerate(route.stops)}
    found: list[str] = []
    for stop_id, number in place.items():
        stop = problem.stop.get(stop_id)
        if stop is None or not stop.pair:
            continue
        other = place.get(stop.pair)
        in_order = other is not None and (number < other if stop.collects else other < number)
        if not in_order or problem.vehicle[route.vehicle].is_carrier:
            found.append(stop_id)
    return found


def _capacity(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """Never filled beyond its room on the way. What is on board already is on board, whatever the scales say."""
    vehicle = problem.vehicle[route.vehicle]
    room = (vehicle.capacity.grams, vehicle.capacity.cubic_centimetres, vehicle.capacity.pieces)
    if vehicle.is_carrier:
        for stop_id in route.stops:
            stop = problem.stop[stop_id]
            fits = stop.brings.fits(vehicle.capacity) and stop.takes.fits(vehicle.capacity)
            if not fits and stop.loaded_on != vehicle.id:
                yield Violation(Code.CAPACITY, stop_id, vehicle.id)
        return
    allowed = most_of(most_of(room, before.loads.get(vehicle.id, (0, 0, 0))), aboard(problem, route))
    for load, limit, most in zip(fullest(problem, route), room, allowed, strict=True):
        if load > most:
            yield Violation(Code.CAPACITY, vehicle=vehicle.id, seconds=load - limit)


def _range(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """No way between two calls at the depot is longer than the range."""
    excess = longest_excess(problem, route)
    if excess > before.excess.get(route.vehicle, 0):
        yield Violation(Code.RANGE, vehicle=route.vehicle, seconds=excess)


def _rests(problem: Problem, route: Route, rests: tuple[int, ...], before: _Before) -> Iterator[Violation]:
    """Every break is taken, inside its times, and none during a leg that is being driven."""
    vehicle = problem.vehicle[route.vehicle]
    if not route.stops or vehicle.is_carrier:
        return
    if len(route.breaks) != len(vehicle.breaks):
        yield Violation(Code.BREAK, vehicle=vehicle.id)
        return
    standing = before.routes.get(vehicle.id)
    driving = bool(route.frozen) and vehicle.first_arrival is not None
    if driving and 0 in route.breaks and (standing is None or 0 not in standing.breaks):
        yield Violation(Code.BREAK, vehicle=vehicle.id)
    was = before.rests.get(vehicle.id, ())
    for number, (rest, start) in enumerate(zip(vehicle.breaks, rests, strict=True)):
        latest = max(rest.latest, was[number]) if number < len(was) else rest.latest
        if start > latest:
            yield Violation(Code.BREAK, vehicle=vehicle.id, seconds=start - rest.latest)


def _timing(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """Windows, promises, breaks, shift end and roads, by a simulation of its own."""
    vehicle = problem.vehicle[route.vehicle]
    yield from _roads(problem, route, before)
    drove = drive(problem, route)
    for stop_id, start in drove.starts.items():
        if start <= before.starts.get(stop_id, -(2**62)):
            continue
        stop = problem.stop[stop_id]
        late = _after_windows(stop, start)
        if late:
            yield Violation(Code.WINDOW, stop_id, vehicle.id, late)
        if stop.promise is not None and not stop.promise[0] <= start <= stop.promise[1]:
            yield Violation(Code.PROMISE, stop_id, vehicle.id, abs(start - stop.promise[1]))
    yield from _rests(problem, route, drove.rests, before)
    last = vehicle.shift_end + vehicle.overtime
    if route.stops and not vehicle.is_carrier and drove.end > max(last, before.ends.get(vehicle.id, last)):
        yield Violation(Code.SHIFT_END, vehicle=vehicle.id, seconds=drove.end - vehicle.shift_end)


def _roads(problem: Problem, route: Route, before: _Before) -> Iterator[Violation]:
    """A road leads everywhere. Stops of the standing plan to which none does any more may stay where they are."""
    vehicle, excused = problem.vehicle[route.vehicle], before.cut_off.get(route.vehicle, frozenset())
    if not route.stops or vehicle.is_carrier:
        return
    places = [vehicle.start, *(problem.stop[stop].location for stop in route.stops), vehicle.end]
    legs = list(zip(places, places[1:], [*route.stops, ""], strict=False))
    if route.frozen and vehicle.first_arrival is not None:
        legs = legs[1:]
    for source, destination, stop_id in legs:
        if not excused.isdisjoint((source, destination)):
            continue
        if not problem.reachable(vehicle.profile, source, destination):
            yield Violation(Code.UNREACHABLE, stop_id, vehicle.id)


def _cut_off(problem: Problem, route: Route) -> frozenset[int]:
    """Locations on the route that no road joins to the van's depot both ways."""
    vehicle = problem.vehicle[route.vehicle]
    places = {problem.stop[stop].location for stop in route.stops if stop in problem.stop} - {vehicle.end}
    pairs = {place: ((place, vehicle.end), (vehicle.end, place)) for place in places}
    return frozenset(
        place for place, ways in pairs.items() if not all(problem.reachable(vehicle.profile, *way) for way in ways)
    )


def _kept(problem: Problem, solution: Solution, before: _Before) -> Iterator[Violation]:
    """Frozen stops (and the breaks between them) are as they were, and nothing that was served is left out."""
    now = {route.vehicle: route for route in solution.routes}
    served = {stop for route in solution.routes for stop in route.stops}
    for vehicle, route in before.routes.items():
        if _front(now.get(vehicle, Route(vehicle)), route.frozen) != _front(route, route.frozen):
            yield Violation(Code.FROZEN, vehicle=vehicle)
        for stop in route.stops:
            if stop in problem.stop and stop not in served and not problem.stop[stop].is_reload:
                yield Violation(Code.DROPPED, stop, vehicle)


def _front(route: Route, frozen: int) -> tuple[tuple[str, ...], list[int]]:
    return route.stops[:frozen], [at for at in route.breaks if at < frozen]


def _after_windows(stop: Stop, start: int) -> int:
    """Seconds outside the windows: since the last one closed, or until the next opens; 0 inside."""
    closing = [closes for _, closes in stop.windows]
    number = bisect_left(closing, start)
    if number < len(closing):
        return max(0, stop.windows[number][0] - start)
    return start - closing[-1] if closing else 1
