"""What a plan costs under a policy, in seconds of driving, simulated as it will be driven."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.routing.planner.eta import roll_forward
from apps.routing.planner.intervals import lateness, permitted
from apps.routing.planner.limits import Policy
from apps.routing.planner.problem import Problem
from apps.routing.planner.solution import Route, Solution


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds driven, seconds late, seconds outside what pages show, stops left out; `total` weighs them."""

    driving: int
    late: int
    moved: int
    dropped: int
    total: int


def plan_cost(problem: Problem, solution: Solution, policy: Policy, vans: Iterable[str] | None = None) -> Cost:
    """The cost of a plan, or of some vans of it."""
    chosen = None if vans is None else set(vans)
    driving = late = moved = 0
    for route in solution.routes:
        if chosen is None or route.vehicle in chosen:
            of_route = _route_cost(problem, route)
            driving, late, moved = driving + of_route[0], late + of_route[1], moved + of_route[2]
    dropped = len(solution.unserved)
    total = driving + late * policy.late_per_second + moved * policy.moved_per_minute // 60 + dropped * policy.dropped
    return Cost(driving, late, moved, dropped, total)


def starts(problem: Problem, solution: Solution) -> dict[str, int]:
    """Simulated service start of every stop served."""
    return {
        stop: times.start
        for route in solution.routes
        for stop, times in zip(route.stops, roll_forward(problem, route), strict=True)
    }


def moved_over(before: dict[str, int], after: dict[str, int], seconds: int) -> int:
    """How many stops start more than this earlier or later than before."""
    return sum(abs(start - before[stop]) > seconds for stop, start in after.items() if stop in before)


def _route_cost(problem: Problem, route: Route) -> tuple[int, int, int]:
    vehicle = problem.vehicle[route.vehicle]
    if not route.stops and not vehicle.started:
        return 0, 0, 0
    stops = [problem.stop[stop_id] for stop_id in route.stops]
    places = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
    seconds = problem.travel[vehicle.profile].seconds
    legs = seconds[places[:-1], places[1:]].tolist()
    times = roll_forward(problem, route)
    late = moved = 0
    for stop, at in zip(stops, times, strict=True):
        late += lateness(permitted(stop), at.start)
        if stop.eta is not None:
            moved += max(0, stop.eta[0] - at.start, at.start - stop.eta[1])
    back = (times[-1].departure if times else vehicle.available) + legs[-1]
    return sum(legs), late + max(0, back - vehicle.shift_end), moved
