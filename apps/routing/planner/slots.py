"""Slot offers: which windows of which days the standing plans can really hold, and at what cost, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.routing.planner.calm import Calm
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Candidate, Insertion, Refusal, remove
from apps.routing.planner.intervals import intersect, permitted
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.new_place import NewPlace, Rows
from apps.routing.planner.prices import minor_units
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.second_wave import Calls
from apps.routing.planner.solution import Reason
from apps.routing.planner.squeeze import squeeze
from apps.routing.planner.timetable import Timetable

TIGHT: Final = 600
"""An offer with less than these seconds of slack is shown as tight."""

type Answer = Callable[[Window], Insertion | Refusal]


@dataclass(frozen=True, slots=True)
class Offer:
    """One window of one day: whether the plan holds it, why not, and what taking it would add to the plan.

    The figures are the plan with the stop less the plan without it. `tight`: less than `TIGHT` seconds of slack.
    `green`: a van is there anyhow (`emissions.is_green`).
    """

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


type Place = Neighbourhood | NewPlace
"""A new place, or one of which some rows are known already."""


def offers(
    timetables_by_day: Mapping[str, Timetable],
    stop: Stop | Mapping[str, Stop],
    windows: Mapping[str, Sequence[Window]],
    *,
    place: Place | Mapping[str, Place] | None = None,
    standing: Mapping[str, Timetable] | None = None,
) -> list[Offer]:
    """Every window of every day, in the order given; instants are seconds since that day's own epoch.

    `stop` may differ by day (a parcel that is loaded today lies at the depot tomorrow); its own windows, where the
    place has opening hours, and its promise still bind. Where a day's plan holds the stop already, it is taken out
    first (FrozenStop when it may not be). `place` is needed when the stop's location is `NEW_PLACE`, one
    for each day where the days' matrices number their places differently. With `standing`, the plans as people were
    told of them, each window is answered with its calmest place (`calm`), as the change itself is; else the cheapest.
    """
    found: list[Offer] = []
    for day, wanted in windows.items():
        timetable = timetables_by_day[day]
        of_day = stop[day] if isinstance(stop, Mapping) else stop
        around = place[day] if isinstance(place, Mapping) else place
        answer = _asker(remove(timetable, of_day.id), of_day, around, None if standing is None else standing[day])
        found += [offer_of(day, window, answer(window)) for window in wanted]
    return found


def squeezed(timetable: Timetable, stop: Stop, refused: Offer, *, tried: int, place: NewPlace | None = None) -> Offer:
    """The window with room that another stop makes, or the refused offer as it is (`place` as in `squeeze`)."""
    if refused.reason is None:
        return refused
    cut = stop.replace(windows=intersect(stop.windows, refused.window))
    found = squeeze(timetable, cut, Refusal(refused.reason), tried=tried, place=place)
    if isinstance(found, Refusal):
        return refused
    times, after = found.timetable.times(cut.id), found.timetable
    was = plan_cost(timetable.problem, timetable.solution, PLAIN, found.vans)
    now = plan_cost(after.problem, after.solution, PLAIN, found.vans)
    return Offer(
        refused.day,
        refused.window,
        feasible=True,
        added_seconds=now.driving - was.driving,
        added_metres=now.metres - was.metres,
        arrival=times.start,
        tight=True,
        vehicle=found.insertion.vehicle,
        position=found.insertion.position,
        added_minor_units=now.minor_units - was.minor_units,
        added_grams_co2e=now.grams_co2e - was.grams_co2e,
    )


def called(calls: Calls, refused: Offer) -> Offer:
    """The window with room behind one more call at the depot, at the cost of both; or the refused offer as it is."""
    if refused.reason is None:
        return refused
    found = calls.instead_of(Refusal(refused.reason), refused.window)
    if isinstance(found, Refusal):
        return refused
    place = found.insertion
    return Offer(
        refused.day,
        refused.window,
        feasible=True,
        added_seconds=found.added_seconds,
        added_metres=found.added_metres,
        arrival=place.start,
        tight=place.slack < TIGHT,
        vehicle=place.vehicle,
        position=place.position,
        added_minor_units=minor_units(found.added_units) if calls.timetable.problem.priced else 0,
        added_grams_co2e=found.added_grams_co2e,
    )


def _asker(timetable: Timetable, stop: Stop, place: Place | None, standing: Timetable | None) -> Answer:
    """What is the same for all windows is worked out once."""
    known: NewPlace | None = None
    if stop.location == NEW_PLACE:
        if place is None:
            raise ValueError("a stop at a new place needs its neighbourhood")
        known = place if isinstance(place, NewPlace) else NewPlace(place.nearest, place.rows)
    intervals = permitted(stop)
    cheapest = _cheapest(timetable, stop, intervals, known)
    if standing is None:
        return cheapest
    calm = Calm(standing, timetable, stop, place=known)
    return lambda window: calm.instead_of(cheapest(window), intersect(intervals, window))


def _cheapest(timetable: Timetable, stop: Stop, intervals: tuple[Window, ...], place: NewPlace | None) -> Answer:
    if place is not None:
        return lambda window: place.best(timetable, stop, intersect(intervals, window))
    return Candidate(timetable, stop).within


def offer_of(day: str, window: Window, answer: Insertion | Refusal) -> Offer:
    """What an answer says of a window."""
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
        added_minor_units=answer.added_minor_units,
        added_grams_co2e=answer.added_grams_co2e,
        green=answer.green,
    )
