"""The second answer: when a stop fits nowhere, another one may make room for it, and nobody's word is broken.

One other stop is taken out, the new one goes into that van, and the other goes where it still fits (on any van that may
bring it, or elsewhere on its own). Its window and promise hold like everybody's. The stops nearest to the new place are
asked first, and the first that can make room does.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Final

from apps.routing.planner.insertion import Insertion, Refusal, barred, best_insertion
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import Timetable

TRIED: Final = 32
"""Stops that are asked to make room: about half a millisecond each."""

_NEARLY: Final = {Reason.CAPACITY, Reason.WINDOW, Reason.OTHERS}
"""Refusals that room on a van could change."""


@dataclass(frozen=True, slots=True)
class Squeezed:
    """Where the new stop goes, which one made room, and where that one goes once the new one is in.

    `timetable` is the plan with both made; `vans` are the routes that change.
    """

    insertion: Insertion
    moved: str
    moved_to: Insertion
    timetable: Timetable = field(repr=False)

    @property
    def vans(self) -> set[str]:
        return {self.insertion.vehicle, self.moved_to.vehicle}

    @property
    def added_seconds(self) -> int:
        """Driving that both moves add to the plan without either stop."""
        return self.insertion.added_seconds + self.moved_to.added_seconds


def squeeze(timetable: Timetable, stop: Stop, refusal: Refusal, *, tried: int = TRIED) -> Squeezed | Refusal:
    """Room for a stop (not in the plan, its place in the matrices) that was refused; else the same refusal."""
    if refusal.code not in _NEARLY:
        return refusal
    search = _Search(timetable, stop)
    for van, other in search.nearest(tried):
        found = search.instead_of(van, other)
        if found is not None:
            return found
    return refusal


class _Search:
    """One new stop against one plan; what belongs to a van is worked out once."""

    def __init__(self, timetable: Timetable, stop: Stop) -> None:
        self.stop = stop.replace(merge_key="")
        self.timetable = dataclasses.replace(timetable, problem=timetable.problem.with_stop(self.stop))
        self.elsewhere: dict[str, Timetable] = {}

    @property
    def problem(self) -> Problem:
        return self.timetable.problem

    def nearest(self, count: int) -> list[tuple[str, str]]:
        """(van, stop) of movable stops on vans that may bring the new one, by the drive there and back."""
        found: list[tuple[int, str, str]] = []
        for van, table in self.timetable.tables.items():
            if barred(self.problem, table, self.stop) not in (None, Reason.CAPACITY):
                continue
            seconds = self.problem.travel[table.vehicle.profile].seconds
            first = table.route.frozen
            places = table.locations[first + 1 : -1]
            detours = (seconds[places, self.stop.location] + seconds[self.stop.location, places]).tolist()
            found += [(detour, van, other) for detour, other in zip(detours, table.route.stops[first:], strict=True)]
        return [(van, other) for _, van, other in sorted(found)[:count]]

    def instead_of(self, van: str, other: str) -> Squeezed | None:
        """The new stop on this van without the other one, and the other one wherever it still fits."""
        bare = self.timetable.only([van]).without(other)
        if not bare.tables[van].holds:
            return None
        into = best_insertion(bare, self.stop)
        if isinstance(into, Refusal):
            return None
        own = bare.with_route(bare.tables[van].route.inserted(into.position, self.stop.id))
        moved_to = self._home(self.problem.stop[other], van, own)
        if moved_to is None:
            return None
        whole = self.timetable.with_route(own.tables[van].route)
        route = whole.tables[moved_to.vehicle].route.inserted(moved_to.position, other)
        return Squeezed(into, other, moved_to, whole.with_route(route))

    def _home(self, other: Stop, van: str, own: Timetable) -> Insertion | None:
        """The cheapest place for the stop that makes room: on its own van as it is now, or on any other."""
        if van not in self.elsewhere:
            self.elsewhere[van] = self.timetable.only(name for name in self.timetable.tables if name != van)
        lonely = other.replace(merge_key="")
        answers = (best_insertion(own, lonely), best_insertion(self.elsewhere[van], lonely))
        places = [answer for answer in answers if isinstance(answer, Insertion)]
        return min(places, key=lambda place: place.added_seconds, default=None)
