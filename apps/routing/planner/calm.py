"""The quiet place for a stop: of the gaps that cost little more than the cheapest, one that moves few others.

A stop put into the middle of a route makes everybody behind it later; into a gap before a wait, or towards the end, it
disturbs nobody. The standing plan says when everybody was expected before the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from apps.routing.planner.answers import found_at, hypothetical
from apps.routing.planner.approach import Approach, known_approach
from apps.routing.planner.eligible import Mask, eligible
from apps.routing.planner.fitting import FAR, fits, ways_in
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, added_overtime, best_insertion
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import CALM, Policy
from apps.routing.planner.new_place import NewPlace
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import Stop, Window
from apps.routing.planner.timetable import RouteTable
from apps.routing.planner.wishing import lost_by_others
from apps.routing.planner.wishing import prices as wish_prices

TRIED: Final = 16
"""Gaps that are looked at, cheapest first: half a millisecond each."""

NOTICED: Final = 600
"""Seconds by which a start moves before its customer minds."""


def calmest_insertion(
    standing: Timetable, bare: Timetable, stop: Stop, *, place: NewPlace | None = None, policy: Policy = CALM
) -> Insertion | Refusal:
    """Like `insertion.best_insertion` into `bare`, with the policy's price (`quiet`) on everybody whom it moves.

    `standing` is the plan before the change, whose times are what people were told. Of a new place only the gaps are
    compared whose rows are known once the cheapest is found.
    """
    cheapest = best_insertion(bare, stop) if place is None else place.best(bare, stop)
    return Calm(standing, bare, stop, place=place, policy=policy).instead_of(cheapest, permitted(stop))


class Calm:
    """One stop against one plan, for as many windows as are asked: what no window changes is worked out once."""

    def __init__(
        self,
        standing: Timetable,
        bare: Timetable,
        stop: Stop,
        *,
        place: NewPlace | None = None,
        policy: Policy = CALM,
    ) -> None:
        self.standing, self.bare, self.stop, self.place = standing, bare, stop, place
        unit = units_per_second(bare.problem)
        self.quiet, self.per_minute = policy.quiet * unit, policy.wish_per_minute * unit
        self._known: _Gaps | None = None

    def instead_of(self, cheapest: Insertion | Refusal, intervals: tuple[Window, ...]) -> Insertion | Refusal:
        """The calmest place with a start inside the intervals, of which the cheapest is known already."""
        if isinstance(cheapest, Refusal) or cheapest.merge_into is not None or not self.quiet:
            return cheapest
        # More rows of a new place are known with every answer.
        if self._known is None or self.place is not None:
            self._known = _Gaps(self.standing, self.bare, self.stop, self.place)
        return self._known.calmest(cheapest, self.quiet, self.per_minute, intervals)


class _Gaps:
    """All gaps for one stop, and whom each of them would disturb."""

    def __init__(self, standing: Timetable, bare: Timetable, stop: Stop, place: NewPlace | None) -> None:
        self.standing, self.bare, self.stop = standing, bare, stop
        self.approach, self.exact = self._known() if place is None else place.approach(bare)
        self.ways = ways_in(bare, stop, self.approach, eligible(bare, stop)[0])
        lost = standing.vehicle_of.get(stop.id)
        self.lost = None if lost is None else lost, 0 if lost is None else self._noticed(bare.tables[lost])

    def _known(self) -> tuple[Approach, Mask]:
        return known_approach(self.bare, self.stop), np.ones(self.bare.gaps.van.size, dtype=np.bool_)

    def calmest(self, cheapest: Insertion, quiet: int, per_minute: int, intervals: tuple[Window, ...]) -> Insertion:
        """The gap with the least price, everybody who would notice added, and every wish on the van that gets it."""
        fit = fits(self.bare, self.stop, intervals, self.approach, self.ways)
        rows = np.flatnonzero(fit.holds & self.exact)
        wish = wish_prices(self.bare.problem, self.stop, intervals, fit.start)
        weighed = self.ways.price if wish is None else self.ways.price + wish
        rows = rows[np.argsort(weighed[rows], kind="stable")][:TRIED]
        best, chosen, price = FAR, -1, 0
        for row in rows.tolist():
            own, wished = int(self.ways.price[row]), int(weighed[row] - self.ways.price[row])
            if own + wished >= best:
                break
            if self.bare.overtimers is not None:
                own += added_overtime(self.bare, row, self.stop, intervals, self.approach)
            after = hypothetical(self.bare, row, self.stop, intervals, self.approach)
            total = own + wished + quiet * self._moved(after)
            if self.bare.problem.wished:
                total += lost_by_others(self.bare.table_at(row), after, self.stop.id) * per_minute // 60
            if total < best:
                best, chosen, price = total, row, own
        if chosen < 0:
            return cheapest
        return found_at(self.bare, chosen, self.stop, intervals, self.approach, fit, price)

    def _moved(self, after: RouteTable) -> int:
        """Customers who would notice, on the van that gets the stop and on the one that loses it."""
        van, noticed = self.lost
        return self._noticed(after) + (0 if van == after.vehicle.id else noticed)

    def _noticed(self, table: RouteTable) -> int:
        return noticed(self.standing, [table], self.stop.id)


def noticed(standing: Timetable, tables: Iterable[RouteTable], but: str) -> int:
    """Customers of these routes whose start has moved too far to go unnoticed; `but` is whoever asked for it."""
    expected, count = standing.starts, 0
    for table in tables:
        for stop, times in zip(table.stops, table.times, strict=True):
            before = expected.get(stop.id, times.start)
            count += abs(before - times.start) > NOTICED and stop.id != but and not stop.is_reload
    return count
