"""The instant answer for goods that are collected on the way: both stops into one van, exactly, over all positions.

Each gap that the collecting half can reach in time is tried with it in; behind it the other half goes where it costs
least and everything holds (`insertion.Candidate` knows order and load, see `halves`). The price is that of both, and an
answer for many windows keeps the routes with the first half.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from apps.routing.planner.approach import Approach, known_approach
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.eligible import RANK, Mask, barred, eligible
from apps.routing.planner.emissions import is_green
from apps.routing.planner.fitting import FAR, Fit, Ways, arrivals, fits, refused_because, ways_in
from apps.routing.planner.gaps import Gaps
from apps.routing.planner.insertion import Candidate, Insertion, Refusal
from apps.routing.planner.intervals import Instants, intersect, lateness, next_starts, permitted
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.prices import minor_units, rates
from apps.routing.planner.problem import NO_LOAD, Stop, Vehicle, Window
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.timetable import RouteTable, Timetable
from apps.routing.planner.travel import UNREACHABLE

FURTHER: Final = 24
"""Gaps that are looked at although a half does not hold there by itself: about two milliseconds each."""


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


class _Half(NamedTuple):
    """One half against the plan as if it stood alone and weighed nothing."""

    stop: Stop
    approach: Approach
    ways: Ways


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

    `collect.pair` and `bring.pair` name each other. A gap is looked at where each half would hold by itself: as long as
    no detour is the faster way, no other can take both. Where traffic may make it so, some more are looked at.
    """

    def __init__(self, timetable: Timetable, collect: Stop, bring: Stop) -> None:
        self.collect, self.bring = collect, bring
        problem = timetable.problem.with_stop(collect).with_stop(bring)
        self.timetable = dataclasses.replace(timetable, problem=problem)
        able, self.reason = eligible(self.timetable, bring)
        own = np.array([self._may(van) for van in self.timetable.vans], dtype=np.bool_)
        self.able = bool((able & own).any())
        if able.any():
            self.reason = Reason.COLLECTION
        self.first, self.second = (self._alone(half, able & own) for half in (collect, bring))
        opens, first = permitted(collect), self.first
        self.fit = fits(self.timetable, first.stop, opens, first.approach, first.ways) if opens and self.able else None
        self.next_to = None if self.fit is None else self._next_to(self.fit)
        self.known: dict[tuple[int, int], _Rest] = {}

    def best(self) -> PairInsertion | Refusal:
        """The cheapest places for both; ties go to the first van and positions."""
        return self.within((-(2**62), 2**62))

    def within(self, window: Window) -> PairInsertion | Refusal:
        """The cheapest places where the other half's service starts inside this window as well."""
        intervals = intersect(permitted(self.bring), window)
        if not intervals:
            return Refusal(Reason.CLOSED)
        if self.fit is None or self.next_to is None or not (self.first.ways.may & self.fit.in_time).any():
            return Refusal(Reason.COLLECTION if self.able else self.reason)
        likely, further, reason = self._gaps(intervals)
        stop = self.bring.replace(windows=intervals, promise=None)
        best: tuple[int, int, int, int] | None = None
        found: Insertion | None = None
        reasons: list[Reason] = []
        for gap in (*likely, *further):
            if best is not None and gap.floor > best[0]:
                continue
            rest, added = self._with(gap.van, gap.position)
            answer = rest.candidate.best(stop)
            if isinstance(answer, Refusal):
                reasons.append(answer.code)
                continue
            key = (gap.units + added + answer.added_units, gap.van, gap.position, answer.position)
            if best is None or key < best:
                best, found = key, answer
        if best is None or found is None:
            return Refusal(max(reasons, key=RANK.__getitem__, default=reason))
        return self._whole(best, found)

    def _alone(self, half: Stop, able: Mask) -> _Half:
        stop = half.replace(pair="", load=NO_LOAD, collects=True, merge_key="")
        approach = known_approach(self.timetable, stop)
        return _Half(stop, approach, ways_in(self.timetable, stop, approach, able))

    def _may(self, van: str) -> bool:
        """Whether the van may make the collecting half, and has stops left for both."""
        table = self.timetable.tables[van]
        most = table.most_customers
        if most is not None and table.customers + 2 > most:
            return False
        return barred(self.timetable.problem, table, self.collect) is None

    def _next_to(self, fit: Fit) -> tuple[Instants, Instants]:
        """By gap, when the van is at the other half if that comes right behind the first, and what that adds to it."""
        first, second, gaps = self.first, self.second, self.timetable.gaps
        tables = [self.timetable.tables[van] for van in self.timetable.vans]
        price = [rates(self.timetable.problem, table.vehicle) for table in tables]
        ways = np.array([self._way(table.vehicle) for table in tables], dtype=np.int64).reshape(-1, 2)[gaps.van]
        seconds = ways[:, 0] + second.approach.away - first.approach.away
        metres = ways[:, 1] + second.approach.away_metres - first.approach.away_metres
        rate = np.array([(each.second, each.metre, self.bring.service * each.service + each.stop) for each in price])
        rate = rate.reshape(-1, 3)[gaps.van]
        leaves = fit.start + self.collect.service
        may = first.ways.may & fit.in_time & (ways[:, 0] < UNREACHABLE)
        arrival = arrivals(self.timetable, first.approach.zone, leaves, ways[:, 0], may)
        units = np.where(may, seconds * rate[:, 0] + metres * rate[:, 1] + rate[:, 2], FAR)
        return arrival, units

    def _way(self, vehicle: Vehicle) -> tuple[int, int]:
        """Seconds and metres from one half to the other."""
        if vehicle.is_carrier:
            return UNREACHABLE, 0
        travel, leg = self.timetable.problem.travel[vehicle.profile], (self.collect.location, self.bring.location)
        seconds = int(travel.seconds[leg])
        slowed = -(-seconds * vehicle.slowdown_percent // 100) if seconds < UNREACHABLE else seconds
        return slowed, int(travel.metres[leg])

    def _gaps(self, intervals: tuple[Window, ...]) -> tuple[list[_Gap], list[_Gap], Reason]:
        """Gaps for the first half where both may hold, some more where only traffic may make it so, the cheapest for
        both first; and the reason where there is none.
        """
        first, second, gaps = self.first, self.second, self.timetable.gaps
        assert self.next_to is not None
        assert self.fit is not None
        fit = fits(self.timetable, second.stop, intervals, second.approach, second.ways)
        start, in_time = next_starts(intervals, self.next_to[0])
        tried = in_time & (self.next_to[1] < FAR)
        onward = arrivals(self.timetable, second.approach.zone, start + self.bring.service, second.approach.away, tried)
        next_to = np.where(tried & (onward <= gaps.latest), self.next_to[1], FAR)
        groups = _Groups(gaps)
        apart = groups.behind(np.where(fit.holds, second.ways.price, FAR))
        likely = groups.of(self, self.fit.holds, np.minimum(apart, groups.least(next_to)))
        further: list[_Gap] = []
        if self.timetable.problem.traffic:
            known = {gap[2:] for gap in likely}
            least = np.minimum(groups.behind(second.ways.price), groups.least(self.next_to[1]))
            every = groups.of(self, first.ways.may & self.fit.in_time, least)
            further = [gap for gap in every if gap[2:] not in known][:FURTHER]
        return likely, further, Reason.WINDOW if fit.holds.any() else refused_because(second.ways, fit)

    def paid(self, van: int) -> int:
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


class _Groups:
    """The rows of each gap together: a van with breaks has several."""

    def __init__(self, gaps: Gaps) -> None:
        other = (gaps.van[1:] != gaps.van[:-1]) | (gaps.position[1:] != gaps.position[:-1])
        self.starts = np.flatnonzero(np.concatenate(([True], other)))
        self.van, self.position = gaps.van[self.starts], gaps.position[self.starts]

    def least(self, values: Instants) -> Instants:
        found: Instants = np.minimum.reduceat(values, self.starts)
        return found

    def behind(self, values: Instants) -> Instants:
        """By gap, the least of the gaps behind it on the same van."""
        least, found = self.least(values), np.full(self.starts.size, FAR)
        for number in range(self.starts.size - 2, -1, -1):
            if self.van[number] == self.van[number + 1]:
                found[number] = min(found[number + 1], least[number + 1])
        return found

    def of(self, candidate: PairCandidate, holds: Mask, least: Instants) -> list[_Gap]:
        """The gaps that hold and where the other half has a place, the least price of both first."""
        units = self.least(candidate.first.ways.price)
        chosen = np.flatnonzero(np.logical_or.reduceat(holds, self.starts) & (least < FAR)).tolist()
        paid = [candidate.paid(van) for van in range(len(candidate.timetable.vans))]
        return sorted(
            _Gap(
                int(units[row]) + int(least[row]) - paid[int(self.van[row])],
                int(units[row]),
                int(self.van[row]),
                int(self.position[row]),
            )
            for row in chosen
        )


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
