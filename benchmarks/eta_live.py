"""A van under way as the product sees it at one instant: roll-forward, quantiles; and the naive baseline beside it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from apps.routing.planner.eta import roll_forward
from apps.routing.planner.intervals import opening, permitted
from apps.routing.planner.load import Load
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.quantiles import Honest, scales
from apps.routing.planner.replay import STILL_BUSY_SECONDS, Learned, PastStop, Today, course
from apps.routing.planner.solution import Route, StopTimes
from benchmarks.eta_noise import World
from benchmarks.eta_week import CLOSES, OPENS, Ground, VanDay, problem_of

METRES_PER_SECOND = 9.0
"""Turns a position's error into seconds of road."""


@dataclass
class Live:
    """One van's day with everything the product learned before it."""

    ground: Ground
    world: World
    day: VanDay
    learned: Learned
    kept: dict[int, tuple[Stop, ...]] = field(default_factory=dict)

    @cached_property
    def stops(self) -> tuple[PastStop, ...]:
        return self.day.run.stops

    @cached_property
    def problem(self) -> Problem:
        van = Vehicle(self.day.van, self.day.profile, 0, 0, OPENS, CLOSES, Load(pieces=1_000))
        return problem_of(self.ground, list(self.day.customers), [van], self.learned.times)

    @cached_property
    def course(self) -> list[Today]:
        """How the day went so far, before each stop."""
        return course(self.day.run, self.learned.times)

    def at_stop(self, now: int) -> int:
        """The number of the first stop that is not done at that second."""
        return bisect_right([stop.left for stop in self.stops], now)

    def forecast(self, now: int, until: int | None = None) -> dict[int, tuple[StopTimes, Honest]]:
        """Times and quantiles of every stop ahead (or as far as that one), by its number."""
        first = self.at_stop(now)
        times = self.learned.times
        today = self.course[first]
        problem = self._ahead(first, len(self.stops) if until is None else until + 1, now, today)
        rolled = roll_forward(problem, Route(self.day.van, tuple(s.id for s in problem.stops), 1), now=None)
        deviations = scales(rolled, now=now, road=times.road_pace, door=times.door_pace, seen=today.seen)
        found = {}
        for number, (stop, at, scale) in enumerate(zip(problem.stops, rolled, deviations, strict=True), start=first):
            opens = opening(permitted(stop), at.start)
            assert self.learned.errors is not None
            found[number] = at, self.learned.errors.honest(at.arrival, now=now, scale=scale, opens=opens)
        return found

    def _ahead(self, first: int, end: int, now: int, today: Today) -> Problem:
        """The van's problem from where it is."""
        here, stops = self.stops[first], self._stops(first, today.door)[: end - first]
        if here.arrived <= now:
            arrival = here.arrived
            lasted = now - here.start
            if lasted > stops[0].service:
                stops = (stops[0].replace(service=lasted + STILL_BUSY_SECONDS), *stops[1:])
        else:
            arrival = max(now, self._arrival(here, now, today.road))
        van = self.problem.vehicles[0].replace(
            start=first,
            available=here.left_previous,
            started=True,
            first_arrival=arrival,
            slowdown_percent=round(100 * today.road),
        )
        return self.problem.replace(vehicles=(van,), stops=stops)

    def _stops(self, first: int, door: float) -> tuple[Stop, ...]:
        """What is ahead, at the van's own pace of today."""
        if first not in self.kept:
            ahead = self.problem.stops[first:]
            self.kept[first] = tuple(stop.replace(service=round(stop.service * door)) for stop in ahead)
        return self.kept[first]

    def _arrival(self, here: PastStop, now: int, road: float) -> int:
        """From the newest position, or from the last stop where the phone is silent."""
        error = self.world.position_error()
        if error is None:
            start, free = here.left_previous, float(here.free)
        else:
            metres, age = error
            start = max(here.left_previous, round(now - age))
            done = (start - here.left_previous) / max(1, here.arrived - here.left_previous)
            free = max(0.0, here.free * (1.0 - done) + metres / METRES_PER_SECOND)
        factor = self.learned.times.travel.factor(self.day.profile, here.cell, start // 3600 % 24)
        return round(start + free * factor * road)


@dataclass(frozen=True)
class Naive:
    """The plan's times, shifted by what the van is late now. `road` and `door` scale the plan's expectations."""

    day: VanDay
    road: float = 1.0
    door: float = 1.0

    @cached_property
    def planned(self) -> list[StopTimes]:
        clock, found = float(OPENS), []
        for stop in self.day.run.stops:
            arrival = clock + stop.free * self.road
            start = max(arrival, float(stop.opens or 0))
            clock = start + stop.expected * self.door
            found.append(StopTimes(round(arrival), round(start), round(clock)))
        return found

    def expected(self, number: int, first: int, now: int) -> int:
        """When the service at a stop begins, as of now, with `first` the stop that is driven to or served."""
        here, plan = self.day.run.stops[first], self.planned[first]
        if here.arrived <= now:
            delay = max(here.start - plan.start, now - plan.departure)
        else:
            left = self.planned[first - 1].departure if first else OPENS
            delay = max(here.left_previous - left, now - plan.arrival)
        opens = self.day.run.stops[number].opens or 0
        return max(opens, self.planned[number].start + delay, now)
