"""Why: why a slot is missing, why a stop is unserved, why an expected time moved. Short codes with figures.

Pure functions over timetables. Sentences for agents are made elsewhere, of these codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.routing.planner.answers import hypothetical
from apps.routing.planner.approach import Approach, known_approach
from apps.routing.planner.eligible import RANK, barred
from apps.routing.planner.explain_eta import EtaCause, explain_eta
from apps.routing.planner.fitting import Fit, Ways, fits, ways_in
from apps.routing.planner.insertion import Insertion, Refusal, best_insertion
from apps.routing.planner.intervals import permitted
from apps.routing.planner.pairs import best_pair
from apps.routing.planner.problem import Stop, Window
from apps.routing.planner.rooms import triple
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import RouteTable, Timetable

__all__ = ["EtaCause", "Obstacle", "explain_eta", "explain_refusal", "explain_unserved"]

FITS = "fits"
SHIFT_END = "shift_end"
BREAK = "break"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps one van (or every van, when none is named) from serving a stop.

    `code` is a `solution.Reason`, `shift_end`, `break`, or `fits` when nothing does. `by`: how much is missing at the
    best place on its route, in `unit` (seconds, metres, stops, grams, cubic_centimetres, pieces). `stop`: whose window
    or promise would break; `names`: missing skills, or the stop's zone, or the depots where the goods lie.
    """

    code: str
    vehicle: str = ""
    by: int = 0
    unit: str = ""
    stop: str = ""
    names: tuple[str, ...] = ()


def explain_refusal(timetable: Timetable, stop: Stop) -> list[Obstacle]:
    """For every van what stands against a stop (not in the plan, its place in the matrices), the nearest first."""
    windows = permitted(stop)
    if not windows:
        return [Obstacle(Reason.CLOSED)]
    if not timetable.tables:
        return [Obstacle(Reason.NO_VEHICLE)]
    found = [_against(timetable.only([van]), stop, windows) for van in timetable.tables]
    return sorted(found, key=lambda obstacle: (-_nearness(obstacle), obstacle.by, obstacle.vehicle))


def explain_pair(timetable: Timetable, collect: Stop, bring: Stop) -> list[Obstacle]:
    """The same for what is collected on the way: `collection` where the first half is in the way."""
    found = []
    for van in timetable.tables:
        answer = best_pair(timetable.only([van]), collect, bring)
        found.append(Obstacle(answer.code if isinstance(answer, Refusal) else FITS, van))
    return sorted(found, key=lambda obstacle: (-_nearness(obstacle), obstacle.vehicle))


def explain_unserved(timetable: Timetable, stop_id: str) -> list[Obstacle]:
    """Why a stop is in the problem and on no van: what stands against it now, `fits` where it could be served today."""
    stop = timetable.problem.stop[stop_id]
    other = timetable.problem.stop.get(stop.pair)
    if other is not None and other.id not in timetable.vehicle_of:
        return explain_pair(timetable.without(stop_id), *((stop, other) if stop.collects else (other, stop)))
    return explain_refusal(timetable.without(stop_id), stop)


def _nearness(obstacle: Obstacle) -> int:
    if obstacle.code == FITS:
        return len(RANK)
    return RANK[Reason.OTHERS] if obstacle.code in (SHIFT_END, BREAK) else RANK[Reason(obstacle.code)]


def _against(one: Timetable, stop: Stop, windows: tuple[Window, ...]) -> Obstacle:
    (table,) = one.tables.values()
    van = table.vehicle.id
    reason = barred(one.problem, table, stop)
    if reason is not None:
        return _never(table, stop, reason)
    if isinstance(best_insertion(one, stop), Insertion):
        return Obstacle(FITS, van)
    approach = known_approach(one, stop)
    ways = ways_in(one, stop, approach, np.ones(1, dtype=np.bool_))
    if not ways.may.any():
        return _no_way(one, stop, approach, ways.reason)
    fit = fits(one, stop, windows, approach, ways)
    late = fit.start - windows[-1][1]
    if not (ways.may & fit.in_time).any():
        return Obstacle(Reason.WINDOW, van, int(late[ways.may].min()), "seconds")
    return _harm(one, stop, windows, approach, ways, fit)


def _never(table: RouteTable, stop: Stop, reason: Reason) -> Obstacle:
    van = table.vehicle
    if reason == Reason.SKILLS:
        return Obstacle(reason, van.id, names=tuple(sorted(stop.skills - van.skills)))
    if reason == Reason.ZONE:
        return Obstacle(reason, van.id, names=(stop.zone,))
    if reason == Reason.DEPOT:
        return Obstacle(reason, van.id, names=tuple(sorted(stop.depots)))
    if reason == Reason.MAX_STOPS:
        return Obstacle(reason, van.id, 1 + table.customers - (van.max_stops or 0), "stops")
    return Obstacle(reason, van.id)


def _no_way(one: Timetable, stop: Stop, approach: Approach, reason: Reason) -> Obstacle:
    (table,) = one.tables.values()
    van = table.vehicle.id
    if reason == Reason.CAPACITY:
        by, unit = _overload(one, stop)
        return Obstacle(reason, van, by, unit)
    if reason == Reason.RANGE:
        over = approach.to_metres + approach.away_metres - one.gaps.metres - one.rooms.metres
        return Obstacle(reason, van, int(over.min()), "metres")
    return Obstacle(reason, van)


def _overload(one: Timetable, stop: Stop) -> tuple[int, str]:
    """The dimension that is most over, in parts of what the van carries, at the gap with the most room."""
    rooms = one.rooms
    brings, takes = np.array(triple(stop.brings)), np.array(triple(stop.takes))
    front = rooms.front if stop.loaded_on is None else rooms.whole
    over = np.maximum(brings - front, takes - rooms.back)
    (table,) = one.tables.values()
    share = over / np.maximum(np.array(triple(table.vehicle.capacity)), 1)
    gap = int(np.argmin(share.max(axis=1)))
    column = int(np.argmax(share[gap]))
    return int(over[gap, column]), ("grams", "cubic_centimetres", "pieces")[column]


def _harm(
    one: Timetable, stop: Stop, windows: tuple[Window, ...], approach: Approach, ways: Ways, fit: Fit
) -> Obstacle:
    """Who would suffer, by how much, where the stop does the least harm."""
    (table,) = one.tables.values()
    over = np.where(ways.may & fit.in_time, fit.onward - one.gaps.latest, 2**60)
    number = int(np.argmin(over))
    after = hypothetical(one, number, stop, windows, approach)
    by = max(1, int(min(over[number], 2**31)))
    for other, limits, at in zip(after.stops, after.limits.windows, after.times, strict=True):
        if not limits or at.start > limits[-1][1]:
            late = at.start - limits[-1][1] if limits else by
            return Obstacle(Reason.OTHERS, table.vehicle.id, late, "seconds", stop=other.id)
    for latest, start in zip(after.limits.rests, after.driven.rests, strict=False):
        if start > latest:
            return Obstacle(BREAK, table.vehicle.id, start - latest, "seconds")
    return Obstacle(SHIFT_END, table.vehicle.id, max(1, after.back - after.limits.end), "seconds")
