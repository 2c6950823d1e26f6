"""The fourth answer: a call at the depot in the middle of a route, for what has no room or no range without one.

`insertion` uses the calls that a route makes already. Here a van that may make one more, and makes none yet, is tried
with it in a few places, those that cost the least way; behind it the stop goes where it fits best. The timetable judges
the whole route, so nobody's word is broken for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from apps.routing.planner.breaks import placed
from apps.routing.planner.eligible import barred
from apps.routing.planner.insertion import Insertion, Refusal, applied, best_insertion
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.pairs import inserted_pair
from apps.routing.planner.problem import NEW_PLACE, Stop
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
    """Where the stop goes, in the plan whose one van calls at the depot (`timetable`, still without the stop)."""

    insertion: Insertion
    timetable: Timetable = field(repr=False)


def with_call(timetable: Timetable, stop: Stop, refusal: Refusal, *, place: NewPlace | None = None) -> Called | Refusal:
    """The cheapest call at the depot that makes room for a stop that was refused; else the same refusal.

    For a stop at a `NEW_PLACE`, `place` is what its answer was found by.
    """
    if refusal.code not in _HELPED or (stop.location == NEW_PLACE and place is None):
        return refusal
    found: list[tuple[int, int, Called]] = []
    for number, (_detour, van, position, call) in enumerate(sorted(_places(timetable, stop))[:TRIED]):
        route = timetable.tables[van].route.inserted(position, call)
        called = timetable.with_route(placed(timetable.problem, route))
        after = called.tables[van]
        if not after.holds or not _in_range(after):
            continue
        alone = called.only([van])
        answer = best_insertion(alone, stop) if place is None else place.best(alone, stop)
        if isinstance(answer, Insertion):
            metres = sum(after.metres) - sum(timetable.tables[van].metres)
            found.append((metres + answer.added_metres, number, Called(answer, called)))
    return min(found, key=lambda one: one[:2])[2] if found else refusal


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
    for call in reloads_of(problem, timetable.tables.keys()):
        table = timetable.tables[str(call.reload_of)]
        if call.id in timetable.vehicle_of or barred(problem, table, stop) not in (None, Reason.LEFT_DEPOT):
            continue
        detours = sorted(_detours(timetable, table, call))
        for detour, position in detours[:PER_VAN]:
            yield detour, table.vehicle.id, position, call.id


def _detours(timetable: Timetable, table: RouteTable, call: Stop) -> Iterator[tuple[int, int]]:
    """(seconds, position) behind the frozen stops; a van at the depot has just loaded, so not before its first stop."""
    seconds = timetable.problem.travel[table.vehicle.profile].seconds
    places = [table.vehicle.start, *(stop.location for stop in table.stops), table.vehicle.end]
    first = table.route.frozen if table.vehicle.started else max(1, table.route.frozen)
    for position in range(first, len(places) - 1):
        before, after = places[position], places[position + 1]
        there_and_on = int(seconds[before, call.location]) + int(seconds[call.location, after])
        yield there_and_on - int(seconds[before, after]), position


def _in_range(table: RouteTable) -> bool:
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
