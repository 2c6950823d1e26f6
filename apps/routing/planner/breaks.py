"""Breaks: where on a route they can lie, and the arrays that tell for every number of breaks taken so far.

`ready[k][i]` is the earliest departure from node i with k breaks behind, `leave[k][i]` the latest one with which
everything behind still holds, `latest[k][i]` the latest arrival at node i. Both are exact: whoever is earlier can wait,
so what is possible is always everything up to one second. A route without breaks has one layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from apps.routing.planner.intervals import NEVER, latest_start, next_start
from apps.routing.planner.problem import Break, Problem, Window
from apps.routing.planner.ride import Driven, Ride
from apps.routing.planner.solution import Route, Solution

LATER_THAN_ALL: Final = 2**40
"""A departure that comes too late for everything."""


class Limits(NamedTuple):
    """What must hold: permitted starts per stop, last start per break, last return."""

    windows: list[tuple[Window, ...]]
    rests: list[int]
    end: int


class Layers(NamedTuple):
    """See the module. `first` is the node from which on a break may still move: the last frozen one.

    `last_rests`: latest beginning of each break of the van, as late as it may be.
    """

    ready: list[list[int]]
    leave: list[list[int]]
    latest: list[list[int]]
    first: int
    last_rests: list[int]


def plain_limits(ride: Ride) -> Limits:
    """What a route without any allowance for lateness has to keep."""
    return Limits(ride.windows, [rest.latest for rest in ride.breaks], ride.vehicle.last_return)


def keeps(ride: Ride, driven: Driven, limits: Limits) -> bool:
    """Whether the driven route is inside its limits."""
    for windows, times in zip(limits.windows, driven.times, strict=True):
        if not windows or times.start > windows[-1][1]:
            return False
    if ride.vehicle.is_carrier:
        return True
    if len(driven.rests) != len(ride.rests) or (ride.under_way and 0 in ride.route.breaks):
        return False
    rested = all(start <= latest for start, latest in zip(driven.rests, limits.rests, strict=False))
    return rested and (not ride.stops or driven.back <= limits.end)


def layers(ride: Ride, driven: Driven, limits: Limits) -> Layers:
    """The arrays of one route."""
    count = len(ride.breaks)
    leave: list[list[int]] = [[]] * (count + 1)
    latest: list[list[int]] = [[]] * (count + 1)
    end = LATER_THAN_ALL
    for number in range(count, -1, -1):
        rest = None if number == count else ride.breaks[number]
        if rest is not None:
            end = rest_by(rest, limits.rests[number], end)
        later = leave[number + 1] if rest is not None else None
        last = limits.rests[number] if rest is not None else 0
        latest[number], leave[number] = _backward(ride, limits.windows, min(limits.end, end), rest, last, later)
    first = ride.route.frozen
    if not count:
        ready = [[ride.vehicle.available, *(times.departure for times in driven.times)]]
        return Layers(ready, leave, latest, first, limits.rests)
    return Layers(_forward(ride, driven, limits), leave, latest, first, limits.rests)


def as_they_lie(ride: Ride, driven: Driven, limits: Limits) -> tuple[list[int], list[int]]:
    """Departure from each node, and latest arrival at each node, with every break where the plan has it."""
    ready = [ride.vehicle.available, *(times.departure for times in driven.times)]
    for position, rest, begun in zip(ride.route.breaks, ride.rests, driven.rests, strict=False):
        if position < len(ready):
            ready[position] = begun + rest.seconds
    limit, latest = limits.end, [0] * (len(ride.stops) + 2)
    for node in range(len(ride.stops) + 1, -1, -1):
        if node <= len(ride.stops):
            limit = ride.leave_by(node, limit)
        for number in range(len(ride.route.breaks) - 1, -1, -1):
            if ride.route.breaks[number] == node:
                done = limit if node <= len(ride.stops) else LATER_THAN_ALL
                by = rest_by(ride.rests[number], limits.rests[number], done)
                limit = by if node <= len(ride.stops) else min(limit, by)
        if 0 < node <= len(ride.stops):
            limit = latest_start(limits.windows[node - 1], limit - ride.stops[node - 1].service)
        latest[node] = limit
    return ready, latest


def rest_by(rest: Break, latest: int, done: int) -> int:
    """The last second to begin resting so that it is over in time; NEVER when it cannot be."""
    start = min(latest, done - rest.seconds)
    return start if start >= rest.earliest else NEVER


def _backward(
    ride: Ride,
    windows: list[tuple[Window, ...]],
    end: int,
    rest: Break | None,
    last: int,
    later: list[int] | None,
) -> tuple[list[int], list[int]]:
    """Latest arrival per node and latest departure per node but the last, with so many breaks behind."""
    latest, leave, limit = [end], list[int](), end
    for node in range(len(ride.stops), -1, -1):
        limit = ride.leave_by(node, limit)
        if rest is not None and later is not None:
            limit = max(limit, rest_by(rest, last, later[node]))
        leave.append(limit)
        if node:
            limit = latest_start(windows[node - 1], limit - ride.stops[node - 1].service)
        latest.append(limit)
    latest.reverse()
    leave.reverse()
    return latest, leave


def _forward(ride: Ride, driven: Driven, limits: Limits) -> list[list[int]]:
    """Earliest departure per node and number of breaks behind, from the last frozen node on."""
    count, first = len(ride.breaks), ride.route.frozen
    ready = [[LATER_THAN_ALL] * (len(ride.stops) + 1) for _ in range(count + 1)]
    taken = sum(position < first for position in ride.route.breaks)
    ready[taken][first] = driven.times[first - 1].departure if first else ride.vehicle.available
    for node in range(first, len(ride.stops) + 1):
        for number in range(count + 1):
            if node > first:
                ready[number][node] = _served(ride, node, ready[number][node - 1], limits)
            if number and node >= first:
                rested = _rest(ride.breaks[number - 1], limits.rests[number - 1], ready[number - 1][node])
                ready[number][node] = min(ready[number][node], rested)
    return ready


def _served(ride: Ride, node: int, departure: int, limits: Limits) -> int:
    """Earliest departure from a node when leaving the one before it then."""
    if departure >= LATER_THAN_ALL:
        return LATER_THAN_ALL
    windows = limits.windows[node - 1]
    start = next_start(windows, ride.arrive(node - 1, departure))
    in_time = bool(windows) and start <= windows[-1][1]
    return start + ride.stops[node - 1].service if in_time else LATER_THAN_ALL


def _rest(rest: Break, latest: int, clock: int) -> int:
    start = max(clock, rest.earliest)
    return start + rest.seconds if start <= latest else LATER_THAN_ALL


def settled(ride: Ride, limits: Limits) -> tuple[Ride, Driven]:
    """The ride with its breaks where they stand, or, where they do not hold there, at the nearest place that does.

    A route that holds nowhere keeps its breaks; one that has none yet rests at the last node it reaches in time.
    """
    driven = ride.drive()
    if not ride.rests:
        return (ride, driven) if not ride.route.breaks else (ride.with_breaks(()), ride.with_breaks(()).drive())
    if keeps(ride, driven, limits):
        return ride, driven
    complete = len(ride.route.breaks) == len(ride.rests)
    positions = _nearest_that_hold(ride, driven, limits)
    if positions is None and complete:
        return ride, driven
    moved = ride.with_breaks(_last_in_time(ride, limits) if positions is None else positions)
    return moved, moved.drive()


def _nearest_that_hold(ride: Ride, driven: Driven, limits: Limits) -> list[int] | None:
    """For each break in turn the node nearest to where it stood from which all the rest can still hold."""
    if not _front_holds(ride, driven, limits):
        return None
    arrays = layers(ride, driven, limits)
    first, wanted = arrays.first, ride.route.breaks
    positions = [position for position in wanted if position < first]
    node, clock = first, arrays.ready[len(positions)][first]
    for number in range(len(positions), len(ride.rests)):
        if node > len(ride.stops):  # back home already, with the rest of the day to itself
            positions.append(node)
            continue
        aim = wanted[number] if number < len(wanted) else len(ride.stops) + 1
        options = _options(ride, arrays, limits, number, node, clock)
        if not options:
            return None
        node, clock = min(options, key=lambda option: (abs(option[0] - aim), option[0]))
        positions.append(node)
    return positions


def _front_holds(ride: Ride, driven: Driven, limits: Limits) -> bool:
    """Whether what cannot move any more, stops and breaks, is inside its limits."""
    frozen = ride.route.frozen
    stops = zip(limits.windows[:frozen], driven.times[:frozen], strict=True)
    rests = zip(ride.route.breaks, limits.rests, driven.rests, strict=False)
    return all(windows and times.start <= windows[-1][1] for windows, times in stops) and all(
        start <= latest for position, latest, start in rests if position < frozen
    )


def _options(ride: Ride, arrays: Layers, limits: Limits, number: int, node: int, clock: int) -> list[tuple[int, int]]:
    """(node, clock behind the break) of every place where this break holds, coming from a node at that time."""
    rest, latest = ride.rests[number], limits.rests[number]
    found: list[tuple[int, int]] = []
    while True:
        rested = _rest(rest, latest, clock)
        if rested <= arrays.leave[number + 1][node]:
            found.append((node, rested))
        if node == len(ride.stops):
            break
        node += 1
        clock = _served(ride, node, clock, limits)
    back = ride.arrive(node, clock) if clock < LATER_THAN_ALL else LATER_THAN_ALL
    if back <= arrays.latest[number][-1]:
        found.append((node + 1, back))
    return found


def _last_in_time(ride: Ride, limits: Limits) -> list[int]:
    """Every break at the last node that is left before it must have begun, however late the route is."""
    positions = [position for position in ride.route.breaks if position < ride.route.frozen]
    for number in range(len(positions), len(ride.rests)):
        lowest = max(positions[-1] if positions else 0, ride.route.frozen, int(ride.under_way))
        driven = ride.with_breaks(positions).drive()
        clocks = [ride.vehicle.available, *(times.departure for times in driven.times), driven.back]
        in_time = [node for node in range(lowest, len(clocks)) if clocks[node] <= limits.rests[number]]
        positions.append(in_time[-1] if in_time else lowest)
    return positions


def with_breaks(problem: Problem, solution: Solution) -> Solution:
    """The plan with every missing break put where it holds: for whoever made an order of stops without them."""
    return solution.replace(routes=tuple(placed(problem, route) for route in solution.routes))


def placed(problem: Problem, route: Route) -> Route:
    """The route with as many breaks as its van still has to take; as it is when it has them."""
    vehicle = problem.vehicle[route.vehicle]
    if len(route.breaks) == (len(vehicle.breaks) if route.stops and not vehicle.is_carrier else 0):
        return route
    ride = Ride.of(problem, route)
    return settled(ride, plain_limits(ride))[0].route


def stretched(limits: Sequence[int], starts: Sequence[int]) -> list[int]:
    """Last starts of breaks, as late as they are in the standing plan."""
    return [max(latest, starts[k]) if k < len(starts) else latest for k, latest in enumerate(limits)]
