"""The instant answer for goods that are collected on the way: both stops into one van, exactly, over all positions.

Each gap that the collecting half can reach in time is tried with it in; behind it the other half goes where it costs
least and everything holds (`insertion.Candidate` knows order and load, see `halves`). The price is that of both, and an
answer for many windows keeps the routes with the first half.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apps.routing.planner.approach import known_approach
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.eligible import RANK, barred, eligible
from apps.routing.planner.emissions import is_green
from apps.routing.planner.fitting import FAR, fits, prices_of, ways_in
from apps.routing.planner.insertion import Candidate, Insertion, Refusal
from apps.routing.planner.intervals import intersect, lateness, permitted
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.prices import minor_units, rates
from apps.routing.planner.problem import NO_LOAD, Stop, Window
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.timetable import RouteTable, Timetable


@dataclass(frozen=True, slots=True)
class PairInsertion:
    """Where both go: the collecting half before the stop now at `collected_at`; `brought` tells of the other half.

    `brought.position` counts with the first half in place, and what it adds is added by both.
    """

    collected_at: int
    brought: Insertion

    @property
    def vehicle(self) -> str:
        return self.brought.vehicle


class _Gap(NamedTuple):
    """A gap for the collecting half: the least price of both halves, its own price without overtime, where it is."""

    floor: int
    units: int
    van: int
    position: int


class _Rest:
    """The plan of one van with the collecting half in, and the other half against it."""

    def __init__(self, timetable: Timetable, bring: Stop) -> None:
        self.timetable = timetable
        self.candidate = Candidate(timetable, bring)
        (table,) = timetable.tables.values()
        if not table.vehicle.breaks:  # with breaks the arrays tell what can still be reached in time
            in_time = self.candidate.ways.may & (timetable.gaps.position <= _first_late(table))
            reason = Reason.OTHERS if self.candidate.ways.may.any() else self.candidate.ways.reason
            self.candidate.ways = self.candidate.ways._replace(may=in_time, reason=reason)


class PairCandidate:
    """Two halves against one plan that has neither; both places stand in the matrices.

    `collect.pair` and `bring.pair` name each other.
    """

    def __init__(self, timetable: Timetable, collect: Stop, bring: Stop) -> None:
        self.collect, self.bring = collect, bring
        problem = timetable.problem.with_stop(collect).with_stop(bring)
        self.timetable = dataclasses.replace(timetable, problem=problem)
        self.reason, self.gaps = self._gaps()
        self.known: dict[tuple[int, int], _Rest] = {}

    def best(self) -> PairInsertion | Refusal:
        return self.within((-(2**62), 2**62))

    def within(self, window: Window) -> PairInsertion | Refusal:
        """The cheapest places where the other half's service starts inside this window as well; ties go to the first
        van and positions.
        """
        intervals = intersect(permitted(self.bring), window)
        if not intervals:
            return Refusal(Reason.CLOSED)
        if not self.gaps:
            return Refusal(self.reason)
        stop = self.bring.replace(windows=intervals, promise=None)
        best: tuple[int, int, int, int] | None = None
        found: Insertion | None = None
        reasons: list[Reason] = []
        for gap in self.gaps:
            if best is not None and gap.floor > best[0]:
                break
            van, position = gap.van, gap.position
            rest, added = self._with(van, position)
            answer = rest.candidate.best(stop)
            if isinstance(answer, Refusal):
                reasons.append(answer.code)
                continue
            key = (gap.units + added + answer.added_units, van, position, answer.position)
            if best is None or key < best:
                best, found = key, answer
        if best is None or found is None:
            return Refusal(max(reasons, key=RANK.__getitem__))
        return self._whole(best, found)

    def _gaps(self) -> tuple[Reason, list[_Gap]]:
        """Where the collecting half may go, the cheapest for both first; the reason where it may go nowhere."""
        alone = self.collect.replace(pair="", load=NO_LOAD)
        intervals = permitted(alone)
        able, reason = eligible(self.timetable, self.bring)
        own = np.array([self._may(van) for van in self.timetable.vans], dtype=np.bool_)
        if not intervals or not (able & own).any():
            return (Reason.COLLECTION if able.any() else reason), []
        approach = known_approach(self.timetable, alone)
        ways = ways_in(self.timetable, alone, approach, able & own)
        fit = fits(self.timetable, alone, intervals, approach, ways)
        gaps, behind = self.timetable.gaps, self._least_behind()
        found: dict[tuple[int, int], _Gap] = {}
        for row in np.flatnonzero(ways.may & fit.in_time).tolist():
            van, position, units = int(gaps.van[row]), int(gaps.position[row]), int(ways.price[row])
            least = min(behind(van, position), self._next_to(van, int(gaps.after[row])))
            found.setdefault((van, position), _Gap(units + least - self._paid(van), units, van, position))
        return Reason.COLLECTION, sorted(found.values())

    def _may(self, van: str) -> bool:
        """Whether the van may make the collecting half, and has stops left for both."""
        table = self.timetable.tables[van]
        most = table.most_customers
        if most is not None and table.customers + 2 > most:
            return False
        return barred(self.timetable.problem, table, self.collect) is None

    def _least_behind(self) -> Callable[[int, int], int]:
        """The least price (without overtime) of the other half in a gap of a van behind a position."""
        approach, gaps = known_approach(self.timetable, self.bring), self.timetable.gaps
        price = prices_of(self.timetable, self.bring, approach)

        def least(van: int, position: int) -> int:
            return int(np.min(price, where=(gaps.van == van) & (gaps.position > position), initial=FAR))

        return least

    def _next_to(self, van: int, after: int) -> int:
        """The price of the other half right behind the first one."""
        vehicle, problem = self.timetable.tables[self.timetable.vans[van]].vehicle, self.timetable.problem
        price, travel = rates(problem, vehicle), problem.travel[vehicle.profile]
        way = [(self.collect.location, self.bring.location), (self.bring.location, after)]
        direct = self.collect.location, after
        slow = vehicle.slowdown_percent
        seconds = sum(-(-int(travel.seconds[leg]) * slow // 100) for leg in way)
        seconds -= -(-int(travel.seconds[direct]) * slow // 100)
        metres = sum(int(travel.metres[leg]) for leg in way) - int(travel.metres[direct])
        return seconds * price.second + metres * price.metre + self.bring.service * price.service + price.stop

    def _paid(self, van: int) -> int:
        """What the van's overtime costs now: a detour may be the faster way, and save no more than that."""
        table = self.timetable.tables[self.timetable.vans[van]]
        return rates(self.timetable.problem, table.vehicle).overtime * table.overtime

    def _with(self, van: int, position: int) -> tuple[_Rest, int]:
        """The van with the first half at that position, and the price of the overtime that this adds."""
        before = self.timetable.tables[self.timetable.vans[van]]
        if (van, position) not in self.known:
            one = self.timetable.only([before.vehicle.id])
            one = one.with_route(before.route.inserted(position, self.collect.id))
            self.known[van, position] = _Rest(one, self.bring)
        rest = self.known[van, position]
        after = rest.timetable.tables[before.vehicle.id]
        rate = rates(self.timetable.problem, before.vehicle).overtime
        return rest, rate * (after.overtime - (before.overtime if before.used else 0))

    def _whole(self, best: tuple[int, int, int, int], brought: Insertion) -> PairInsertion:
        """What both add together."""
        units, van, position, _other = best
        name = self.timetable.vans[van]
        before, rest = self.timetable.tables[name], self._with(van, position)[0]
        was = plan_cost(self.timetable.problem, Solution((before.route,)), PLAIN)
        now = plan_cost(self.timetable.problem, Solution((rest.timetable.tables[name].route,)), PLAIN)
        metres = brought.added_metres + now.metres - was.metres
        grams = brought.added_grams_co2e + now.grams_co2e - was.grams_co2e
        both = dataclasses.replace(
            brought,
            added_seconds=brought.added_seconds + now.driving - was.driving,
            added_metres=metres,
            added_grams_co2e=grams,
            added_units=units,
            added_minor_units=minor_units(units) if self.timetable.problem.priced else 0,
            green=is_green(before.vehicle, before.route, metres, grams),
        )
        return PairInsertion(position, both)


