"""Exact insertion of a place that stands in no matrix, with as few road queries as possible.

Rows of the nearest known places give, by the triangle inequality, a lower bound for every gap of the plan; exact rows
are then asked for the gaps whose bound can still win. The answer equals the one from full rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.answers import Insertion, Refusal, found_at
from apps.routing.planner.approach import Approach, no_way, slow
from apps.routing.planner.eligible import Mask, eligible
from apps.routing.planner.fitting import FAR, Fit, Ways, fits, refused_because, ways_in
from apps.routing.planner.insertion import cheapest
from apps.routing.planner.intervals import Instants, permitted
from apps.routing.planner.problem import Problem, Stop, Window
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import Indices, Timetable
from apps.routing.planner.travel import UNREACHABLE, Travel
from apps.routing.planner.wishing import prices as wish_prices

SEEDS: Final = 8
BATCH: Final = 8
"""Gaps whose exact rows are asked for in one query."""

SHORTCUT: Final = 45
"""Seconds that a way over a third place may be faster than the direct one: turning round is free where one stops.

Measured over the demo extract: 1 triple in 1,800 by more than 3 s, none by more than 42 s.
"""


class PlaceRows(NamedTuple):
    """Exact travel between known locations and the new place, one value per location asked for."""

    to_seconds: npt.NDArray[np.int32]
    from_seconds: npt.NDArray[np.int32]
    to_metres: npt.NDArray[np.int32]
    from_metres: npt.NDArray[np.int32]


type Rows = Callable[[str, Sequence[int]], PlaceRows]
"""(vehicle profile, known location indices) -> travel from them to the new place (`to`) and back (`from`)."""


class PlaceTravel:
    """What is known of the travel between one new place and the known locations of one profile; asks for more."""

    def __init__(self, profile: str, seconds: npt.NDArray[np.int32], rows: Rows) -> None:
        size = seconds.shape[0]
        self.profile = profile
        self.seconds = seconds
        self.rows = rows
        self.known = np.zeros(size, dtype=np.bool_)
        self.columns = tuple(np.zeros(size, dtype=np.int64) for _ in range(4))
        self.to_bound = np.zeros(size, dtype=np.int64)
        self.from_bound = np.zeros(size, dtype=np.int64)

    def fetch(self, locations: npt.NDArray[np.intp]) -> None:
        """Ask for the exact rows of these locations, except those that are known, and sharpen the bounds by them."""
        wanted = np.unique(locations)
        wanted = wanted[~self.known[wanted]]
        if not wanted.size:
            return
        answer = self.rows(self.profile, wanted.tolist())
        for column, values in zip(self.columns, answer, strict=True):
            column[wanted] = values
        self.known[wanted] = True

    def bound_by(self, seeds: npt.NDArray[np.intp]) -> None:
        """Lower bounds from and to every location: no way is shorter than the detour over a seed allows."""
        to_seed = self.seconds[:, seeds].astype(np.int64)
        from_seed = self.seconds[seeds, :].astype(np.int64)
        to, away = self.columns[0], self.columns[1]
        self.to_bound = np.maximum((to_seed - away[seeds][None, :]).max(axis=1) - SHORTCUT, 0)
        self.from_bound = np.maximum((from_seed - to[seeds][:, None]).max(axis=0) - SHORTCUT, 0)

    def best_known(self, before: npt.NDArray[np.intp], after: npt.NDArray[np.intp]) -> tuple[Instants, Instants]:
        """Exact seconds where known, bounds elsewhere."""
        to = np.where(self.known[before], self.columns[0][before], self.to_bound[before])
        away = np.where(self.known[after], self.columns[1][after], self.from_bound[after])
        return to, away


class NewPlace:
    """One new place against plans over one matrix; keeps the rows it has, so more windows cost few more queries.

    Its traffic zone is that of the nearest known place.
    """

    def __init__(self, nearest: Sequence[int], rows: Rows) -> None:
        self.seeds = np.array(nearest[:SEEDS], dtype=np.intp)
        self.rows = rows
        self.travel: dict[str, PlaceTravel] = {}

    def best(self, timetable: Timetable, stop: Stop, windows: tuple[Window, ...] | None = None) -> Insertion | Refusal:
        """The cheapest place; `windows` replace the stop's permitted starts."""
        intervals = permitted(stop) if windows is None else windows
        if not intervals:
            return Refusal(Reason.CLOSED)
        able, reason = eligible(timetable, stop)
        if not able.any():
            return Refusal(reason)
        self._seed(timetable, able)
        while True:
            approach, exact = self.approach(timetable)
            ways = ways_in(timetable, stop, approach, able)
            fit = fits(timetable, stop, intervals, approach, ways)
            sure = fit._replace(holds=fit.holds & exact)
            number, best = -1, FAR
            if sure.holds.any():
                number, best = cheapest(timetable, stop, intervals, approach, ways, sure)
            wish = wish_prices(timetable.problem, stop, intervals, fit.start)
            to_beat = best + (int(wish[number]) if wish is not None and number >= 0 else 0)
            open_gaps = self._open(timetable, ways, fit, exact, to_beat)
            if not open_gaps.size:
                break
            self._ask(timetable, open_gaps[np.argsort(ways.price[open_gaps], kind="stable")[:BATCH]])
        if number < 0:
            return Refusal(refused_because(ways, fit))
        return found_at(timetable, number, stop, intervals, approach, fit, best)

    def _open(self, timetable: Timetable, ways: Ways, fit: Fit, exact: Mask, best: int) -> Indices:
        """Gaps whose bound may still win. Less overtime than now may make one cheaper than its way says."""
        floor, paid = ways.price, timetable.overtimers
        if paid is not None:
            floor = floor - np.maximum(paid, 0)[timetable.gaps.van]
        return np.flatnonzero(fit.holds & ~exact & (floor <= best))

    def seed(self, timetable: Timetable, stop: Stop) -> None:
        """The first rows for whoever may bring the stop."""
        self._seed(timetable, eligible(timetable, stop)[0])

    def fetch(self, profile: str, locations: Sequence[int]) -> None:
        """Exact rows of these locations, which then count as known."""
        self.travel[profile].fetch(np.asarray(locations, dtype=np.intp))

    def detours(self, profile: str, locations: Sequence[int]) -> list[int]:
        """Seconds there and back: exact where known, at least so many elsewhere."""
        if profile not in self.travel:
            return [UNREACHABLE] * len(locations)
        there = np.asarray(locations, dtype=np.intp)
        to, away = self.travel[profile].best_known(there, there)
        found: list[int] = (to + away).tolist()
        return found

    def size(self, problem: Problem) -> int:
        """The location that the place has in `grown` matrices."""
        return next(iter(problem.travel.values())).size

    def grown(self, problem: Problem) -> Problem:
        """The problem over matrices in which the place stands last. `fill` puts in what is known of its ways."""
        travel = {
            name: Travel(_larger(known.seconds), _larger(known.metres), known.exact)
            for name, known in problem.travel.items()
        }
        return problem.grown(travel, int(self.seeds[0]) if self.seeds.size else 0)

    def fill(self, problem: Problem) -> None:
        """Put every known way into the matrices of `grown`, which are nobody else's."""
        for profile, travel in self.travel.items():
            seconds, metres = problem.travel[profile].seconds, problem.travel[profile].metres
            known = np.flatnonzero(travel.known)
            seconds[known, -1], seconds[-1, known] = travel.columns[0][known], travel.columns[1][known]
            metres[known, -1], metres[-1, known] = travel.columns[2][known], travel.columns[3][known]

    def _seed(self, timetable: Timetable, able: npt.NDArray[np.bool_]) -> None:
        """First rows of every profile that has a van to bring the stop; the others are never asked."""
        for profile, numbers in timetable.profiles.items():
            if profile in self.travel or not able[timetable.gaps.van[numbers]].any():
                continue
            travel = PlaceTravel(profile, timetable.problem.travel[profile].seconds, self.rows)
            if self.seeds.size:
                travel.fetch(self.seeds)
                travel.bound_by(self.seeds)
            self.travel[profile] = travel

    def approach(self, timetable: Timetable) -> tuple[Approach, npt.NDArray[np.bool_]]:
        """What is known of the way into every gap, and for which gaps that is exact: elsewhere it is a lower bound."""
        gaps, columns = timetable.gaps, no_way(timetable)
        exact = np.ones(gaps.van.size, dtype=np.bool_)
        for numbers in timetable.profiles.values():
            columns.to[numbers] = columns.away[numbers] = UNREACHABLE  # until seeded
        for profile, travel in self.travel.items():
            numbers = timetable.profiles.get(profile, np.zeros(0, dtype=np.intp))
            before, after = gaps.before[numbers], gaps.after[numbers]
            columns.to[numbers], columns.away[numbers] = travel.best_known(before, after)
            columns.to_metres[numbers] = travel.columns[2][before]
            columns.away_metres[numbers] = travel.columns[3][after]
            exact[numbers] = travel.known[before] & travel.known[after]
            traffic = timetable.problem.traffic.get(profile)
            if traffic is not None and self.seeds.size:
                columns.zone[numbers] = traffic.zone_of_location[int(self.seeds[0])]
        slow(timetable, columns)
        return columns, exact

    def _ask(self, timetable: Timetable, numbers: npt.NDArray[np.intp]) -> None:
        gaps = timetable.gaps
        for profile, travel in self.travel.items():
            asked = np.intersect1d(numbers, timetable.profiles[profile])
            if asked.size:
                travel.fetch(np.concatenate((gaps.before[asked], gaps.after[asked])))


def _larger(matrix: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    size = matrix.shape[0]
    found = np.full((size + 1, size + 1), UNREACHABLE, dtype=np.int32)
    found[:size, :size], found[size, size] = matrix, 0
    return found


def best_for_new_place(timetable: Timetable, stop: Stop, nearest: Sequence[int], rows: Rows) -> Insertion | Refusal:
    """The cheapest place for a stop whose location is in no matrix (`NEW_PLACE`).

    `nearest` are known location indices, nearest first (by air is good enough; eight are used); `rows` answers exact
    travel between the new place and the locations it is asked for. Equal to `best_insertion` with full rows.
    """
    return NewPlace(nearest, rows).best(timetable, stop)
