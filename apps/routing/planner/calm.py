"""The quiet place for a stop: of the gaps that cost little more than the cheapest, one that moves few others.

A stop put into the middle of a route makes everybody behind it later; into a gap before a wait, or towards the end, it
disturbs nobody. The standing plan says when everybody was expected before the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from apps.routing.planner.answers import found_at
from apps.routing.planner.fitting import fits
from apps.routing.planner.insertion import Candidate, Insertion, Refusal, Timetable, applied
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import CALM, Policy
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import Stop
from apps.routing.planner.timetable import RouteTable

TRIED: Final = 16
"""Gaps that are looked at, cheapest first: a quarter of a millisecond each."""

NOTICED: Final = 600
"""Seconds by which a start moves before its customer minds."""


def calmest_insertion(standing: Timetable, bare: Timetable, stop: Stop, policy: Policy = CALM) -> Insertion | Refusal:
    """Like `insertion.best_insertion` into `bare`, with the policy's price on everybody whom it moves.

    `standing` is the plan before the change, whose times are what people were told.
    """
    candidate = Candidate(bare, stop)
    cheapest, price = candidate.best(stop), policy.worth_per_moved * units_per_second(bare.problem)
    if isinstance(cheapest, Refusal) or cheapest.merge_into is not None or not price:
        return cheapest
    worst = price * _moved(standing, bare, cheapest, stop)
    if not worst:
        return cheapest
    best, chosen = cheapest.added_units + worst, cheapest
    for other in _others(candidate, stop, best):
        if other.added_units >= best:
            break
        total = other.added_units + price * _moved(standing, bare, other, stop)
        if total < best:
            best, chosen = total, other
    return chosen


def _others(candidate: Candidate, stop: Stop, most: int) -> Iterator[Insertion]:
    """The gaps that hold and cost less than so much, cheapest first."""
    timetable, intervals = candidate.timetable, permitted(stop)
    fit = fits(timetable, stop, intervals, candidate.approach, candidate.ways)
    rows = np.flatnonzero(fit.holds & (candidate.ways.price < most))
    rows = rows[np.argsort(candidate.ways.price[rows], kind="stable")][:TRIED]
    for row in rows.tolist():
        price = int(candidate.ways.price[row])
        yield found_at(timetable, row, stop, intervals, candidate.approach, fit, price)


def _moved(standing: Timetable, bare: Timetable, insertion: Insertion, stop: Stop) -> int:
    """Customers who would notice, on the van that gets the stop and on the one that loses it."""
    into = applied(bare, insertion, stop).tables[insertion.vehicle]
    lost = standing.vehicle_of.get(stop.id)
    count = _noticed(standing, into)
    return count if lost is None or lost == insertion.vehicle else count + _noticed(standing, bare.tables[lost])


def _noticed(standing: Timetable, table: RouteTable) -> int:
    was = standing.tables[table.vehicle.id]
    before = {other: times.start for other, times in zip(was.route.stops, was.times, strict=True)}
    now = zip(table.route.stops, table.times, strict=True)
    return sum(abs(times.start - before[other]) > NOTICED for other, times in now if other in before)
