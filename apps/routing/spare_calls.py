"""The calls at its depot that a van may still make: how many, and as which stops."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil

from apps.routing.planner.problem import NO_LOAD, Stop
from apps.routing.shift_rows import ShiftRow
from apps.routing.vans import reload_stop

SPARE_RELOAD = "r"
"""Begins the id of a call at the depot that no plan makes yet, so that no row stands for it."""
MOST_CALLS = 3
"""Calls at the depot that a van may make in a day."""


def spare_calls(
    shifts: Iterable[ShiftRow], made: Mapping[int, int], stops: Iterable[Stop], home: Callable[[ShiftRow], int]
) -> Iterator[Stop]:
    """The calls that vans may make besides those that are planned or behind them (`made`, by shift).

    As many as loads wait that a van could bring, or as it may make at all where its range may ask for them; and one at
    a time once it has left. `home` is the location of the depot a shift starts at.
    """
    waiting = [stop for stop in stops if stop.lies_at_depot]
    for shift in shifts:
        if not shift.can_reload or shift.finished is not None:
            continue
        calls = made.get(shift.shift, 0)
        wanted = MOST_CALLS if shift.range_metres is not None else _loads(shift, waiting)
        left = 1 if shift.departed is not None else max(wanted - calls, 1)
        for number in range(min(left, MOST_CALLS - calls)):
            yield reload_stop(shift, home(shift), f"{SPARE_RELOAD}{shift.shift}.{number}")


def _loads(shift: ShiftRow, stops: Iterable[Stop]) -> int:
    """How often this van could be filled with what the stops in its zone are to get."""
    total = NO_LOAD
    for stop in stops:
        if not shift.zones or stop.zone in shift.zones:
            total += stop.brings
    shares = (
        total.grams / max(1, shift.grams),
        total.cubic_centimetres / max(1, shift.cubic_centimetres),
        total.pieces / max(1, shift.pieces),
    )
    return ceil(max(shares))
