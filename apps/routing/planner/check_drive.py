"""The judge's own simulation of one route: when, how full, how far. It shares no code with whatever made the plan."""

from __future__ import annotations

from dataclasses import dataclass

from apps.routing.planner.problem import Load, Problem, Stop, Vehicle
from apps.routing.planner.solution import Route

type Amounts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Drive:
    """One simulated route: service start per stop, start of each break, arrival at its end."""

    starts: dict[str, int]
    rests: tuple[int, ...]
    end: int


def drive(problem: Problem, route: Route) -> Drive:
    """As early as possible. A stop whose windows are over is served on arrival (late)."""
    vehicle = problem.vehicle[route.vehicle]
    if vehicle.is_carrier:
        served = {stop: opening(problem.stop[stop], vehicle.available) for stop in route.stops}
        return Drive(served, (), vehicle.available)
    clock, place = vehicle.available, vehicle.start
    starts: dict[str, int] = {}
    rests: list[int] = []
    for number, stop_id in enumerate(route.stops):
        stop = problem.stop[stop_id]
        clock = _rest(vehicle, route, number, clock, rests)
        clock = _arrive(problem, vehicle, place, stop.location, clock)
        if number == 0 and route.frozen and vehicle.first_arrival is not None:
            clock = vehicle.first_arrival
        starts[stop_id] = clock = opening(stop, clock)
        clock += stop.service
        place = stop.location
    clock = _rest(vehicle, route, len(route.stops), clock, rests)
    end = _arrive(problem, vehicle, place, vehicle.end, clock)
    _rest(vehicle, route, len(route.stops) + 1, end, rests)
    return Drive(starts, tuple(rests), end)


def _rest(vehicle: Vehicle, route: Route, number: int, clock: int, rests: list[int]) -> int:
    """The clock after the breaks that are taken before leaving towards the stop of this number."""
    for position, rest in zip(route.breaks, vehicle.breaks, strict=False):
        if position == number:
            rests.append(max(clock, rest.earliest))
            clock = rests[-1] + rest.seconds
    return clock


def _arrive(problem: Problem, vehicle: Vehicle, source: int, destination: int, clock: int) -> int:
    """The end of one leg: hour by hour, each at its own speed."""
    base = problem.seconds(vehicle.profile, source, destination)
    if problem.reachable(vehicle.profile, source, destination):
        base = -(-base * vehicle.slowdown_percent // 100)
    table = problem.traffic.get(vehicle.profile)
    if table is None or not problem.reachable(vehicle.profile, source, destination):
        return clock + base
    speeds = table.permille[table.zone_of_location[source]]
    left = base * 1000
    while True:
        hour = min(max(clock // 3600, 0), len(speeds) - 1)
        until = (hour + 1) * 3600
        if left <= (until - clock) * speeds[hour] or hour == len(speeds) - 1:
            return clock - (-left // speeds[hour])
        left -= (until - clock) * speeds[hour]
        clock = until


def opening(stop: Stop, arrival: int) -> int:
    """The first second from arrival on that lies in a window and in the promise; arrival itself when none is left."""
    for opens, closes in stop.windows:
        first = max(opens, arrival)
        if stop.promise is not None:
            first = max(first, stop.promise[0])
            closes = min(closes, stop.promise[1])
        if first <= closes:
            return first
    return arrival


def aboard(problem: Problem, route: Route) -> Amounts:
    """What the van has on board already, whatever the plan."""
    amounts = (0, 0, 0)
    for stop in (problem.stop[stop] for stop in route.stops if stop in problem.stop):
        if stop.loaded_on == route.vehicle:
            amounts = _plus(amounts, _amounts(stop.brings))
    return amounts


def fullest(problem: Problem, route: Route) -> Amounts:
    """The most that is on board at any time: deliveries leave it, pick-ups enter it, a call at the depot renews it."""
    stops = [problem.stop[stop] for stop in route.stops if stop in problem.stop]
    now = _plus(aboard(problem, route), _fetched(stops, route.vehicle))
    most, collected = now, (0, 0, 0)
    collecting = {stop.id for stop in stops if stop.pair and stop.collects}
    paired = collecting & {stop.pair for stop in stops}
    for number, stop in enumerate(stops):
        if stop.id in paired:  # stays on board until its other half, whatever happens at the depot
            now = _plus(now, _amounts(stop.load))
        elif stop.pair in paired:
            now = _minus(now, _amounts(stop.load))
        if stop.is_reload:
            now = _plus(_minus(now, collected), _fetched(stops[number + 1 :], route.vehicle))
            collected = (0, 0, 0)
        else:
            now = _plus(_minus(now, _amounts(stop.brings)), _amounts(stop.takes))
            collected = _plus(collected, _amounts(stop.takes))
        most = most_of(most, now)
    return most


def longest_excess(problem: Problem, route: Route) -> int:
    """Metres by which the longest way between two calls at the depot is over the range; 0 within it."""
    vehicle = problem.vehicle[route.vehicle]
    if vehicle.is_carrier or not route.stops:
        return 0
    limit, driven, worst, place = vehicle.first_range, 0, 0, vehicle.start
    for stop in (*(problem.stop[stop] for stop in route.stops), None):
        there = vehicle.end if stop is None else stop.location
        driven += problem.metres(vehicle.profile, place, there)
        place = there
        if stop is None or stop.is_reload:
            worst = max(worst, 0 if limit is None else driven - limit)
            driven, limit = 0, vehicle.range_metres
    return worst


def _fetched(stops: list[Stop], vehicle: str) -> Amounts:
    """What is taken on board at the depot for the stops up to its next call there."""
    amounts = (0, 0, 0)
    for stop in stops:
        if stop.is_reload:
            break
        if stop.loaded_on != vehicle:
            amounts = _plus(amounts, _amounts(stop.brings))
    return amounts


def _amounts(load: Load) -> Amounts:
    return load.grams, load.cubic_centimetres, load.pieces


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _minus(one: Amounts, other: Amounts) -> Amounts:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def most_of(one: Amounts, other: Amounts) -> Amounts:
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])
