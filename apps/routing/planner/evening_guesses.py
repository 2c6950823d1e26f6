"""What moving stops from one van to another would save if times, room and skills allowed it: for all runs at once.

A run is a few stops in a row on one van. Its way into another route is the least detour over all gaps of that route.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

type Numbers = npt.NDArray[np.int64]
type Guesses = npt.NDArray[np.float64]


class Move(NamedTuple):
    """A run of stops from one van to another; `back` changes places with it."""

    stops: tuple[str, ...]
    source: str
    target: str
    back: tuple[str, ...] = ()


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

    def into(self, other: Runs) -> Numbers:
        """Seconds of driving that each run adds to another route, at its best gap."""
        seconds, places, theirs = self._seconds(other.vehicle), np.array(self.places), np.array(other.places)
        before, behind = theirs[other.route.frozen : -1], theirs[other.route.frozen + 1 :]
        first, last = places[self.first + 1], places[self.last + 1]
        there = seconds[np.ix_(before, first)].astype(np.int64)
        on = seconds[np.ix_(last, behind)].T.astype(np.int64)
        detour = (there + on - seconds[before, behind].astype(np.int64)[:, None]).min(axis=0)
        legs = np.concatenate([[0], np.cumsum(seconds[places[:-1], places[1:]].astype(np.int64))])
        way: Numbers = detour + legs[self.last + 1] - legs[self.first + 1]
        return way

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


class Guesser:
    """All moves of a plan by what they would save; what a changed route does not touch is kept."""

    def __init__(self, problem: Problem, policy: Policy, routes: Sequence[Route]) -> None:
        self.problem, self.policy, self.links = problem, policy, links_of(problem)
        size = len(self.links.stops)
        self.linked = np.zeros((size, size), dtype=np.int8)
        np.add.at(self.linked, (self.links.one, self.links.other), 1)
        self.linked += self.linked.T
        self.runs = {route.vehicle: Runs(problem, route) for route in routes}
        self.inner = {route.vehicle: self._inner(route) for route in routes}
        self.ways: dict[tuple[str, str], Numbers] = {}

    def changed(self, routes: Sequence[Route]) -> None:
        """These routes are others now."""
        vans = {route.vehicle for route in routes}
        self.runs |= {route.vehicle: Runs(self.problem, route) for route in routes}
        self.inner |= {route.vehicle: self._inner(route) for route in routes}
        self.runs = {van: runs for van, runs in self.runs.items() if runs.route.stops}
        self.__dict__.pop("_guesses", None)
        self.ways = {pair: way for pair, way in self.ways.items() if vans.isdisjoint(pair)}

    def moves(self) -> Iterator[Move]:
        """Moves that look worth it, best first."""
        guesses, runs = self._guesses, self.runs
        rows = [
            (-float(guess[number]), pair, number)
            for pair, guess in guesses.items()
            for number in np.flatnonzero(guess > 0).tolist()
        ]
        for _, (source, target), number in sorted(rows):
            stops = runs[source].members[number]
            if all(suitable(self.problem.vehicle[target], self.problem.stop[stop]) for stop in stops):
                yield Move(stops, source, target)

    def partners(self, move: Move, count: int) -> list[Move]:
        """The same move in exchange for one stop of the other van, those first that would like it best."""
        runs, guess = self.runs[move.target], self._guesses[move.target, move.source]
        single = np.flatnonzero(runs.first == runs.last)
        order = single[np.argsort(-guess[single], kind="stable")][:count]
        return [move._replace(back=runs.members[number]) for number in order.tolist()]

    @cached_property
    def _guesses(self) -> dict[tuple[str, str], Guesses]:
        """Seconds saved by each run of the first van of a pair on the second one."""
        vans = list(self.runs)
        links = self._links_to(vans)
        shifts = [shift_of(self.problem.vehicle[van]) for van in vans]
        above = deviations([self.runs[van].work for van in vans], shifts)
        found: dict[tuple[str, str], Guesses] = {}
        for source, one in enumerate(vans):
            for target, other in enumerate(vans):
                if one != other and self.runs[one].members:
                    way = self._way(one, other)
                    gain = self._cheaper(one, other, way)
                    if self.policy.overlap:
                        nearer = self.runs[one].summed(links[one][:, target] - links[one][:, source])
                        gain += self.policy.overlap / NEIGHBOURS * (nearer + self.inner[one])
                    if self.policy.uneven:
                        gain += self.policy.uneven / 100 * self._evener(source, target, above, way)
                    found[one, other] = np.where(way < UNREACHABLE // 2, gain, -1.0)
        return found

    def _way(self, one: str, other: str) -> Numbers:
        if (one, other) not in self.ways:
            self.ways[one, other] = self.runs[one].into(self.runs[other])
        return self.ways[one, other]

    def _cheaper(self, one: str, other: str, way: Numbers) -> Guesses:
        """Seconds by which the plan's cost falls."""
        runs, here, there = self.runs[one], self._price(one), self._price(other)
        dearer = there[0] * way - here[0] * runs.saved + (there[1] - here[1]) * runs.service
        return -dearer / units_per_second(self.problem)

    def _price(self, van: str) -> tuple[int, int]:
        """Units per second of driving and of service."""
        rate = rates(self.problem, self.problem.vehicle[van])
        return rate.second + rate.metre * SPEED, rate.service

    def _evener(self, source: int, target: int, above: Sequence[float], way: Numbers) -> Guesses:
        """Seconds by which the working time becomes less uneven."""
        runs = list(self.runs.values())[source]
        count, squares = len(above), sum(each * each for each in above)
        giver, taker = above[source] - runs.saved - runs.service, above[target] + way + runs.service
        after = squares - above[source] ** 2 - above[target] ** 2 + giver**2 + taker**2
        evener: Guesses = np.sqrt(count * squares) - np.sqrt(count * np.maximum(after, 0))
        return evener

    def _links_to(self, vans: Sequence[str]) -> dict[str, Numbers]:
        """Of the stops of each van, in order: how many links each has to the stops of every van."""
        links = self.links
        routes = [self.runs[van].route for van in vans]
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
        among = self.linked[np.ix_(numbers, numbers)]
        return np.array([int(among[a : b + 1, a : b + 1].sum()) for a, b in spans], dtype=np.int64)
