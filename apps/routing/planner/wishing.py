"""What it costs to come outside the part of its window that somebody would like best (`Stop.wish`).

A wish is no limit and no promise: nobody waits for it, and nothing is refused for it. A minute that service starts
outside it costs `Policy.wish_per_minute` seconds of driving.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from apps.routing.planner.checked import Window
from apps.routing.planner.intervals import Instants, intersect
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.prices import units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.timetable import RouteTable

_A_DAY: Final = 86_400
"""Farther outside counts no more: rows that nobody reaches hold starts beyond all days."""


def outside(stop: Stop, start: int) -> int:
    """Seconds that a start lies outside the stop's wish; 0 without one."""
    return 0 if stop.wish is None else max(0, stop.wish[0] - start, start - stop.wish[1])


def prices(problem: Problem, stop: Stop, intervals: Sequence[Window], starts: Instants) -> Instants | None:
    """What each start costs in units of price; None for a stop without a wish, or one that none of the times meets."""
    if stop.wish is None or not intersect(intervals, stop.wish):
        return None
    seconds = np.maximum(np.maximum(stop.wish[0] - starts, starts - stop.wish[1]), 0)
    found: Instants = np.minimum(seconds, _A_DAY) * (PLAIN.wish_per_minute * units_per_second(problem)) // 60
    return found


def lost_by_others(before: RouteTable, after: RouteTable, but: str) -> int:
    """Seconds that the van's other stops lie farther outside their wishes than before; negative where less far."""
    return _seconds(after, but) - _seconds(before, but)


def _seconds(table: RouteTable, but: str) -> int:
    pairs = zip(table.stops, table.times, strict=True)
    return sum(outside(stop, times.start) for stop, times in pairs if stop.id != but)


def common(windows: Sequence[Window], wishes: Iterable[Window]) -> Window | None:
    """What several wishes share, as far as the hull of the windows reaches; None where they share nothing."""
    known = list(wishes)
    if not windows or not known:
        return None
    first = max(windows[0][0], *(earliest for earliest, _ in known))
    last = min(windows[-1][1], *(latest for _, latest in known))
    return (first, last) if first <= last else None
