"""The planner's answer for one stop, whether its place stands in the day's matrix or is new to it."""

import dataclasses
from collections.abc import Sequence

from apps.core.errors import Refused
from apps.routing import words
from apps.routing.new_places import known_from, neighbourhood
from apps.routing.planner import slots
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, applied, best_insertion
from apps.routing.planner.new_place import best_for_new_place
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.travel import OffTheMap
from apps.routing.services.clearing import Cleared
from apps.routing.stops import Whereabouts, point_of


def best(cleared: Cleared, stop: Stop, place: Whereabouts) -> Insertion | Refusal:
    """The cheapest place in the plan. Refused("off_the_map") when no road comes near the stop."""
    if stop.location != NEW_PLACE:
        return best_insertion(cleared.timetable, stop)
    near = neighbourhood(cleared.snapshot.ground, point_of(place))
    try:
        return best_for_new_place(cleared.timetable, stop, near.nearest, near.rows)
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None


def made(cleared: Cleared, insertion: Insertion, stop: Stop, place: Whereabouts) -> Timetable:
    """The plan with the insertion made."""
    timetable = cleared.timetable
    if stop.location != NEW_PLACE:
        return applied(timetable, insertion, stop)
    table, ground = timetable.tables[insertion.vehicle], cleared.snapshot.ground
    near = sorted(set(table.locations[insertion.position : insertion.position + 2]))
    travel = known_from(ground, point_of(place), table.vehicle.profile, near)
    larger = dataclasses.replace(timetable, problem=timetable.problem.replace(travel=travel))
    return applied(larger, insertion, stop.replace(location=len(ground.points)))


def offers(cleared: Cleared, stop: Stop, place: Whereabouts, windows: Sequence[Window]) -> list[slots.Offer]:
    """One offer per window. Refused("off_the_map") when no road comes near the stop."""
    new = stop.location == NEW_PLACE
    near = neighbourhood(cleared.snapshot.ground, point_of(place)) if new else None
    try:
        return slots.offers({"day": cleared.timetable}, stop, {"day": windows}, place=near)
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None
