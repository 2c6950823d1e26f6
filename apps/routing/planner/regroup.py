"""A few vans of a standing plan solved anew, warm: what goes into the model, and whole plans out of what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from apps.routing.planner.cost import left_out, plan_cost
from apps.routing.planner.insertion import Insertion, Timetable, applied, best_insertion
from apps.routing.planner.limits import Limit, Policy
from apps.routing.planner.prices import rates, units_per_second
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.second_wave import inserted
from apps.routing.planner.sheet import reloads_of, suitable
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.tails import Tail, collected, tails, with_tails

MOST_EXTRA: Final = 30
"""Stops from outside that one model takes in."""


def warm_plans(
    problem: Problem, standing: Solution, vans: Sequence[str], limit: Limit, policy: Policy
) -> list[Solution] | None:
    """Whole plans with these vans solved anew, cheapest in the model first; None when it could not start."""
    from apps.routing.planner import ortools_model

    parts = tails(problem, standing, vans)
    if not parts:
        return None
    own = [stop for tail in parts for stop in tail.stops]
    extra = _extra(problem, standing, parts, own)
    outside = _outside(problem, own, extra, policy)
    soft = _overstepped(problem, standing, vans, policy)
    found = None
    for softly in (True,) if soft else (False, True):
        task = ortools_model.Task(collected(problem, parts), parts, extra, policy, outside, softly)
        found = ortools_model.improve_warm(task, limit)
        if found is not None:
            break
    if found is None:
        return None
    return [_whole(problem, standing, parts, routes) for routes in found]


def best_of(plans: Sequence[Solution], score: Callable[[Solution], int]) -> Solution:
    """The plan with the lowest score: the model's own price is only a guess of it."""
    return min(plans, key=score)


def _overstepped(problem: Problem, standing: Solution, vans: Sequence[str], policy: Policy) -> bool:
    """Whether hard limits would not let the standing plan in: it is late, or hours differ from their mean."""
    if any(problem.vehicle[van].profile in problem.traffic for van in vans):
        return True
    return plan_cost(problem, standing, policy, vans).late > 0


def _extra(problem: Problem, standing: Solution, parts: Sequence[Tail], own: Sequence[str]) -> tuple[str, ...]:
    """Stops on none of these vans that may join them: left out so far, at a carrier, or calls at the depot not used."""
    vans = [tail.vehicle for tail in parts]
    waiting = [stop for stop in standing.unserved if stop in problem.stop and not problem.stop[stop].is_reload]
    for route in standing.routes:
        if route.vehicle in problem.vehicle and problem.vehicle[route.vehicle].is_carrier:
            waiting += [stop for stop in route.stops[route.frozen :] if problem.stop[stop].loaded_on is None]
    may = [stop for stop in waiting if problem.stop[stop].windows and _may_join(vans, problem.stop[stop])]
    may = _nearest(problem, [problem.stop[stop] for stop in own], vans[0], may)
    may = [stop for stop in may if not (other := problem.stop[stop].pair) or other in may or other in own]
    names = [van.id for van in vans]
    frozen = {stop for tail in parts for stop in tail.frozen}
    calls = [call.id for call in reloads_of(problem, names) if call.id not in own and call.id not in frozen]
    return (*may, *calls)


def _nearest(problem: Problem, own: Sequence[Stop], van: Vehicle, stops: list[str]) -> list[str]:
    """Those of the waiting stops that lie nearest to the vans' own: a model full of others finds nothing."""
    if len(stops) <= MOST_EXTRA:
        return stops
    there = [problem.stop[stop].location for stop in stops]
    here = [stop.location for stop in own] or [van.start]
    way = problem.travel[van.profile].seconds[np.ix_(here, there)].min(axis=0)
    chosen = set(np.argsort(way, kind="stable")[:MOST_EXTRA].tolist())
    return [stop for number, stop in enumerate(stops) if number in chosen]


def _may_join(vans: Sequence[Vehicle], stop: Stop) -> bool:
    return any(suitable(van, stop) for van in vans)


def _outside(problem: Problem, own: Sequence[str], extra: Sequence[str], policy: Policy) -> dict[str, int]:
    """Prices of leaving stops off these vans. What is on their lists stays there, unless a carrier would take it."""
    carriers = [vehicle for vehicle in problem.vehicles if vehicle.is_carrier]
    unit = units_per_second(problem)
    found = {stop: left_out(policy, problem.stop[stop]) for stop in extra}
    for stop_id in (*own, *extra) if carriers else ():
        stop = problem.stop[stop_id]
        able = [c for c in carriers if stop.loaded_on is None and not stop.is_reload and suitable(c, stop)]
        if able:
            price = min(rates(problem, carrier).stop // unit for carrier in able)
            found[stop_id] = min(price, found.get(stop_id, price))
    return found


def _whole(problem: Problem, standing: Solution, parts: Sequence[Tail], routes: Sequence[tuple[str, ...]]) -> Solution:
    """The plan with these tails; what they gave up goes to a carrier, or is named."""
    plan = with_tails(problem, standing, zip(parts, routes, strict=True))
    served = plan.vehicle_of
    own = [stop for tail in parts for stop in tail.stops]
    missing = [stop for stop in own if stop not in served and not problem.stop[stop].is_reload]
    if missing:
        plan = _handed_over(problem, plan, missing)
    left = {
        stop.id: Reason.NOT_PLANNED for stop in problem.stops if stop.id not in plan.vehicle_of and not stop.is_reload
    }
    return plan.replace(unserved={**left, **plan.unserved}) if left else plan


def _handed_over(problem: Problem, plan: Solution, stops: Sequence[str]) -> Solution:
    timetable = Timetable.of(problem, plan)
    for stop_id in stops:
        stop = problem.stop[stop_id].replace(merge_key="")
        answer = best_insertion(timetable, stop)
        if isinstance(answer, Insertion):
            timetable = applied(timetable, answer, problem.stop[stop_id])
    return timetable.solution


def reinserted(problem: Problem, standing: Solution, changed: Sequence[str]) -> Solution:
    """The changed stops taken out, one by one, and put where they fit best now; nobody else is re-ordered."""
    timetable = Timetable.of(problem, standing)
    for stop_id in changed:
        stop = problem.stop.get(stop_id)
        van = timetable.vehicle_of.get(stop_id)
        if stop is None or stop.is_reload or (van is not None and _frozen(timetable.tables[van].route, stop_id)):
            continue
        bare = timetable.without(stop_id)
        if van is not None and not bare.tables[van].holds:
            continue  # roads where the detour is the faster way
        found = inserted(bare, stop.replace(merge_key=""))
        if isinstance(found, Timetable):
            timetable = found
    return timetable.solution


def _frozen(route: Route, stop: str) -> bool:
    return stop in route.stops[: route.frozen]
