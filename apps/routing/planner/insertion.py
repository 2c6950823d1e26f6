"""The instant answer: where one more stop fits best, exactly, over all vans and positions, breaking nothing.

Cost is driving time. An insertion is accepted only when the stop starts inside its own windows and promise and every
stop behind it still keeps its own; what the standing plan is late for already may stay so, and never becomes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.intervals import Instants, intersect, lateness, next_start, next_starts, permitted
from apps.routing.planner.problem import Problem, Stop, Window
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.timetable import Gaps, RouteTable, Timetable
from apps.routing.planner.travel import UNREACHABLE

__all__ = [
    "Candidate",
    "FrozenStop",
    "Insertion",
    "Refusal",
    "Timetable",
    "applied",
    "apply",
    "best_insertion",
    "change",
    "least_late",
    "merged",
    "remove",
]

type Mask = npt.NDArray[np.bool_]
_RANK = {reason: rank for rank, reason in enumerate(Reason)}
_FAR = 2**60


@dataclass(frozen=True, slots=True)
class Insertion:
    """A place in the plan: before the stop now at `position` of the van's route.

    `added_seconds` and `added_metres` are driving; `arrival` and `start` are simulated; `slack` is how many seconds
    later service could start with everything still in order. With `merge_into` the stop joins that visit instead.
    `late` is above 0 only for an answer of `least_late`.
    """

    vehicle: str
    position: int
    added_seconds: int
    added_metres: int
    arrival: int
    start: int
    slack: int
    merge_into: str | None = None
    late: int = 0
    added_minor_units: int = 0
    added_grams_co2e: int = 0
    green: bool = False
    breaks: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """No position holds: the reason of the candidate that came closest."""

    code: Reason


class FrozenStop(ValueError):
    """The stop may not be taken out any more."""


class Approach(NamedTuple):
    """Seconds and metres from each gap's first node to the new stop and on to its second node."""

    to: Instants
    away: Instants
    to_metres: Instants
    away_metres: Instants


class Fit(NamedTuple):
    """What inserting into each gap would mean."""

    arrival: Instants
    start: Instants
    onward: Instants
    """Arrival at the gap's second node."""
    added: Instants
    in_time: Mask
    reachable: Mask
    holds: Mask
    """In time, reachable, on a van that may, and nothing behind it breaks."""


class Candidate:
    """One stop against one plan: what is the same for every window it may ask for is worked out once."""

    def __init__(self, timetable: Timetable, stop: Stop) -> None:
        self.timetable = timetable
        self.able, self.reason = eligible(timetable, stop)
        self.approach = known_approach(timetable, stop)

    def best(self, stop: Stop) -> Insertion | Refusal:
        """The cheapest place; the stop may differ from the first one in its windows and promise only."""
        intervals = permitted(stop)
        if not intervals:
            return Refusal(Reason.CLOSED)
        joined = best_merge(self.timetable, stop, self.able)
        if joined is not None:
            return joined
        if not self.able.any():
            return Refusal(self.reason)
        fit = fits(self.timetable.gaps, self.approach, stop.service, intervals, self.able)
        return choose(self.timetable, intervals, self.approach, fit)


def best_insertion(timetable: Timetable, stop: Stop) -> Insertion | Refusal:
    """The cheapest place for a stop that is not in the plan; ties go to the first van and position."""
    return Candidate(timetable, stop).best(stop)


def change(timetable: Timetable, stop: Stop) -> tuple[Timetable, Insertion | Refusal]:
    """A stop of the plan asks for something else (another window or place in the matrix, more service).

    Returns the plan without it, and where its new form fits best there. Raises FrozenStop.
    """
    bare = remove(timetable, stop.id)
    van = timetable.vehicle_of.get(stop.id)
    if van is not None and not bare.tables[van].holds:  # roads where the detour is the faster way
        return bare, Refusal(Reason.OTHERS)
    return bare, best_insertion(bare, stop)


def remove(timetable: Timetable, stop_id: str) -> Timetable:
    """The plan without the stop. Raises FrozenStop when the van is already on its way there."""
    van = timetable.vehicle_of.get(stop_id)
    if van is not None:
        route = timetable.tables[van].route
        if stop_id in route.stops[: route.frozen]:
            raise FrozenStop(f"stop {stop_id} is frozen: the van is on its way")
    return timetable.without(stop_id)