def _first_late(table: RouteTable) -> int:
    """Index of the first stop that the collecting half makes late; behind the last when it makes none so."""
    each = enumerate(zip(table.limits.windows, table.times, strict=True))
    return next((index for index, (windows, at) in each if lateness(windows, at.start)), len(table.stops))


def best_pair(timetable: Timetable, collect: Stop, bring: Stop) -> PairInsertion | Refusal:
    """The cheapest places for two halves that are not in the plan, with everything in it kept."""
    return PairCandidate(timetable, collect, bring).best()


def applied_pair(timetable: Timetable, found: PairInsertion, collect: Stop, bring: Stop) -> Timetable:
    """The plan with both halves in."""
    bare = timetable.without(collect.id).without(bring.id)
    problem = bare.problem.with_stop(collect).with_stop(bring)
    route = bare.tables[found.vehicle].route.inserted(found.collected_at, collect.id)
    route = route.inserted(found.brought.position, bring.id)
    breaks = found.brought.breaks
    return bare.with_route(route if breaks is None else route.replace(breaks=breaks), problem)


def inserted_pair(timetable: Timetable, half: Stop) -> Timetable | Refusal:
    """The plan with the pair of which this is a half, where it fits best; both stand in the problem."""
    other = timetable.problem.stop.get(half.pair)
    if other is None:
        return Refusal(Reason.COLLECTION)
    collect, bring = (half, other) if half.collects else (other, half)
    found = best_pair(timetable, collect, bring)
    return found if isinstance(found, Refusal) else applied_pair(timetable, found, collect, bring)
