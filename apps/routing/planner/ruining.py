"""A day's plan without PyVRP: take neighbouring strings of stops out of the routes, put them back, keep what pays.

Slack induction by string removals (Christiaens and Vanden Berghe, 2020) on arrays: every gap of every route is tried
for a stop at once, so a Python process gets through some thousand plans a second. OR-Tools' own search of that kind
closes less than half as much of the gap in the same time, and its guided local search none of it.

It knows windows, loads, shifts, skills and prices of one kind of driving (`expresses`); everything else is OR-Tools'.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Pace
from apps.routing.planner.load import NO_LOAD
from apps.routing.planner.prices import rates, units_per_second
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.sheet import Manner, metres, seconds, suitable
from apps.routing.planner.solution import Route

type Numbers = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.bool_]
type Plan = list[list[int]]
"""Stops by number, per van."""

REMOVED: Final = 15
"""Stops taken out at once, on the mean."""

STRING: Final = 10
"""The longest string taken out of one route."""

SPLIT: Final = 0.5
"""How often a string keeps some stops in its middle, and how often one more."""

BLINK: Final = 0.01
"""How often a gap is overlooked: the best place for one stop is not the best for all."""

HOT: Final = 1.0
COLD: Final = 0.01
"""What a plan may be dearer than the one before, in mean legs: at the beginning and at the end."""

PER_SOLUTION: Final = 40
"""Removals for each solution, where only those are counted."""

_FAR: Final = 2**62
_SHUT: Final = -(2**62)
_DRAWN: Final = 1 << 18
_ROOM: Final = 5
"""Rows of the array of gaps before those of the room left for each load."""

_LOADS: Final = ("grams", "cubic_centimetres", "pieces")


def expresses(problem: Problem, stops: Sequence[Stop]) -> bool:
    """Whether it knows every constraint of the problem and every tariff; what pages show (`Stop.eta`) it does not."""
    vans = problem.vehicles
    plain = not any(
        van.is_carrier or van.started or van.breaks or van.overtime or van.first_range is not None for van in vans
    )
    alike = len({(Manner.of(problem, van, 0), rates(problem, van)) for van in vans}) == 1
    simple = all(len(permitted(stop)) == 1 and stop.takes == NO_LOAD and not stop.is_reload for stop in stops)
    simple = simple and not any(stop.pair for stop in stops)
    return plain and alike and simple and not problem.traffic and not any(stop.is_reload for stop in problem.stops)


def build_ruining(
    problem: Problem,
    stops: Sequence[Stop],
    start: Sequence[Route],
    outside: Mapping[str, int],
    pace: Pace,
    part: float,
    seed: int = 1,
) -> list[Route]:
    """Routes from those of `start`, better after a part of the time that is left; never dearer.

    `outside` is what leaving a stop out costs, in seconds of driving.
    """
    search = _Search(_Sheet(problem, stops, outside), start, seed)
    plan = search.run(pace, part)
    vans = problem.vehicles
    return [Route(van.id, tuple(stops[stop].id for stop in plan[number])) for number, van in enumerate(vans)]


class _Sheet:
    """The problem as arrays. A gap lies behind a stop (its number) or at a van's start (behind the stops' numbers)."""

    def __init__(self, problem: Problem, stops: Sequence[Stop], outside: Mapping[str, int]) -> None:
        vans = problem.vehicles
        self.stops, self.vans, self.count = stops, vans, len(stops)
        yards = dict.fromkeys(place for van in vans for place in (van.start, van.end))
        node = {place: self.count + number for number, place in enumerate(yards)}
        places = np.array([*(stop.location for stop in stops), *yards])
        self.starts, self.ends = [node[van.start] for van in vans], [node[van.end] for van in vans]
        service = np.array([stop.service for stop in stops] + [0] * len(yards))
        driving = seconds(problem, Manner.of(problem, vans[0], 0), places)
        self.leg: Numbers = np.ascontiguousarray(driving + service[:, None])
        rate, unit = rates(problem, vans[0]), units_per_second(problem)
        self.price, self.unit, self.opening = driving, unit, rate.start
        if problem.priced:
            self.price = driving * rate.second + metres(problem, vans[0].profile, places) * rate.metre
        before = np.array([*range(self.count), *self.starts])
        self.price = np.ascontiguousarray(self.price)
        self.leg_in = np.ascontiguousarray(self.leg[before, : self.count].T)
        self.price_in = np.ascontiguousarray(self.price[before, : self.count].T)
        windows = [permitted(stop)[0] for stop in stops]
        self.opens, self.closes = [opens for opens, _ in windows], [closes for _, closes in windows]
        self.left_out = [outside[stop.id] * unit for stop in stops]
        self.loads, self.rooms = self._amounts()
        barred = [np.array([not suitable(van, stop) for van in vans]) for stop in stops]
        self.barred = [one if one.any() else None for one in barred]
        self.alike = self._alike()
        near = self.price[: self.count, : self.count]
        self.near = [order.tolist() for order in np.argsort(near + near.T, axis=1, kind="stable")]

    def _amounts(self) -> tuple[Numbers, Numbers]:
        """What the stops need and the vans have, of whatever is not plenty for all."""
        needs = [[getattr(stop.brings, name) for stop in self.stops] for name in _LOADS]
        rooms = [[getattr(van.capacity, name) for van in self.vans] for name in _LOADS]
        needs.append([1] * self.count)
        rooms.append([self.count if van.max_stops is None else van.max_stops for van in self.vans])
        kept = [number for number in range(len(needs)) if sum(needs[number]) > min(rooms[number])]
        shape = len(kept)
        return (
            np.array([needs[number] for number in kept], dtype=np.int64).reshape(shape, self.count),
            np.array([rooms[number] for number in kept], dtype=np.int64).reshape(shape, len(self.vans)),
        )

    def _alike(self) -> list[list[int]]:
        """Vans between which there is nothing to choose while they stand still."""
        groups: dict[object, list[int]] = {}
        for number, van in enumerate(self.vans):
            able = tuple(bool(barred[number]) for barred in self.barred if barred is not None)
            key = (van.start, van.end, van.available, van.shift_end, tuple(self.rooms[:, number].tolist()), able)
            groups.setdefault(key, []).append(number)
        return list(groups.values())

    def orders(self) -> list[list[int]]:
        """Ranks of the stops by which they are put back: needy, far, near, narrow, early and late first."""
        far = self.price[self.starts[0], : self.count]
        need = self.loads.sum(axis=0) if len(self.loads) else np.zeros(self.count, dtype=np.int64)
        opens, closes = np.array(self.opens), np.array(self.closes)
        return [keys.tolist() for keys in (-need, -far, far, closes - opens, opens, -closes)]


class _Search:
    """One plan and the arrays over its gaps: what lies behind each, and when the van is there and must be there."""

    def __init__(self, sheet: _Sheet, start: Sequence[Route], seed: int) -> None:
        self.sheet = sheet
        self.dice = random.Random(seed)  # noqa: S311  a search, not a secret
        self.blinks = np.random.default_rng(seed).random(_DRAWN) < BLINK
        self.orders = sheet.orders()
        count, vans = sheet.count, len(sheet.vans)
        self._look(np.zeros((_ROOM + len(sheet.loads), count + vans), dtype=np.int64))
        self.late[:] = _SHUT
        self.van[count:] = range(vans)
        self.drive, self.cost = memoryview(sheet.leg), memoryview(sheet.price)
        self.needs = [(need.tolist(), rooms.tolist()) for need, rooms in zip(sheet.loads, sheet.rooms, strict=True)]
        self.group = {van: group for group in sheet.alike for van in group}
        self.plan: Plan = [[] for _ in sheet.vans]
        self.costs = [0] * vans
        self.total = 0
        self.absent = self._begin(start)

    def _begin(self, start: Sequence[Route]) -> list[int]:
        number = {stop.id: at for at, stop in enumerate(self.sheet.stops)}
        vans = {van.id: at for at, van in enumerate(self.sheet.vans)}
        for group in self.sheet.alike:
            self._show(group)
        for route in start:
            stops = [number[stop] for stop in route.stops if stop in number]
            if stops:
                self._drive(vans[route.vehicle], stops)
        placed = {stop for route in self.plan for stop in route}
        absent = [stop for stop in range(self.sheet.count) if stop not in placed]
        self.total += sum(self.sheet.left_out[stop] for stop in absent)
        return absent

    def _look(self, gaps: Numbers) -> None:
        """One array of a column per gap, so that a copy of it undoes a step, and names for its rows."""
        self.gaps = gaps
        self.after, self.early, self.late, self.arc, self.van = gaps[:_ROOM]
        self.room = gaps[_ROOM:]

    def run(self, pace: Pace, part: float) -> Plan:
        """The best plan met while the tolerance cools down."""
        best, least = self.plan.copy(), self.total
        legs = sum(self.costs) / max(1, self.sheet.count)
        whole, rounds = pace.left * part, 0
        most = None if pace.limit.solutions is None else pace.limit.solutions * PER_SOLUTION
        until, done, heat = pace.left - whole, 0.0, 0.0
        while True:
            if rounds % 16 == 0:
                timed = 1.0 - (pace.left - until) / whole if math.isfinite(whole) else 0.0
                done = max(timed, 0.0 if most is None else rounds / most)
                if done >= 1 or pace.tick(least // self.sheet.unit):
                    return best
                heat = legs * HOT * (COLD / HOT) ** done
            rounds += 1
            self._step(heat)
            if self.total < least:
                best, least = self.plan.copy(), self.total

    def _step(self, heat: float) -> None:
        """One ruin and one recreation; undone when it costs more than chance allows."""
        gaps, before = self.gaps.copy(), (self.plan.copy(), self.costs.copy(), self.total, self.absent)
        bearable = self.total - heat * math.log(1.0 - self.dice.random())
        out = self._ruin()
        self.absent = [stop for stop in self._ordered(out + self.absent) if not self._insert(stop)]
        missing = self.sheet.left_out
        self.total = sum(self.costs) + sum(missing[stop] for stop in self.absent)
        if self.total > bearable:
            self._look(gaps)
            self.plan, self.costs, self.total, self.absent = before

    def _ruin(self) -> list[int]:
        """Strings of stops around one drawn by lot, out of their routes."""
        dice, used = self.dice, sum(1 for route in self.plan if route)
        longest = min(STRING, (self.sheet.count - len(self.absent)) / max(1, used))
        strings = int(dice.uniform(1.0, 4 * REMOVED / (1 + longest)))
        out, met = list[int](), set[int]()
        missing = set(self.absent)
        for stop in self.sheet.near[dice.randrange(self.sheet.count)]:
            if len(met) >= strings:
                break
            if stop in missing or (van := int(self.van[stop])) in met:
                continue
            met.add(van)
            string = self._string(self.plan[van], stop, longest)
            gone = set(string)
            self.late[string] = _SHUT
            self._drive(van, [other for other in self.plan[van] if other not in gone])
            out += string
        return out

    def _string(self, route: list[int], stop: int, longest: float) -> list[int]:
        """Stops in a row around this one; sometimes some in the middle stay."""
        dice, size = self.dice, len(route)
        taken = int(dice.uniform(1.0, min(size, longest) + 1))
        spared = 0
        if dice.random() < SPLIT:
            while taken + spared < size and dice.random() < SPLIT:
                spared += 1
        at, whole = route.index(stop), min(size, taken + spared)
        first = dice.randint(max(0, at - whole + 1), min(at, size - whole))
        string = route[first : first + whole]
        hole = dice.randint(0, whole - spared)
        return string[:hole] + string[hole + spared :]

    def _ordered(self, stops: list[int]) -> list[int]:
        self.dice.shuffle(stops)
        chosen = self.dice.randrange(len(self.orders) + 3)
        return sorted(stops, key=self.orders[chosen].__getitem__) if chosen < len(self.orders) else stops

    def _insert(self, stop: int) -> bool:
        """Puts the stop where it costs least; False where it goes nowhere, or where leaving it out is cheaper."""
        sheet, gaps = self.sheet, len(self.after)
        time = sheet.leg_in[stop] + self.early
        np.maximum(time, sheet.opens[stop], out=time)
        wrong = time > sheet.closes[stop]
        time += sheet.leg[stop].take(self.after)
        wrong |= time > self.late
        for need, room in zip(sheet.loads, self.room, strict=True):
            wrong |= room < need[stop]
        barred = sheet.barred[stop]
        if barred is not None:
            wrong |= barred[self.van]
        drawn = self.dice.randrange(max(1, _DRAWN - gaps))
        wrong |= self.blinks[drawn : drawn + gaps]
        price = sheet.price_in[stop] + sheet.price[stop].take(self.after)
        price -= self.arc
        np.putmask(price, wrong, _FAR)
        gap = int(price.argmin())
        if price[gap] >= sheet.left_out[stop]:
            return False
        van = int(self.van[gap])
        route = self.plan[van]
        at = 0 if gap >= sheet.count else route.index(gap) + 1
        self._drive(van, [*route[:at], stop, *route[at:]])
        return True

    def _drive(self, van: int, route: list[int]) -> None:
        """The van's new route, and what that means for its gaps. Lists are never changed: others may keep them."""
        sheet, stood = self.sheet, not self.plan[van]
        self.plan[van] = route
        if not route:
            self.total -= self.costs[van]
            self.costs[van] = 0
            self._show(self.group[van])
            return
        drive, price = self.drive, self.cost
        ways = list(pairwise((sheet.starts[van], *route, sheet.ends[van])))
        arcs = [price[way] for way in ways]
        early, late = self._times(sheet.vans[van], route, [drive[way] for way in ways])
        size = len(ways)
        rooms = [[rooms[van] - sum([need[stop] for stop in route])] * size for need, rooms in self.needs]
        column = np.array([sheet.count + van, *route])
        rows: list[list[int]] = [[*route, sheet.ends[van]], early, late, arcs, [van] * size, *rooms]
        self.gaps[:, column] = np.array(rows)
        cost = sum(arcs) + sheet.opening
        self.total += cost - self.costs[van]
        self.costs[van] = cost
        if stood:
            self._show(self.group[van])

    def _times(self, van: Vehicle, route: list[int], legs: list[int]) -> tuple[list[int], list[int]]:
        """Per gap: the earliest start in front of it, the latest behind it."""
        opens, closes = self.sheet.opens, self.sheet.closes
        now = van.available
        early = [now]
        for stop, leg in zip(route, legs, strict=False):
            now = max(now + leg, opens[stop])
            early.append(now)
        now = van.shift_end
        late = [now]
        for stop, leg in zip(reversed(route), reversed(legs), strict=False):
            now = min(now - leg, closes[stop])
            late.append(now)
        late.reverse()
        return early, late

    def _show(self, group: list[int]) -> None:
        """Of vans that are alike and stand still, only the first is on offer."""
        sheet, shown = self.sheet, False
        for van in group:
            gap = sheet.count + van
            if self.plan[van]:
                continue
            self.late[gap] = _SHUT if shown else sheet.vans[van].shift_end
            if not shown:
                self.after[gap], self.early[gap] = sheet.ends[van], sheet.vans[van].available
                self.arc[gap] = -sheet.opening
                self.room[:, gap] = sheet.rooms[:, van]
            shown = True
