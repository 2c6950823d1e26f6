"""The instant answer: where one more stop fits best, exactly, over all vans and positions, breaking nothing.

Cost is the price of `prices`: driving time, or money where there are tariffs; the choice weighs the stop's own wish as
well. An insertion is accepted only when the stop starts inside its own windows and promise, every stop behind it still
keeps its own, and van and driver keep theirs (load on the way, range, breaks, shift); what the standing plan is late
for already may stay so, but not become later.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.routing.planner.answers import Insertion, Refusal, found_at, hypothetical
from apps.routing.planner.approach import Approach, known_approach
from apps.routing.planner.eligible import barred, eligible
from apps.routing.planner.fitting import FAR, Fit, Ways, fits, refused_because, ways_in
from apps.routing.planner.intervals import intersect, permitted
from apps.routing.planner.merging import join, joined_tables
from apps.routing.planner.prices import minor_units, rates
from apps.routing.planner.problem import Problem, Stop, Window
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.timetable import RouteTable, Timetable
from apps.routing.planner.wishing import prices as wish_prices

__all__ = [
    "Candidate",
    "FrozenStop",
    "Insertion",
    "Refusal",
    "Timetable",
    "applied",
    "apply",
    "barred",
    "best_insertion",
    "change",
    "join",
    "least_late",
    "merged",
    "remove",
]


class FrozenStop(ValueError):
    """The stop may not be taken out any more."""


class Candidate:
    """One stop against one plan: what is the same for every window it may ask for is worked out once."""

    def __init__(self, timetable: Timetable, stop: Stop) -> None:
        self.timetable, self.stop, self.intervals = timetable, stop, permitted(stop)
        self.able, self.reason = eligible(timetable, stop)
        self.approach = known_approach(timetable, stop)
        self.ways = ways_in(timetable, stop, self.approach, self.able)

    def within(self, window: Window) -> Insertion | Refusal:
        """The cheapest place for the stop when its service has to start inside this window as well."""
        if self.stop.merge_key:
            return self.best(self.stop.replace(windows=intersect(self.stop.windows, window)))
        return self._cheapest(self.stop, intersect(self.intervals, window))

    def best(self, stop: Stop) -> Insertion | Refusal:
        """The cheapest place; the stop may differ from the first one in its windows and promise only."""
        intervals = permitted(stop)
        joined = best_merge(self.timetable, stop) if intervals else None
        return self._cheapest(stop, intervals) if joined is None else joined

    def _cheapest(self, stop: Stop, intervals: tuple[Window, ...]) -> Insertion | Refusal:
        if not intervals:
            return Refusal(Reason.CLOSED)
        if not self.able.any():
            return Refusal(self.reason)
        fit = fits(self.timetable, stop, intervals, self.approach, self.ways)
        return choose(self.timetable, stop, intervals, self.approach, self.ways, fit)


def best_insertion(timetable: Timetable, stop: Stop) -> Insertion | Refusal:
    """The cheapest place for a stop that is not in the plan; ties go to the first van and position."""
    return Candidate(timetable, stop).best(stop)


def change(timetable: Timetable, stop: Stop) -> tuple[Timetable, Insertion | Refusal]:
    """A stop of the plan asks for something else (another window or place in the matrix, more service).

    Returns the plan without it, and where its new form fits best there. Raises FrozenStop.
    """
    bare = remove(timetable, stop.id)
    van = timetable.vehicle_of.get(stop.id)
    if van is not None and not bare.tables[van].holds:  # roads where the detour is the faster way
        return bare, Refusal(Reason.OTHERS)
    return bare, best_insertion(bare, stop)


def remove(timetable: Timetable, stop_id: str) -> Timetable:
    """The plan without the stop. Raises FrozenStop when the van is already on its way there."""
    van = timetable.vehicle_of.get(stop_id)
    if van is not None:
        route = timetable.tables[van].route
        if stop_id in route.stops[: route.frozen]:
            raise FrozenStop(f"stop {stop_id} is frozen: the van is on its way")
    return timetable.without(stop_id)


def apply(solution: Solution, insertion: Insertion, stop: Stop) -> Solution:
    """The plan with the insertion made. A stop that joins another visit leaves the order as it is."""
    bare = solution.without(stop.id)
    route = bare.route.get(insertion.vehicle, Route(insertion.vehicle))
    if insertion.merge_into is None:
        route = route.inserted(insertion.position, stop.id)
    elif insertion.breaks is None:
        return bare
    return bare.with_route(route if insertion.breaks is None else route.replace(breaks=insertion.breaks))


def merged(problem: Problem, insertion: Insertion, stop: Stop) -> Problem:
    """The problem that goes with `apply`: the stop added, or joined with the visit it merges into."""
    if insertion.merge_into is None:
        return problem.with_stop(stop)
    return problem.without_stop(stop.id).with_stop(join(problem.stop[insertion.merge_into], stop))


def applied(timetable: Timetable, insertion: Insertion, stop: Stop) -> Timetable:
    """`apply` and `merged` at once, on the numbers: only the touched van is computed anew."""
    bare = timetable.without(stop.id)
    problem = merged(bare.problem, insertion, stop)
    route = bare.tables[insertion.vehicle].route
    if insertion.merge_into is None:
        route = route.inserted(insertion.position, stop.id)
    return bare.with_route(route if insertion.breaks is None else route.replace(breaks=insertion.breaks), problem)


def choose(
    timetable: Timetable, stop: Stop, intervals: tuple[Window, ...], approach: Approach, ways: Ways, fit: Fit
) -> Insertion | Refusal:
    """The cheapest gap that holds, or how far the best candidate came."""
    if not fit.holds.any():
        return Refusal(refused_because(ways, fit))
    number, price = cheapest(timetable, stop, intervals, approach, ways, fit)
    return found_at(timetable, number, stop, intervals, approach, fit, price)


def cheapest(
    timetable: Timetable, stop: Stop, intervals: tuple[Window, ...], approach: Approach, ways: Ways, fit: Fit
) -> tuple[int, int]:
    """Number and price of the cheapest row that holds (there is one); its own wish is weighed, and not in the price."""
    wish = wish_prices(timetable.problem, stop, intervals, fit.start)
    if wish is None:
        return _cheapest(timetable, stop, intervals, approach, ways, fit)
    wished = ways._replace(price=ways.price + wish)
    number, price = _cheapest(timetable, stop, intervals, approach, wished, fit)
    return number, price - int(wish[number])


def _cheapest(
    timetable: Timetable, stop: Stop, intervals: tuple[Window, ...], approach: Approach, ways: Ways, fit: Fit
) -> tuple[int, int]:
    """Overtime is worked out where it could matter."""
    price = np.where(fit.holds, ways.price, FAR)
    late = timetable.overtimers
    if late is None:
        number = int(np.argmin(price))
        return number, int(price[number])
    paid = np.maximum(late, 0)[timetable.gaps.van]
    floor = price - paid
    none_then = fit.onward <= timetable.gaps.calm  # whatever is paid now is saved
    calm = np.where(none_then | (late[timetable.gaps.van] < 0), floor, FAR)
    best = (int(calm.min()), int(np.argmin(calm)))
    for number in np.flatnonzero((calm == FAR) & (floor <= best[0]) & fit.holds).tolist():
        if int(floor[number]) <= best[0]:
            extra = added_overtime(timetable, number, stop, intervals, approach)
            best = min(best, (int(price[number]) + extra, number))
    return best[1], best[0]


def added_overtime(
    timetable: Timetable, number: int, stop: Stop, intervals: tuple[Window, ...], approach: Approach
) -> int:
    """Price of the overtime that inserting there adds to (or takes from) the van's day."""
    table = timetable.table_at(number)
    after = hypothetical(timetable, number, stop, intervals, approach)
    rate = rates(timetable.problem, table.vehicle).overtime
    return rate * (after.overtime - (table.overtime if table.used else 0))


