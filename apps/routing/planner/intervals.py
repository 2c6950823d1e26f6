"""Arithmetic on a stop's permitted starts: sorted, disjoint, closed intervals of whole seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import Stop, Window

type Instants = npt.NDArray[np.int64]

NEVER = -(2**40)
"""A latest arrival that nothing can meet."""


def intersect(windows: Sequence[Window], other: Window) -> tuple[Window, ...]:
    """The parts of the windows that lie inside the other one."""
    opens, closes = other
    if len(windows) == 1:  # nearly every stop
        first, last = max(windows[0][0], opens), min(windows[0][1], closes)
        return ((first, last),) if first <= last else ()
    cut = ((max(a, opens), min(b, closes)) for a, b in windows)
    return tuple((a, b) for a, b in cut if a <= b)


def permitted(stop: Stop) -> tuple[Window, ...]:
    """When service may start: inside a window and inside the promise."""
    return stop.windows if stop.promise is None else intersect(stop.windows, stop.promise)


def next_start(intervals: Sequence[Window], arrival: int) -> int:
    """Earliest permitted start; the arrival itself when all are over (then the stop is late)."""
    for opens, closes in intervals:
        if arrival <= closes:
            return arrival if arrival > opens else opens
    return arrival


def opening(intervals: Sequence[Window], start: int) -> int | None:
    """When the interval opens in which the service starts; None for a start outside all of them."""
    return next((opens for opens, closes in intervals if opens <= start <= closes), None)


def latest_start(intervals: Sequence[Window], limit: int) -> int:
    """Latest permitted start that is not after the limit, or NEVER. Every earlier arrival can be in time as well."""
    for opens, closes in reversed(intervals):
        if opens <= limit:
            return closes if closes < limit else limit
    return NEVER


def lateness(intervals: Sequence[Window], start: int) -> int:
    """Seconds after the last permitted start; a stop without any is late from the first second."""
    if not intervals:
        return 1
    return max(0, start - intervals[-1][1])


def next_starts(intervals: Sequence[Window], arrivals: Instants) -> tuple[Instants, npt.NDArray[np.bool_]]:
    """`next_start` for many arrivals, and which of them are in time."""
    if len(intervals) == 1:
        ((opens, closes),) = intervals
        return np.maximum(arrivals, opens), arrivals <= closes
    starts = arrivals.copy()
    in_time = np.zeros(arrivals.shape, dtype=np.bool_)
    for opens, closes in reversed(intervals):
        fits = arrivals <= closes
        starts[fits] = np.maximum(arrivals[fits], opens)
        in_time |= fits
    return starts, in_time