def apply(solution: Solution, insertion: Insertion, stop: Stop) -> Solution:
    """The plan with the insertion made. A stop that joins another visit leaves the order as it is."""
    bare = solution.without(stop.id)
    if insertion.merge_into is not None:
        return bare
    route = bare.route.get(insertion.vehicle, Route(insertion.vehicle))
    return bare.with_route(route.inserted(insertion.position, stop.id))


def merged(problem: Problem, insertion: Insertion, stop: Stop) -> Problem:
    """The problem that goes with `apply`: the stop added, or joined with the visit it merges into."""
    if insertion.merge_into is None:
        return problem.with_stop(stop)
    return problem.without_stop(stop.id).with_stop(join(problem.stop[insertion.merge_into], stop))


def applied(timetable: Timetable, insertion: Insertion, stop: Stop) -> Timetable:
    """`apply` and `merged` at once, on the numbers: only the touched van is computed anew."""
    bare = timetable.without(stop.id)
    problem = merged(bare.problem, insertion, stop)
    route = bare.tables[insertion.vehicle].route
    if insertion.merge_into is None:
        route = route.inserted(insertion.position, stop.id)
    return bare.with_route(route, problem)


def join(visit: Stop, stop: Stop) -> Stop:
    """One visit for both: the longer service by one more parcel, what is common of their times, no new approach."""
    windows = visit.windows
    common = tuple(piece for window in stop.windows for piece in intersect(windows, window))
    promises = [promise for promise in (visit.promise, stop.promise) if promise is not None]
    promise = (max(first for first, _ in promises), min(last for _, last in promises)) if promises else None
    return visit.replace(
        windows=tuple(sorted(common)),
        promise=promise,
        service=_service_of_both(visit, stop),
        load=visit.load + stop.load,
        loaded_on=visit.loaded_on or stop.loaded_on,
        collects=visit.collects and stop.collects,
        skills=visit.skills | stop.skills,
        members=(*visit.members, stop.id, *stop.members),
    )


def _service_of_both(visit: Stop, stop: Stop) -> int:
    """The longest handing over of all, and `per_parcel` for each other one."""
    own, new = len(visit.members), len(stop.members)
    longest = max(visit.service - stop.per_parcel * own, stop.service - stop.per_parcel * new)
    return longest + stop.per_parcel * (own + new + 1)


def eligible(timetable: Timetable, stop: Stop) -> tuple[Mask, Reason]:
    """Which vans may bring the stop at all, and the nearest reason of those that may not."""
    reasons = [barred(timetable.problem, table, stop) for table in timetable.tables.values()]
    able = np.array([reason is None for reason in reasons], dtype=np.bool_)
    named = [reason for reason in reasons if reason is not None]
    return able, max(named, key=_RANK.__getitem__, default=Reason.NO_VEHICLE)


def barred(problem: Problem, table: RouteTable, stop: Stop) -> Reason | None:
    """Why this van may not bring the stop at all; None when it may."""
    van = table.vehicle
    if stop.loaded_on is not None and stop.loaded_on != van.id:
        return Reason.NO_VEHICLE
    if not stop.skills <= van.skills:
        return Reason.SKILLS
    if van.zones and stop.zone not in van.zones:
        return Reason.ZONE
    if van.started and stop.loaded_on is None and not stop.collects:
        return Reason.LEFT_DEPOT
    if (table.load + stop.load).fits(van.capacity):
        return None
    on_board = stop.loaded_on is not None and all(problem.stop[other].loaded_on for other in table.route.stops)
    return None if on_board else Reason.CAPACITY


def known_approach(timetable: Timetable, stop: Stop) -> Approach:
    """The travel of a stop whose location stands in the matrices, gathered for every gap."""
    gaps = timetable.gaps
    columns = Approach(*(np.zeros(gaps.van.size, dtype=np.int64) for _ in range(4)))
    for profile, numbers in timetable.profiles.items():
        travel = timetable.problem.travel[profile]
        before, after = gaps.before[numbers], gaps.after[numbers]
        columns.to[numbers] = travel.seconds[before, stop.location]
        columns.away[numbers] = travel.seconds[stop.location, after]
        columns.to_metres[numbers] = travel.metres[before, stop.location]
        columns.away_metres[numbers] = travel.metres[stop.location, after]
    return columns


