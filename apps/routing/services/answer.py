"""The planner's answer for one stop, whether its place stands in the day's matrix or is new to it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.core.errors import Refused
from apps.routing import words
from apps.routing.new_places import fully_known, known_from, neighbourhood
from apps.routing.planner import slots
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, applied, best_insertion
from apps.routing.planner.new_place import best_for_new_place
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.squeeze import Squeezed, squeeze
from apps.routing.planner.travel import OffTheMap
from apps.routing.services.clearing import Cleared
from apps.routing.stops import Whereabouts, point_of

OFFERED_ROOM = 8
"""Stops that are asked to make room for a window that is only looked at; the change itself asks more of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the stop goes, the plan with it, and the vans whose routes change."""

    insertion: Insertion
    timetable: Timetable = field(repr=False)
    vans: frozenset[str]


def best(cleared: Cleared, stop: Stop, place: Whereabouts) -> Answer | Refusal:
    """The cheapest place in the plan, or room that another stop makes. Refused("off_the_map") where no road is near."""
    try:
        found = _inserted(cleared, stop, place)
        if isinstance(found, Insertion):
            return Answer(found, _made(cleared, found, stop, place), frozenset({found.vehicle}))
        timetable, known = _on_known_ground(cleared, stop, place)
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None
    squeezed = squeeze(timetable, known, found)
    if isinstance(squeezed, Squeezed):
        return Answer(squeezed.insertion, squeezed.timetable, frozenset(squeezed.vans))
    return found


def offers(cleared: Cleared, stop: Stop, place: Whereabouts, windows: Sequence[Window]) -> list[slots.Offer]:
    """One offer per window. Refused("off_the_map") when no road comes near the stop."""
    new = stop.location == NEW_PLACE
    near = neighbourhood(cleared.snapshot.ground, point_of(place)) if new else None
    try:
        found = slots.offers({"day": cleared.timetable}, stop, {"day": windows}, place=near)
        if all(one.feasible for one in found):
            return found
        timetable, known = _on_known_ground(cleared, stop, place)
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None
    return [one if one.feasible else slots.squeezed(timetable, known, one, tried=OFFERED_ROOM) for one in found]


def _inserted(cleared: Cleared, stop: Stop, place: Whereabouts) -> Insertion | Refusal:
    if stop.location != NEW_PLACE:
        return best_insertion(cleared.timetable, stop)
    near = neighbourhood(cleared.snapshot.ground, point_of(place))
    return best_for_new_place(cleared.timetable, stop, near.nearest, near.rows)


def _made(cleared: Cleared, insertion: Insertion, stop: Stop, place: Whereabouts) -> Timetable:
    """The plan with the insertion made."""
    timetable = cleared.timetable
    if stop.location != NEW_PLACE:
        return applied(timetable, insertion, stop)
    table, ground = timetable.tables[insertion.vehicle], cleared.snapshot.ground
    near = sorted(set(table.locations[insertion.position : insertion.position + 2]))
    travel = known_from(ground, point_of(place), table.vehicle.profile, near)
    larger = dataclasses.replace(timetable, problem=timetable.problem.replace(travel=travel))
    return applied(larger, insertion, stop.replace(location=len(ground.points)))


def _on_known_ground(cleared: Cleared, stop: Stop, place: Whereabouts) -> tuple[Timetable, Stop]:
    """The plan and the stop with every row of its place known: what making room is asked of."""
    timetable, ground = cleared.timetable, cleared.snapshot.ground
    if stop.location != NEW_PLACE:
        return timetable, stop
    problem = timetable.problem.replace(travel=fully_known(ground, point_of(place)))
    return dataclasses.replace(timetable, problem=problem), stop.replace(location=len(ground.points))
