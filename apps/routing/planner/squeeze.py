"""The second answer: when a stop fits nowhere, another one may make room for it, and nobody's word is broken.

One other stop is taken out, the new one goes into that van, and the other goes where it still fits (on any van that may
bring it, or elsewhere on its own). Its window and promise hold like everybody's. The stops nearest to the new place are
asked first, and the one does who disturbs the fewest.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Final

from apps.routing.planner.calm import noticed
from apps.routing.planner.insertion import Insertion, Refusal, barred, best_insertion
from apps.routing.planner.limits import CALM, Policy
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import NEW_PLACE, Problem, Stop
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import Timetable

TRIED: Final = 32
"""Stops that are asked to make room: about half a millisecond each."""

LOOKED_ON: Final = 16
"""Further ones that are asked once somebody can."""

QUIET_ENOUGH: Final = 1
"""Who makes room is moved anyhow: with nobody else nothing better is looked for."""

_NEARLY: Final = {Reason.MAX_STOPS, Reason.CAPACITY, Reason.RANGE, Reason.WINDOW, Reason.OTHERS}
"""Refusals that room on a van could change."""

_WITH_ROOM: Final = {None, Reason.MAX_STOPS}
"""What may stand between a van and a stop that is to take another one's place."""


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
    def added_units(self) -> int:
        return self.insertion.added_units + self.moved_to.added_units

    @property
    def added_seconds(self) -> int:
        """Driving that both moves add to the plan without either stop."""
        return self.insertion.added_seconds + self.moved_to.added_seconds


def squeeze(
    timetable: Timetable,
    stop: Stop,
    refusal: Refusal,
    *,
    tried: int = TRIED,
    place: NewPlace | None = None,
    standing: Timetable | None = None,
    policy: Policy = CALM,
) -> Squeezed | Refusal:
    """Room for a stop (not in the plan) that was refused; else the same refusal.

    With `standing`, the plan as people were told of it, whoever makes room so that the fewest others notice does; else
    the first who can.
    For a stop at a `NEW_PLACE`, `place` is what its answer was found by: rows are asked for as they are needed, and
    the place stands last in the matrices of `Squeezed.timetable`, which know the ways that this plan drives.
    """
    if refusal.code not in _NEARLY:
        return refusal
    if stop.location == NEW_PLACE and place is None:
        raise ValueError("a stop at a new place needs what its answer was found by")
    search = _Search(timetable, stop, place if stop.location == NEW_PLACE else None)
    quiet = policy.quiet * units_per_second(timetable.problem)
    best: tuple[int, Squeezed] | None = None
    left = tried
    for van, other in search.nearest(tried):
        if not left:
            break
        left -= 1
        found = search.instead_of(van, other)
        if found is None:
            continue
        heard = (
            0 if standing is None else noticed(standing, map(found.timetable.tables.__getitem__, found.vans), stop.id)
        )
        price = found.added_units + quiet * heard
        if best is None or price < best[0]:
            best = price, found
        left = min(left, LOOKED_ON)
        if heard <= QUIET_ENOUGH:
            break
    return refusal if best is None else best[1]


class _Search:
    """One new stop against one plan; what belongs to a van is worked out once."""

    def __init__(self, timetable: Timetable, stop: Stop, place: NewPlace | None) -> None:
        self.place, self.asked = place, stop.replace(merge_key="")
        self.stop, problem = self.asked, timetable.problem
        if place is not None:
            place.seed(timetable, self.asked)
            problem = place.grown(problem)
            self.stop = self.asked.replace(location=place.size(timetable.problem))
        self.timetable = dataclasses.replace(timetable, problem=problem.with_stop(self.stop))
        self.elsewhere: dict[str, Timetable] = {}

    @property
    def problem(self) -> Problem:
        return self.timetable.problem

    def nearest(self, count: int) -> list[tuple[str, str]]:
        """(van, stop) of movable stops on vans that may bring the new one, by the drive there and back."""
        found: list[tuple[int, str, str]] = []
        for van, table in self.timetable.tables.items():
            if table.vehicle.is_carrier or barred(self.problem, table, self.stop) not in _WITH_ROOM:
                continue
            first = table.route.frozen
            movable = [stop for stop in table.stops[first:] if not stop.is_reload]
            detours = self._detours(table.vehicle.profile, [stop.location for stop in movable])
            found += [(detour, van, other.id) for detour, other in zip(detours, movable, strict=True)]
        return [(van, other) for _, van, other in sorted(found)[:count]]

    def _detours(self, profile: str, places: list[int]) -> list[int]:
        if self.place is not None:
            return self.place.detours(profile, places)
        seconds = self.problem.travel[profile].seconds
        there_and_back: list[int] = (seconds[places, self.stop.location] + seconds[self.stop.location, places]).tolist()
        return there_and_back

    def instead_of(self, van: str, other: str) -> Squeezed | None:
        """The new stop on this van without the other one, and the other one wherever it still fits."""
        bare = self.timetable.only([van]).without(other)
        if not bare.tables[van].holds:
            return None
        into = best_insertion(bare, self.stop) if self.place is None else self.place.best(bare, self.asked)
        if isinstance(into, Refusal):
            return None
        if self.place is not None:
            self.place.fetch(bare.tables[van].vehicle.profile, [self.problem.stop[other].location])
            self.place.fill(self.problem)
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
        return min(places, key=lambda place: place.added_units, default=None)
