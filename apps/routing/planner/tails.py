"""What a solver may still change: each chosen van from the end of its frozen stops on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from apps.routing.planner.breaks import with_breaks
from apps.routing.planner.eta import roll_forward
from apps.routing.planner.problem import NO_LOAD, Break, Load, Problem, Stop, Vehicle
from apps.routing.planner.solution import Route, Solution


@dataclass(frozen=True, slots=True)
class Tail:
    """One van behind its frozen stops: where and when it is free, what room is left, which stops are its own now.

    - `room`: what it can take besides the frozen stops' parcels; `collected`: what it has taken along since its last
      call at the depot.
    - `metres`: what is left of its range; None: no limit. `most`: customers it may still serve; None: no limit.
    - `rested`: positions of the breaks that lie before the end of the frozen stops; `rests`: those still to come.
    """

    vehicle: Vehicle
    frozen: tuple[str, ...]
    start: int
    ready: int
    room: Load
    stops: tuple[str, ...]
    collected: Load = NO_LOAD
    metres: int | None = None
    most: int | None = None
    rested: tuple[int, ...] = ()
    rests: tuple[Break, ...] = ()
    called: bool = False

    @property
    def out(self) -> bool:
        """Whether the van drives home even without another stop."""
        return self.vehicle.started or bool(self.frozen)

    @property
    def away(self) -> bool:
        """Whether it has left the depot for good unless it calls there again."""
        return self.vehicle.started and not self.called


def tails(problem: Problem, standing: Solution, vans: Iterable[str]) -> list[Tail]:
    """The tails of these vans, in the order given; carriers have none."""
    own = [van for van in vans if not problem.vehicle[van].is_carrier]
    return [_tail(problem, standing.route.get(van, Route(van))) for van in own]


def collected(problem: Problem, parts: Iterable[Tail]) -> Problem:
    """The problem as it is behind the frozen stops: what is collected at one of them is on board from then on."""
    halves = ((problem.stop[stop].pair, part) for part in parts for stop in part.frozen)
    on_board = {other: part.vehicle.id for other, part in halves if other in part.stops}
    if not on_board:
        return problem
    return problem.replace(stops=tuple(_on_board(stop, on_board) for stop in problem.stops))


def _on_board(stop: Stop, on_board: Mapping[str, str]) -> Stop:
    if stop.id in on_board:
        return stop.replace(pair="", loaded_on=on_board[stop.id])
    return stop.replace(pair="", load=NO_LOAD) if stop.pair in on_board else stop


def with_tails(problem: Problem, standing: Solution, parts: Iterable[tuple[Tail, tuple[str, ...]]]) -> Solution:
    """The standing plan with new stops behind the frozen ones of these vans, and their breaks placed anew.

    A stop that is served now is not unserved, nor on a route outside these vans.
    """
    parts = list(parts)
    served = {stop for _, stops in parts for stop in stops}
    vans = {tail.vehicle.id for tail, _ in parts}
    plan = standing
    for route in standing.routes:
        for stop in route.stops if route.vehicle not in vans else ():
            if stop in served:
                plan = plan.with_route(plan.route[route.vehicle].removed(stop))
    for tail, stops in parts:
        whole = (*tail.frozen, *stops)
        kept = standing.route.get(tail.vehicle.id)
        if kept is None or kept.stops != whole:
            plan = plan.with_route(Route(tail.vehicle.id, whole, len(tail.frozen), tail.rested if whole else ()))
    unserved = {stop: reason for stop, reason in plan.unserved.items() if stop not in served}
    return with_breaks(problem, plan.replace(unserved=unserved))


def _tail(problem: Problem, route: Route) -> Tail:
    vehicle = problem.vehicle[route.vehicle]
    frozen, free = route.stops[: route.frozen], route.stops[route.frozen :]
    start, ready = vehicle.start, vehicle.available
    if frozen:
        start = problem.stop[frozen[-1]].location
        ready = roll_forward(problem, route)[route.frozen - 1].departure
    done = [problem.stop[stop] for stop in frozen]
    call = max((number for number, stop in enumerate(done) if stop.is_reload), default=-1)
    since = done[call + 1 :]
    rested = tuple(position for position in route.breaks if position < route.frozen)
    customers = sum(not stop.is_reload for stop in done)
    return Tail(
        vehicle,
        frozen,
        start,
        ready,
        _less(vehicle.capacity, [stop.brings for stop in since]),
        free,
        collected=sum((stop.takes for stop in since), NO_LOAD),
        metres=_range_left(problem, vehicle, done, call),
        most=None if vehicle.max_stops is None else max(0, vehicle.max_stops - customers),
        rested=rested,
        rests=vehicle.breaks[len(rested) :],
        called=call >= 0,
    )


def _range_left(problem: Problem, vehicle: Vehicle, done: list[Stop], call: int) -> int | None:
    full = vehicle.first_range if call < 0 else vehicle.range_metres
    if full is None:
        return None
    places = [vehicle.start, *(stop.location for stop in done)][call + 1 :]
    return full - sum(problem.metres(vehicle.profile, a, b) for a, b in pairwise(places))


def _less(room: Load, taken: list[Load]) -> Load:
    return Load(
        max(0, room.grams - sum(load.grams for load in taken)),
        max(0, room.cubic_centimetres - sum(load.cubic_centimetres for load in taken)),
        max(0, room.pieces - sum(load.pieces for load in taken)),
    )