def fits(gaps: Gaps, approach: Approach, service: int, intervals: tuple[Window, ...], able: Mask) -> Fit:
    """Try every gap at once."""
    arrival = gaps.ready + approach.to
    start, in_time = next_starts(intervals, arrival)
    onward = start + service + approach.away
    added = approach.to + approach.away - gaps.leg
    reachable = (approach.to < UNREACHABLE) & (approach.away < UNREACHABLE) & able[gaps.van]
    holds = reachable & in_time & (onward <= gaps.latest)
    return Fit(arrival, start, onward, added, in_time, reachable, holds)


def choose(timetable: Timetable, intervals: tuple[Window, ...], approach: Approach, fit: Fit) -> Insertion | Refusal:
    """The cheapest gap that holds, or how far the best candidate came."""
    if not fit.holds.any():
        return Refusal(refused_because(fit))
    number = int(np.argmin(np.where(fit.holds, fit.added, _FAR)))
    return insertion_at(timetable, number, intervals, approach, fit)


def refused_because(fit: Fit) -> Reason:
    if not fit.reachable.any():
        return Reason.UNREACHABLE
    return Reason.OTHERS if (fit.reachable & fit.in_time).any() else Reason.WINDOW


def insertion_at(
    timetable: Timetable, number: int, intervals: tuple[Window, ...], approach: Approach, fit: Fit
) -> Insertion:
    """The insertion into one gap."""
    gaps = timetable.gaps
    start = int(fit.start[number])
    spare = int(gaps.latest[number] - fit.onward[number])
    closes = next((closes for _, closes in intervals if start <= closes), start)
    metres = int(approach.to_metres[number] + approach.away_metres[number] - gaps.metres[number])
    return Insertion(
        vehicle=timetable.vans[int(gaps.van[number])],
        position=int(gaps.position[number]),
        added_seconds=int(fit.added[number]),
        added_metres=metres,
        arrival=int(fit.arrival[number]),
        start=start,
        slack=min(closes - start, spare),
    )


def best_merge(timetable: Timetable, stop: Stop, able: Mask) -> Insertion | None:
    """The visit of the same merge key that the stop can join soonest, if any holds."""
    if not stop.merge_key:
        return None
    found: list[Insertion] = []
    for may, table in zip(able.tolist(), timetable.tables.values(), strict=True):
        if may:
            found += _merges(timetable.problem, table, stop)
    return min(found, key=lambda insertion: insertion.start, default=None)


def _merges(problem: Problem, table: RouteTable, stop: Stop) -> list[Insertion]:
    found: list[Insertion] = []
    frozen, legs = table.route.frozen, table.legs
    for index in range(frozen, len(table.route.stops)):
        visit = problem.stop[table.route.stops[index]]
        if visit.merge_key != stop.merge_key or visit.location != stop.location:
            continue
        both = join(visit, stop)
        intervals = permitted(both)
        arrival = table.times[index].arrival
        start = next_start(intervals, arrival)
        spare = table.latest[index + 1] - (start + both.service + legs[index + 1])
        if lateness(intervals, start) == 0 and spare >= 0:
            closes = next(closes for _, closes in intervals if start <= closes)
            slack = min(closes - start, spare)
            found.append(Insertion(table.vehicle.id, index, 0, 0, arrival, start, slack, merge_into=visit.id))
    return found


def least_late(timetable: Timetable, stop: Stop) -> Insertion | Refusal:
    """Where a stop that fits nowhere does the least harm: a warm start for repair, never an answer to a customer.

    Harm is the stop's own lateness plus how far the tightest stop behind it is pushed over its limit.
    """
    able, reason = eligible(timetable, stop)
    intervals = permitted(stop) or stop.windows
    if not able.any() or not intervals:
        return Refusal(reason if not able.any() else Reason.CLOSED)
    gaps, approach = timetable.gaps, known_approach(timetable, stop)
    fit = fits(gaps, approach, stop.service, intervals, able)
    if not fit.reachable.any():
        return Refusal(Reason.UNREACHABLE)
    late = np.maximum(fit.start - intervals[-1][1], 0) + np.maximum(fit.onward - gaps.latest, 0)
    late[~fit.reachable] = _FAR
    number = int(np.lexsort((fit.added, late))[0])
    found = insertion_at(timetable, number, intervals, approach, fit)
    return Insertion(
        found.vehicle,
        found.position,
        found.added_seconds,
        found.added_metres,
        found.arrival,
        found.start,
        slack=0,
        late=int(late[number]),
    )
