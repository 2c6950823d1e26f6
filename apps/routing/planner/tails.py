"""What a solver may still change: each chosen van from the end of its frozen stops on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.routing.planner.eta import roll_forward
from apps.routing.planner.problem import Load, Problem, Vehicle
from apps.routing.planner.solution import Route, Solution


@dataclass(frozen=True, slots=True)
class Tail:
    """One van behind its frozen stops: where and when it is free, what room is left, which stops are its own now."""

    vehicle: Vehicle
    frozen: tuple[str, ...]
    start: int
    ready: int
    room: Load
    stops: tuple[str, ...]

    @property
    def out(self) -> bool:
        """Whether the van drives home even without another stop."""
        return self.vehicle.started or bool(self.frozen)


def tails(problem: Problem, standing: Solution, vans: Iterable[str]) -> list[Tail]:
    """The tails of these vans, in the order given."""
    return [_tail(problem, standing.route.get(van, Route(van))) for van in vans]


def with_tails(standing: Solution, parts: Iterable[tuple[Tail, tuple[str, ...]]]) -> Solution:
    """The standing plan with new stops behind the frozen ones of these vans; what is served now is not unserved."""
    plan = standing
    served: set[str] = set()
    for tail, stops in parts:
        plan = plan.with_route(Route(tail.vehicle.id, (*tail.frozen, *stops), len(tail.frozen)))
        served |= set(stops)
    unserved = {stop: reason for stop, reason in plan.unserved.items() if stop not in served}
    return plan.replace(unserved=unserved)


def _tail(problem: Problem, route: Route) -> Tail:
    vehicle = problem.vehicle[route.vehicle]
    frozen, free = route.stops[: route.frozen], route.stops[route.frozen :]
    start, ready = vehicle.start, vehicle.available
    if frozen:
        start = problem.stop[frozen[-1]].location
        ready = roll_forward(problem, route)[route.frozen - 1].departure
    carried = [problem.stop[stop].load for stop in frozen]
    room = Load(
        max(0, vehicle.capacity.grams - sum(load.grams for load in carried)),
        max(0, vehicle.capacity.cubic_centimetres - sum(load.cubic_centimetres for load in carried)),
        max(0, vehicle.capacity.pieces - sum(load.pieces for load in carried)),
    )
    return Tail(vehicle, frozen, start, ready, room, free)
