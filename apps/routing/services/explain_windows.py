"""What stands against each van in a window that was not offered, in sentences for agents."""

import dataclasses
from collections.abc import Iterable
from datetime import date

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.routing import plan_words
from apps.routing.new_places import known_from
from apps.routing.planner.explain import explain_pair, explain_refusal
from apps.routing.planner.problem import NEW_PLACE
from apps.routing.planner.timetable import Timetable
from apps.routing.planner.travel import OffTheMap
from apps.routing.services.change_plan import day_of, paired, stop_for
from apps.routing.services.clearing import Cleared
from apps.routing.services.offer_windows import cleared_plan
from apps.routing.services.subject import Subject, subject_of
from apps.routing.stops import point_of


def obstacles(*, delivery: Delivery, windows: Iterable[TimeWindow]) -> dict[TimeWindow, tuple[str, ...]]:
    """A sentence per van for each window, the nearest van first; one snapshot of the plan is read per day.

    None where no van is to blame: the day is closed, or no road comes near the place.
    """
    subject = subject_of(delivery)
    by_day: dict[date, list[TimeWindow]] = {}
    for window in windows:
        by_day.setdefault(day_of(subject, window.earliest), []).append(window)
    found: dict[TimeWindow, tuple[str, ...]] = {}
    for day, wanted in by_day.items():
        found |= _of_day(subject, day, wanted)
    return found


def _of_day(subject: Subject, day: date, windows: list[TimeWindow]) -> dict[TimeWindow, tuple[str, ...]]:
    plan = cleared_plan(subject, day, [subject.place])
    if isinstance(plan, str):
        return dict.fromkeys(windows, ())
    cleared, loaded_on = plan
    try:
        timetable = _with_place(cleared, subject)
        return {window: _against(cleared, timetable, subject, window, loaded_on) for window in windows}
    except (Refused, OffTheMap):
        return dict.fromkeys(windows, ())


def _against(
    cleared: Cleared, timetable: Timetable, subject: Subject, window: TimeWindow, loaded_on: str | None
) -> tuple[str, ...]:
    snapshot = cleared.snapshot
    stop = stop_for(snapshot, subject, window, loaded_on)
    if stop.location == NEW_PLACE:
        stop = stop.replace(location=len(snapshot.ground.points))
    asked, collect, stop = paired(dataclasses.replace(cleared, timetable=timetable), subject, stop)
    codes = {key: row.code for key, row in snapshot.shifts.items()}
    found = explain_refusal(asked.timetable, stop) if collect is None else explain_pair(asked.timetable, collect, stop)
    return tuple(plan_words.against(one, codes) for one in found if one.vehicle)


def _with_place(cleared: Cleared, subject: Subject) -> Timetable:
    """The plan over matrices that know the subject's place, also when it is new to the day."""
    ground, timetable, point = cleared.snapshot.ground, cleared.timetable, point_of(subject.place)
    if ground.location(point) is not None:
        return timetable
    everywhere, known = range(len(ground.points)), timetable.problem.travel
    travel = {
        profile: known_from(ground, known, point, profile, everywhere, cleared.snapshot.closed)[profile]
        for profile in known
    }
    like = next(iter(ground.nearest(point, 1)), 0)
    return dataclasses.replace(timetable, problem=timetable.problem.grown(travel, like))