def best_merge(timetable: Timetable, stop: Stop) -> Insertion | None:
    """The visit of the same merge key that the stop can join soonest, if any holds."""
    if not stop.merge_key:
        return None
    tables = [
        table
        for table in timetable.tables.values()
        if barred(timetable.problem, table, stop) in (None, Reason.MAX_STOPS)
    ]
    found = [
        _joining(timetable, table.vehicle.id, index, visit, table)
        for index, visit, table in joined_tables(tables, stop)
    ]
    return min(found, key=lambda insertion: insertion.start, default=None)


def _joining(timetable: Timetable, van: str, index: int, visit: Stop, after: RouteTable) -> Insertion:
    times, before = after.times[index], timetable.tables[van]
    price = rates(timetable.problem, after.vehicle)
    longer = after.stops[index].service - visit.service
    units = longer * price.service + (after.overtime - before.overtime) * price.overtime
    moved = None if after.route.breaks == before.route.breaks else after.route.breaks
    return Insertion(
        vehicle=van,
        position=index,
        added_seconds=0,
        added_metres=0,
        arrival=times.arrival,
        start=times.start,
        slack=after.slack(index),
        merge_into=visit.id,
        added_units=units,
        added_minor_units=minor_units(units) if timetable.problem.priced else 0,
        green=True,
        breaks=moved,
    )


def least_late(timetable: Timetable, stop: Stop) -> Insertion | Refusal:
    """Where a stop that fits nowhere does the least harm: a warm start for repair, never an answer to a customer.

    Harm is the stop's own lateness plus how far the tightest stop behind it is pushed over its limit.
    """
    able, reason = eligible(timetable, stop)
    intervals = permitted(stop) or stop.windows
    if not able.any() or not intervals:
        return Refusal(reason if not able.any() else Reason.CLOSED)
    approach = known_approach(timetable, stop)
    ways = ways_in(timetable, stop, approach, able)
    if not ways.may.any():
        return Refusal(ways.reason)
    fit = fits(timetable, stop, intervals, approach, ways, late=True)
    late = np.maximum(fit.start - intervals[-1][1], 0) + np.maximum(fit.onward - timetable.gaps.latest, 0)
    late[~ways.may] = FAR
    number = int(np.lexsort((ways.price, late))[0])
    found = found_at(timetable, number, stop, intervals, approach, fit, int(ways.price[number]))
    return dataclasses.replace(found, slack=0, late=int(late[number]))
