"""What a plan costs under a policy, simulated as it will be driven.

`total` is one whole number in seconds of driving. Without tariffs it counts the seconds driven on the free road and the
overtime; with tariffs it counts money, turned into seconds at what a second of driving costs the own vans on the mean
(`prices.units_per_second`), so that a policy's weights keep their meaning. Traffic decides when a van arrives, not what
its way costs. A start outside a wish costs what the policy says (`wishing`). How evenly the vans share the day counts
where the policy minds it, always for the whole plan. The price of one more stop (`insertion`) is the difference of the
sum without all that, before it is turned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.routing.planner.breaks import placed
from apps.routing.planner.emissions import route_grams
from apps.routing.planner.eta import roll_forward
from apps.routing.planner.evenness import Evenness, evenness
from apps.routing.planner.intervals import lateness
from apps.routing.planner.limits import Policy
from apps.routing.planner.prices import minor_units, rates, units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.ride import Ride, along
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.wishing import outside


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds driven, late, outside what pages show, outside wishes (`wished`), stops left out; `total` weighs them.

    `units` is the price before it is turned into seconds, `minor_units` the same as money (0 without tariffs).
    """

    driving: int
    late: int
    moved: int
    dropped: int
    total: int
    metres: int = 0
    overtime: int = 0
    units: int = 0
    minor_units: int = 0
    grams_co2e: int = 0
    even: Evenness | None = None
    """Where the policy minds it."""
    wished: int = 0


def plan_cost(problem: Problem, solution: Solution, policy: Policy, vans: Iterable[str] | None = None) -> Cost:
    """The cost of a plan, or of some vans of it."""
    chosen = None if vans is None else set(vans)
    routes = [route for route in solution.routes if chosen is None or route.vehicle in chosen]
    parts = [_route_cost(problem, route) for route in routes]
    left = [
        problem.stop[stop] for stop in solution.unserved if stop in problem.stop and not problem.stop[stop].is_reload
    ]
    driving, late, moved, metres, overtime, units, wished = (sum(part[column] for part in parts) for column in range(7))
    total = units // units_per_second(problem) + late * policy.late_per_second
    total += moved * policy.moved_per_minute // 60 + sum(left_out(policy, stop) for stop in left)
    total += wished * policy.wish_per_minute // 60
    even = evenness(problem, solution) if policy.evens else None
    total += even.price(policy) if even is not None else 0
    return Cost(
        driving,
        late,
        moved,
        len(left),
        total,
        metres=metres,
        overtime=overtime,
        units=units,
        minor_units=minor_units(units) if problem.priced else 0,
        grams_co2e=sum(route_grams(problem, route) for route in routes),
        even=even,
        wished=wished,
    )


def left_out(policy: Policy, stop: Stop) -> int:
    """What leaving a stop out costs: the more, the higher its priority."""
    return policy.dropped * (1 + stop.priority)


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


def _route_cost(problem: Problem, route: Route) -> tuple[int, int, int, int, int, int, int]:
    """Driving, lateness, seconds moved, metres, overtime, units, seconds outside wishes."""
    vehicle = problem.vehicle[route.vehicle]
    if not route.stops and not vehicle.started:
        return 0, 0, 0, 0, 0, 0, 0
    ride = Ride.of(problem, placed(problem, route))
    driven = ride.drive()
    late = moved = wished = 0
    for stop, windows, at in zip(ride.stops, ride.windows, driven.times, strict=True):
        late += lateness(windows, at.start)
        if stop.eta is not None:
            moved += max(0, stop.eta[0] - at.start, at.start - stop.eta[1])
        wished += outside(stop, at.start)
    overtime, metres = 0, 0
    if not vehicle.is_carrier:
        late += sum(max(0, at - rest.latest) for at, rest in zip(driven.rests, ride.rests, strict=False))
        late += max(0, driven.back - vehicle.last_return)
        overtime = min(max(0, driven.back - vehicle.shift_end), vehicle.overtime)
        metres = sum(along(problem.travel[vehicle.profile].metres, ride.locations))
    driving = sum(ride.legs)
    return driving, late, moved, metres, overtime, _units(problem, ride, driving, metres, overtime), wished


def _units(problem: Problem, ride: Ride, driving: int, metres: int, overtime: int) -> int:
    price = rates(problem, ride.vehicle)
    customers = sum(not stop.is_reload for stop in ride.stops)
    service = sum(stop.service for stop in ride.stops)
    units = driving * price.second + service * price.service + metres * price.metre + overtime * price.overtime
    return units + customers * price.stop + (price.start if ride.stops or ride.vehicle.started else 0)
