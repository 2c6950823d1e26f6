"""Second loads where they pay: a van that may call at its depot again takes over what costs other vans more.

A solver that moves one stop at a time hardly finds them: the call alone only costs. Here it is put in where it costs
least, and stops come over from other routes (or from nowhere) one by one, the one that saves most first, for as long as
that saves anything; it stays when all of it together does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

from apps.routing.planner.breaks import placed
from apps.routing.planner.cost import left_out, plan_cost
from apps.routing.planner.insertion import Insertion, applied, best_insertion
from apps.routing.planner.limits import PLAIN, Pace
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.second_wave import detours, in_range
from apps.routing.planner.sheet import reloads_of, suitable
from apps.routing.planner.solution import Solution
from apps.routing.planner.timetable import Timetable

PLACES: Final = 2
"""Places in the route that a call is tried in, those with the least detour."""


def with_waves(problem: Problem, plan: Solution, pace: Pace) -> Solution:
    """The plan with every call at a depot that makes it cheaper; never a dearer one."""
    timetable, tried_in_vain = Timetable.of(problem, plan), set[str]()
    for call in reloads_of(problem, list(timetable.tables)):
        van = str(call.reload_of)
        if call.id in timetable.vehicle_of or van in tried_in_vain or not timetable.tables[van].route.stops:
            continue
        if pace.tick():
            break
        better = _with_wave(timetable, call, pace)
        if better is None:
            tried_in_vain.add(van)
        else:
            timetable = better
    return timetable.solution


def _with_wave(timetable: Timetable, call: Stop, pace: Pace) -> Timetable | None:
    van, most, best = str(call.reload_of), 0, None
    before = _units(timetable, van)
    for _detour, position in sorted(detours(timetable, timetable.tables[van], call))[:PLACES]:
        route = timetable.tables[van].route.inserted(position, call.id)
        called = timetable.with_route(placed(timetable.problem, route))
        if not called.tables[van].holds or not in_range(called.tables[van]):
            continue
        filled, saved = _filled(called, van, pace)
        saved -= _units(called, van) - before
        if saved > most:
            most, best = saved, filled
    return best


def _filled(timetable: Timetable, van: str, pace: Pace) -> tuple[Timetable, int]:
    """The van with what pays to come over, and what that saves, in units of `prices`."""
    total, queue = 0, list[tuple[int, str]]()
    for stop in _others(timetable, van):
        if pace.over:
            break
        if (saving := _saving(timetable, van, stop)) > 0:
            heapq.heappush(queue, (-saving, stop.id))
    while queue and not pace.tick():
        known, name = heapq.heappop(queue)
        stop = timetable.problem.stop[name]
        saving = _saving(timetable, van, stop)
        if saving <= 0:
            continue
        if saving < -known and queue and saving < -queue[0][0]:  # less than it was: another one may save more
            heapq.heappush(queue, (-saving, name))
            continue
        bare = timetable.without(name)
        answer = best_insertion(bare.only([van]), stop.replace(merge_key=""))
        if isinstance(answer, Insertion):
            timetable, total = applied(bare, answer, stop), total + saving
    return timetable, total


def _others(timetable: Timetable, van: str) -> Iterator[Stop]:
    """What this van might take over: what lies at the depot still and is nobody's next stop."""
    vehicle = timetable.tables[van].vehicle
    for stop in timetable.problem.stops:
        other = timetable.vehicle_of.get(stop.id)
        if stop.is_reload or stop.pair or stop.loaded_on is not None or other == van or not suitable(vehicle, stop):
            continue
        if other is not None:
            route = timetable.tables[other].route
            if stop.id in route.stops[: route.frozen]:
                continue
        yield stop


def _saving(timetable: Timetable, van: str, stop: Stop) -> int:
    """What the plan costs less when the van takes the stop over; 0 when it cannot."""
    answer = best_insertion(timetable.only([van]), stop.replace(merge_key=""))
    if not isinstance(answer, Insertion):
        return 0
    other = timetable.vehicle_of.get(stop.id)
    if other is None:
        return left_out(PLAIN, stop) * units_per_second(timetable.problem) - answer.added_units
    bare = timetable.without(stop.id)
    if not bare.tables[other].holds:
        return 0
    return _units(timetable, other) - _units(bare, other) - answer.added_units


def _units(timetable: Timetable, van: str) -> int:
    return plan_cost(timetable.problem, timetable.solution, PLAIN, [van]).units
