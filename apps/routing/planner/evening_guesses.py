"""What moving stops from one van to another would save if times, room and skills allowed it: for all runs at once.

A run is a few stops in a row on one van. Its way into another route is the least detour over all gaps of that route.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.evenness import (
    NEIGHBOURS,
    deviations,
    links_of,
    shift_of,
    vans_of,
    work_of,
)
from apps.routing.planner.limits import Policy
from apps.routing.planner.prices import SPEED, rates, units_per_second
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.sheet import suitable
from apps.routing.planner.solution import Route
from apps.routing.planner.travel import UNREACHABLE

LONGEST: Final = 4
"""Stops of a run that moves as one."""

PARTNERS: Final = 20
"""Runs each way between two vans that are tried in exchange for each other."""

type Numbers = npt.NDArray[np.int64]
type Guesses = npt.NDArray[np.float64]
type Places = npt.NDArray[np.intp]
type Row = tuple[float, tuple[str, str], int, int]
"""Less the guess, the two vans, number of the run that goes and of the one that comes back (-1: none)."""


class Move(NamedTuple):
    """A run of stops from one van to another, and one that comes back for it."""

    stops: tuple[str, ...]
    source: str
    target: str
    back: tuple[str, ...]


class Way(NamedTuple):
    """Seconds of driving that each run adds to a route, and the node behind which its best gap lies."""

    seconds: Numbers
    gap: Places


class Runs:
    """The runs of one route that may move: all of up to `LONGEST` stops in a row behind the frozen ones."""

    def __init__(self, problem: Problem, route: Route) -> None:
        self.problem, self.route, self.vehicle = problem, route, problem.vehicle[route.vehicle]
        self.places = [self.vehicle.start, *(problem.stop[stop].location for stop in route.stops), self.vehicle.end]
        may = [number >= route.frozen and movable(problem.stop[stop]) for number, stop in enumerate(route.stops)]
        self.spans = [
            (first, last)
            for first in range(len(may))
            for last in range(first, min(first + LONGEST, len(may)))
            if all(may[first : last + 1])
        ]
        self.members = [route.stops[first : last + 1] for first, last in self.spans]
        self.first = np.array([first for first, _ in self.spans], dtype=np.intp)
        self.last = np.array([last for _, last in self.spans], dtype=np.intp)

    @cached_property
    def work(self) -> int:
        return work_of(self.problem, self.route)

    @cached_property
    def service(self) -> Numbers:
        return self.summed(np.array([self.problem.stop[stop].service for stop in self.route.stops], dtype=np.int64))

    @cached_property
    def saved(self) -> Numbers:
        """Seconds of driving without the run; node i+1 is stop i."""
        seconds, places = self._seconds(self.vehicle), np.array(self.places)
        legs = seconds[places[:-1], places[1:]].astype(np.int64)
        total = np.concatenate([[0], np.cumsum(legs)])
        past = seconds[places[self.first], places[self.last + 2]].astype(np.int64)
        found: Numbers = total[self.last + 2] - total[self.first] - past
        return found

    def into(self, other: Runs) -> Way:
        """What each run adds to another route at its best gap, and which that is."""
        seconds, places, theirs = self._seconds(other.vehicle), np.array(self.places), np.array(other.places)
        before, behind = theirs[other.route.frozen : -1], theirs[other.route.frozen + 1 :]
        first, last = places[self.first + 1], places[self.last + 1]
        there = seconds[np.ix_(before, first)].astype(np.int64)
        on = seconds[np.ix_(last, behind)].T.astype(np.int64)
        detours = there + on - seconds[before, behind].astype(np.int64)[:, None]
        gap = detours.argmin(axis=0)
        return Way(detours[gap, np.arange(gap.size)] + self._inside(other.vehicle), gap + other.route.frozen)

    def instead(self, own: Places, other: Runs, theirs: Places) -> Numbers:
        """What some runs add to another route in the very place of runs that leave it."""
        seconds, here, there = self._seconds(other.vehicle), np.array(self.places), np.array(other.places)
        first, last = here[self.first[own] + 1], here[self.last[own] + 1]
        before, behind = there[other.first[theirs]], there[other.last[theirs] + 2]
        way = seconds[before, first].astype(np.int64) + seconds[last, behind] - seconds[before, behind]
        found: Numbers = way + self._inside(other.vehicle)[own]
        return found

    def _inside(self, vehicle: Vehicle) -> Numbers:
        """Seconds of driving within each run, as that vehicle drives."""
        places = np.array(self.places)
        legs = self._seconds(vehicle)[places[:-1], places[1:]].astype(np.int64)
        total = np.concatenate([[0], np.cumsum(legs)])
        found: Numbers = total[self.last + 1] - total[self.first + 1]
        return found

    def summed(self, per_stop: Numbers) -> Numbers:
        """Per run, the sum over its stops."""
        total = np.concatenate([[0], np.cumsum(per_stop)])
        found: Numbers = total[self.last + 1] - total[self.first]
        return found

    def _seconds(self, vehicle: Vehicle) -> npt.NDArray[np.int32]:
        return self.problem.travel[vehicle.profile].seconds


def movable(stop: Stop) -> bool:
    """Whether it may change vans by itself."""
    return not stop.is_reload and stop.loaded_on is None and not stop.pair


class Flow(NamedTuple):
    """The runs of one van on their way to another: seconds saved but for the way there and the balance; `price` of it.

    `off` is the work that leaves with them.
    """

    saved: Guesses
    off: Numbers
    service: Numbers
    way: Way
    price: float

    def gain(self, way: Numbers, runs: Places | slice = slice(None)) -> Guesses:
        """Seconds saved but for the balance, with that way there."""
        found: Guesses = np.where(way < UNREACHABLE // 2, self.saved[runs] - self.price * way, -float(UNREACHABLE))
        return found


class Guesser:
    """All moves of a plan by what they would save; what a changed route does not touch is kept."""

    def __init__(self, problem: Problem, policy: Policy, routes: Sequence[Route]) -> None:
        self.problem, self.policy, self.links = problem, policy, links_of(problem)
        self.unit = units_per_second(problem)
        self.runs: dict[str, Runs] = {}
        self.inner: dict[str, Numbers] = {}
        self.ways: dict[tuple[str, str], Way] = {}
        self.changed(routes)

    def changed(self, routes: Sequence[Route]) -> None:
        """These routes are others now."""
        vans = {route.vehicle for route in routes}
        self.runs |= {route.vehicle: Runs(self.problem, route) for route in routes}
        self.inner |= {route.vehicle: self._inner(route) for route in routes}
        self.ways = {pair: way for pair, way in self.ways.items() if vans.isdisjoint(pair)}

    def moves(self) -> Iterator[Move]:
        """Moves that look worth it, best first: of one run, or of two that change places."""
        vans = list(self.runs)
        above = self._above(vans)
        flows = self._flows(vans)
        rows = [row for pair, flow in flows.items() for row in self._single(pair, flow, above)]
        for (one, other), flow in flows.items():
            if one < other:
                rows += self._exchanged((one, other), flow, flows[other, one], above)
        for _, (one, other), number, back in sorted(rows):
            stops = self.runs[one].members[number]
            returned = self.runs[other].members[back] if back >= 0 else ()
            if self._suit(other, stops) and self._suit(one, returned):
                yield Move(stops, one, other, returned)

    def _suit(self, van: str, stops: Sequence[str]) -> bool:
        return all(suitable(self.problem.vehicle[van], self.problem.stop[stop]) for stop in stops)

    def _single(self, pair: tuple[str, str], flow: Flow, above: Mapping[str, float]) -> list[Row]:
        way = flow.way.seconds
        guess = flow.gain(way) + self._evener(pair, above, way + flow.service, flow.off)
        return [(-float(guess[number]), pair, number, -1) for number in np.flatnonzero(guess > 0).tolist()]

    def _exchanged(self, pair: tuple[str, str], there: Flow, back: Flow, above: Mapping[str, float]) -> list[Row]:
        likely = (np.argsort(-flow.gain(flow.way.seconds), kind="stable")[:PARTNERS] for flow in (there, back))
        one, other = (grid.ravel() for grid in np.meshgrid(*likely, indexing="ij"))
        runs, theirs = self.runs[pair[0]], self.runs[pair[1]]
        out, home = _swapped(runs, one, theirs, other, there.way), _swapped(theirs, other, runs, one, back.way)
        on = out + there.service[one] - back.off[other]
        off = there.off[one] - home - back.service[other]
        guess = there.gain(out, one) + back.gain(home, other) + self._evener(pair, above, on, off)
        guess -= 2 * self.policy.overlap / NEIGHBOURS * self._mutual(pair, one, other)
        best = np.argsort(-guess, kind="stable")[:PARTNERS].tolist()
        return [(-float(guess[row]), pair, int(one[row]), int(other[row])) for row in best if guess[row] > 0]

    def _mutual(self, pair: tuple[str, str], one: Places, other: Places) -> Numbers:
        """Links between two runs that change places: both count them as gained, and they are not."""
        runs, theirs = self.runs[pair[0]], self.runs[pair[1]]
        links = self.links.between(self._numbers(runs.route), self._numbers(theirs.route))
        total = np.pad(links.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        top, bottom, left, right = runs.first[one], runs.last[one] + 1, theirs.first[other], theirs.last[other] + 1
        found: Numbers = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
        return found

    def _flows(self, vans: Sequence[str]) -> dict[tuple[str, str], Flow]:
        links = self._links_to(vans) if self.policy.overlap else {}
        return {
            (one, other): self._flow(one, other, links[one][:, target] - links[one][:, source] if links else None)
            for source, one in enumerate(vans)
            for target, other in enumerate(vans)
            if one != other
        }

    def _flow(self, one: str, other: str, nearer: Numbers | None) -> Flow:
        if (one, other) not in self.ways:
            self.ways[one, other] = self.runs[one].into(self.runs[other])
        runs, here, there = self.runs[one], self._price(one), self._price(other)
        saved = (here[0] * runs.saved - (there[1] - here[1]) * runs.service) / self.unit
        if nearer is not None:
            saved += self.policy.overlap / NEIGHBOURS * (runs.summed(nearer) + self.inner[one])
        way = self.ways[one, other]
        return Flow(saved, runs.saved + runs.service, runs.service, way, there[0] / self.unit)

    def _price(self, van: str) -> tuple[int, int]:
        """Units per second of driving and of service."""
        rate = rates(self.problem, self.problem.vehicle[van])
        return rate.second + rate.metre * SPEED, rate.service

    def _above(self, vans: Sequence[str]) -> dict[str, float]:
        shifts = [shift_of(self.problem.vehicle[van]) for van in vans]
        return dict(zip(vans, deviations([self.runs[van].work for van in vans], shifts), strict=True))

    def _evener(self, pair: tuple[str, str], above: Mapping[str, float], on: Numbers, off: Numbers) -> Guesses:
        """Seconds saved by sharing the work better, if so much came off the first van and on the second one."""
        giver, taker = above[pair[0]], above[pair[1]]
        squares = sum(each * each for each in above.values())
        after = squares - giver**2 - taker**2 + (giver - off) ** 2 + (taker + on) ** 2
        count = len(above)
        evener: Guesses = np.sqrt(count * squares) - np.sqrt(count * np.maximum(after, 0))
        return self.policy.uneven / 100 * evener

    def _links_to(self, vans: Sequence[str]) -> dict[str, Numbers]:
        """Of the stops of each van, in order: how many links each has to the stops of every van."""
        links, routes = self.links, [self.runs[van].route for van in vans]
        van_of = vans_of(links, routes)
        found = np.zeros((len(links.stops), len(vans)), dtype=np.int64)
        for one, other in ((links.one, links.other), (links.other, links.one)):
            served = van_of[other] >= 0
            np.add.at(found, (one[served], van_of[other[served]]), 1)
        return {route.vehicle: found[self._numbers(route)] for route in routes}

    def _numbers(self, route: Route) -> list[int]:
        """The stops' numbers among all; a call at the depot, which never moves, takes anybody's."""
        return [self.links.stops.get(stop, 0) for stop in route.stops]

    def _inner(self, route: Route) -> Numbers:
        """Per run, twice the links between its own stops: they move along."""
        numbers, spans = self._numbers(route), self.runs[route.vehicle].spans
        among = self.links.between(numbers, numbers)
        return np.array([int(among[a : b + 1, a : b + 1].sum()) for a, b in spans], dtype=np.int64)


def _swapped(runs: Runs, one: Places, theirs: Runs, other: Places, way: Way) -> Numbers:
    """Seconds that runs add to a route which other runs leave: at their best gap if it stays, or in place of those."""
    instead, gap = runs.instead(one, theirs, other), way.gap[one]
    goes = (gap >= theirs.first[other]) & (gap <= theirs.last[other] + 1)
    found: Numbers = np.where(goes, instead, np.minimum(way.seconds[one], instead))
    return found
