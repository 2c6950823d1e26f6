"""The fourth answer: a call at the depot in the middle of a route, for what has no room or no range without one.

`insertion` uses the calls that a route makes already. Here a van that may make one more is tried with it in a few
places, those that cost the least way; behind it the stop goes where it fits best. The timetable judges the whole route,
so nobody's word is broken for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from apps.routing.planner.breaks import placed
from apps.routing.planner.cost import Cost, plan_cost
from apps.routing.planner.eligible import barred
from apps.routing.planner.insertion import Candidate, Insertion, Refusal, applied, best_insertion
from apps.routing.planner.intervals import intersect, permitted
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.pairs import inserted_pair
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.sheet import reloads_of
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import RouteTable, Timetable

TRIED: Final = 12
"""Places for a call that are looked at, those with the least detour first: about a millisecond each."""

PER_VAN: Final = 4

_HELPED: Final = {Reason.LEFT_DEPOT, Reason.CAPACITY, Reason.RANGE, Reason.WINDOW, Reason.OTHERS}
"""Refusals behind which a van may stand that only lacks room: of all vans the nearest reason is told."""


@dataclass(frozen=True, slots=True)
class Called:
    """Where the stop goes, in the plan whose one van calls at the depot (`timetable`, still without the stop).

    What is added counts the call: the plan with both less the plan without either. `added_units` is the exact price.
    """

    insertion: Insertion
    timetable: Timetable = field(repr=False)
    added_seconds: int
    added_metres: int
    added_grams_co2e: int
    added_units: int


class Calls:
    """The calls at the depot that vans could make for one stop that has no place in the plan.

    What no window changes is worked out once, when the first refused window asks. For a stop at a `NEW_PLACE`, `place`
    is what its answers are found by.
    """

    def __init__(self, timetable: Timetable, stop: Stop, place: NewPlace | None = None) -> None:
        self.timetable, self.stop, self.place = timetable, stop, place

    def instead_of(self, refusal: Refusal, window: Window | None = None) -> Called | Refusal:
        """The cheapest call that makes room for the stop (starting inside the window as well), or the same refusal."""
        if refusal.code not in _HELPED or (self.stop.location == NEW_PLACE and self.place is None):
            return refusal
        found = [called for one in self._tried if (called := one.answer(self.stop, window, self.place)) is not None]
        return min(found, key=lambda called: called.added_units, default=refusal)

    @cached_property
    def _tried(self) -> list[_Tried]:
        found, before = [], self.timetable
        for _detour, van, position, call in sorted(_places(before, self.stop))[:TRIED]:
            route = before.tables[van].route.inserted(position, call)
            called = before.with_route(placed(before.problem, route))
            after = called.tables[van]
            if after.holds and in_range(after):
                found.append(_Tried(called, van, _cost(before, van), _cost(called, van)))
        return found


class _Tried:
    """One van's route with a call in one place, and what the call costs by itself."""

    def __init__(self, called: Timetable, van: str, before: Cost, after: Cost) -> None:
        self.called, self.alone, self.before, self.after = called, called.only([van]), before, after
        self.candidate: Candidate | None = None

    def answer(self, stop: Stop, window: Window | None, place: NewPlace | None) -> Called | None:
        found = self._best(stop, window, place)
        if isinstance(found, Refusal):
            return None
        before, after = self.before, self.after
        return Called(
            found,
            self.called,
            after.driving - before.driving + found.added_seconds,
            after.metres - before.metres + found.added_metres,
            after.grams_co2e - before.grams_co2e + found.added_grams_co2e,
            after.units - before.units + found.added_units,
        )

    def _best(self, stop: Stop, window: Window | None, place: NewPlace | None) -> Insertion | Refusal:
        if place is not None and stop.location == NEW_PLACE:
            windows = permitted(stop)
            return place.best(self.alone, stop, windows if window is None else intersect(windows, window))
        if self.candidate is None:
            self.candidate = Candidate(self.alone, stop)
        return self.candidate.best(stop) if window is None else self.candidate.within(window)


def with_call(timetable: Timetable, stop: Stop, refusal: Refusal, *, place: NewPlace | None = None) -> Called | Refusal:
    """The cheapest call at the depot that makes room for a stop that was refused; else the same refusal."""
    return Calls(timetable, stop, place).instead_of(refusal)


def inserted(timetable: Timetable, stop: Stop) -> Timetable | Refusal:
    """The plan with the stop where it fits best, with a call at the depot where it must; or why it does not fit.

    Half of a pair brings its other half along, unless that stands in the plan already.
    """
    if stop.pair and stop.pair not in timetable.vehicle_of:
        return inserted_pair(timetable, stop)
    answer = best_insertion(timetable, stop)
    if isinstance(answer, Refusal):
        called = with_call(timetable, stop, answer)
        if isinstance(called, Refusal):
            return called
        timetable, answer = called.timetable, called.insertion
    return applied(timetable, answer, stop)


def _places(timetable: Timetable, stop: Stop) -> Iterator[tuple[int, str, int, str]]:
    """(detour in seconds, van, position, call) of calls that vans could make for this stop."""
    problem = timetable.problem
    spare = [call for call in reloads_of(problem, timetable.tables.keys()) if call.id not in timetable.vehicle_of]
    for call in {str(call.reload_of): call for call in reversed(spare)}.values():  # of several, the first
        table = timetable.tables[str(call.reload_of)]
        if barred(problem, table, stop) not in (None, Reason.LEFT_DEPOT):
            continue
        for detour, position in sorted(detours(timetable, table, call))[:PER_VAN]:
            yield detour, table.vehicle.id, position, call.id


def detours(timetable: Timetable, table: RouteTable, call: Stop) -> Iterator[tuple[int, int]]:
    """(seconds, position) behind the frozen stops; a van at the depot has just loaded, so not before its first stop."""
    seconds = timetable.problem.travel[table.vehicle.profile].seconds
    places = [table.vehicle.start, *(stop.location for stop in table.stops), table.vehicle.end]
    first = table.route.frozen if table.vehicle.started else max(1, table.route.frozen)
    for position in range(first, len(places) - 1):
        before, after = places[position], places[position + 1]
        there_and_on = int(seconds[before, call.location]) + int(seconds[call.location, after])
        yield there_and_on - int(seconds[before, after]), position


def _cost(timetable: Timetable, van: str) -> Cost:
    return plan_cost(timetable.problem, timetable.solution, PLAIN, [van])


def in_range(table: RouteTable) -> bool:
    """Whether no stretch between two calls at the depot is longer than the van can drive."""
    left = table.vehicle.first_range
    if left is None or table.vehicle.range_metres is None:
        return True
    for number, metres in enumerate(table.metres):
        left -= metres
        if left < 0:
            return False
        if number < len(table.stops) and table.stops[number].is_reload:
            left = table.vehicle.range_metres
    return True
