"""The planner's answer for one stop, whether its place stands in the day's matrix or is new to it."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apps.core.errors import Refused
from apps.routing import words
from apps.routing.new_places import known_from, neighbourhood
from apps.routing.planner import pairs, slots
from apps.routing.planner.calm import calmest_insertion
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, applied
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.problem import NEW_PLACE, Stop, Window
from apps.routing.planner.second_wave import Called, Calls, with_call
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


type Find = Callable[[Cleared, Stop, Whereabouts], Answer | Refusal]
"""Whoever says where a stop goes in a day's plan: `best`, or somebody who looks longer."""


def best(cleared: Cleared, stop: Stop, place: Whereabouts) -> Answer | Refusal:
    """The cheapest quiet place, or room that another stop makes, or one more call of a van at the depot.

    Refused("off_the_map") where no road is near.
    """
    try:
        rows = _rows_of(cleared, stop, place)
        found = calmest_insertion(cleared.snapshot.timetable, cleared.timetable, stop, place=rows)
        if isinstance(found, Insertion):
            return Answer(found, _made(cleared, found, stop, place), frozenset({found.vehicle}))
        squeezed = squeeze(cleared.timetable, stop, found, place=rows, standing=cleared.snapshot.timetable)
        called = with_call(cleared.timetable, stop, found, place=rows) if isinstance(squeezed, Refusal) else None
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None
    if isinstance(squeezed, Squeezed):
        return Answer(squeezed.insertion, squeezed.timetable, frozenset(squeezed.vans))
    if isinstance(called, Called):
        again = dataclasses.replace(cleared, timetable=called.timetable)
        return Answer(
            called.insertion, _made(again, called.insertion, stop, place), frozenset({called.insertion.vehicle})
        )
    return found


def best_pair(cleared: Cleared, collect: Stop, stop: Stop) -> Answer | Refusal:
    """The cheapest places for what is collected on the way and brought on, both known to the day's matrices."""
    found = pairs.best_pair(cleared.timetable, collect, stop)
    if isinstance(found, Refusal):
        return found
    after = pairs.applied_pair(cleared.timetable, found, collect, stop)
    position = after.tables[found.vehicle].route.stops.index(stop.id)
    insertion = dataclasses.replace(found.brought, position=position)
    return Answer(insertion, after, frozenset({found.vehicle}))


def offers_of_pair(cleared: Cleared, collect: Stop, stop: Stop, windows: Sequence[Window]) -> list[slots.Offer]:
    """One offer per window for the second half, as `best_pair` would answer it."""
    candidate = pairs.PairCandidate(cleared.timetable, collect, stop)
    answers = [candidate.within(window) for window in windows]
    whole = [one if isinstance(one, Refusal) else one.brought for one in answers]
    return [slots.offer_of("day", window, one) for window, one in zip(windows, whole, strict=True)]


def offers(cleared: Cleared, stop: Stop, place: Whereabouts, windows: Sequence[Window]) -> list[slots.Offer]:
    """One offer per window, as `best` would answer it. Refused("off_the_map") when no road comes near the stop."""
    try:
        rows = _rows_of(cleared, stop, place)
        standing = {"day": cleared.snapshot.timetable}
        found = slots.offers({"day": cleared.timetable}, stop, {"day": windows}, place=rows, standing=standing)
        found = [
            one if one.feasible else slots.squeezed(cleared.timetable, stop, one, tried=OFFERED_ROOM, place=rows)
            for one in found
        ]
        calls = Calls(cleared.timetable, stop, rows)
        return [slots.called(calls, one) for one in found]
    except OffTheMap:
        raise Refused("off_the_map", str(words.OFF_THE_MAP)) from None


def _rows_of(cleared: Cleared, stop: Stop, place: Whereabouts) -> NewPlace | None:
    """What is known of the ways to a place that is new to the day; asks for more as it is needed."""
    if stop.location != NEW_PLACE:
        return None
    near = neighbourhood(cleared.snapshot.ground, point_of(place), cleared.snapshot.closed)
    return NewPlace(near.nearest, near.rows)


def _made(cleared: Cleared, insertion: Insertion, stop: Stop, place: Whereabouts) -> Timetable:
    """The plan with the insertion made."""
    timetable = cleared.timetable
    if stop.location != NEW_PLACE:
        return applied(timetable, insertion, stop)
    table, ground = timetable.tables[insertion.vehicle], cleared.snapshot.ground
    near = sorted(set(table.locations[insertion.position : insertion.position + 2]))
    known, closed = timetable.problem.travel, cleared.snapshot.closed
    travel = known_from(ground, known, point_of(place), table.vehicle.profile, near, closed)
    like = next(iter(ground.nearest(point_of(place), 1)), 0)
    larger = dataclasses.replace(timetable, problem=timetable.problem.grown(travel, like))
    return applied(larger, insertion, stop.replace(location=len(ground.points)))
