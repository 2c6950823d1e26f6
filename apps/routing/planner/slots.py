"""Slot offers: which windows of which days the standing plans can really hold, and at what cost, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.routing.planner.insertion import Candidate, Insertion, Refusal, remove
from apps.routing.planner.intervals import intersect
from apps.routing.planner.new_place import NewPlace, Rows
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.solution import Reason
from apps.routing.planner.squeeze import squeeze
from apps.routing.planner.timetable import Timetable

TIGHT: Final = 600
"""An offer with less than these seconds of slack is shown as tight."""

type Answer = Callable[[Stop], Insertion | Refusal]


@dataclass(frozen=True, slots=True)
class Offer:
    """One window of one day: whether the plan holds it, why not, and what it would cost."""

    day: str
    window: Window
    feasible: bool
    reason: Reason | None = None
    added_seconds: int = 0
    added_metres: int = 0
    arrival: int = 0
    tight: bool = False
    vehicle: str = ""
    position: int = 0
    added_minor_units: int = 0
    added_grams_co2e: int = 0
    green: bool = False


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A new place's known neighbours (nearest first) and its road queries, for offers to a place in no matrix."""

    nearest: Sequence[int]
    rows: Rows


def offers(
    timetables_by_day: Mapping[str, Timetable],
    stop: Stop | Mapping[str, Stop],
    windows: Mapping[str, Sequence[Window]],
    *,
    place: Neighbourhood | Mapping[str, Neighbourhood] | None = None,
) -> list[Offer]:
    """Every window of every day, in the order given; instants are seconds since that day's own epoch.

    `stop` may differ by day (a parcel that is loaded today lies at the depot tomorrow); its own windows, where the
    place has opening hours, and its promise still bind. Where a day's plan holds the stop already, it is taken out
    first (FrozenStop when it may not be). `place` is needed when the stop's location is `NEW_PLACE`, one
    for each day where the days' matrices number their places differently.
    """
    found: list[Offer] = []
    for day, wanted in windows.items():
        timetable = timetables_by_day[day]
        of_day = stop[day] if isinstance(stop, Mapping) else stop
        around = place[day] if isinstance(place, Mapping) else place
        answer = _asker(remove(timetable, of_day.id), of_day, around)
        for window in wanted:
            cut = of_day.replace(windows=intersect(of_day.windows, window))
            found.append(_offer(day, window, answer(cut)))
    return found


def squeezed(timetable: Timetable, stop: Stop, refused: Offer, *, tried: int) -> Offer:
    """The window with room that another stop makes (its place in the matrices), or the refused offer as it is."""
    if refused.reason is None:
        return refused
    cut = stop.replace(windows=intersect(stop.windows, refused.window))
    found = squeeze(timetable, cut, Refusal(refused.reason), tried=tried)
    if isinstance(found, Refusal):
        return refused
    times = found.timetable.times(cut.id)
    return Offer(
        refused.day,
        refused.window,
        feasible=True,
        added_seconds=found.added_seconds,
        added_metres=found.insertion.added_metres + found.moved_to.added_metres,
        arrival=times.start,
        tight=True,
        vehicle=found.insertion.vehicle,
        position=found.insertion.position,
    )


def _asker(timetable: Timetable, stop: Stop, place: Neighbourhood | None) -> Answer:
    """What is the same for all windows is worked out once."""
    if stop.location == NEW_PLACE:
        if place is None:
            raise ValueError("a stop at a new place needs its neighbourhood")
        known = NewPlace(place.nearest, place.rows)
        return lambda cut: known.best(timetable, cut)
    return Candidate(timetable, stop).best


def _offer(day: str, window: Window, answer: Insertion | Refusal) -> Offer:
    if isinstance(answer, Refusal):
        return Offer(day, window, feasible=False, reason=answer.code)
    return Offer(
        day,
        window,
        feasible=True,
        added_seconds=answer.added_seconds,
        added_metres=answer.added_metres,
        arrival=answer.start,
        tight=answer.slack < TIGHT,
        vehicle=answer.vehicle,
        position=answer.position,
    )
