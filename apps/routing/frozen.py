"""How much of the route of a van on the road stays as it is."""

from collections.abc import Mapping, Sequence

from apps.routing.rows import DropRow, VisitRow
from apps.routing.shift_rows import ShiftRow


def frozen_stops(
    shift: ShiftRow,
    rows: Sequence[VisitRow],
    drops: Mapping[int, list[DropRow]],
    freezes: Mapping[int, tuple[int, int]],
    now: int,
) -> int:
    """How many leading stops a van on the road may no longer change: the one it drives to, at least.

    A stop at a shop is its merchant's as much as the one further on that the van brings it to.
    """
    if shift.departed is None or not rows:
        return 0
    merchant_of = {drop.delivery: drop.merchant for row in rows for drop in drops[row.visit]}
    frozen = 1
    for index, row in enumerate(rows):
        merchants = {drop.merchant for drop in drops[row.visit]}
        if row.collects in merchant_of:
            merchants.add(merchant_of[row.collects])
        for merchant in merchants:
            stops, seconds = freezes.get(merchant, (2, 1200))
            if index < stops or (row.planned is not None and row.planned - now <= seconds):
                frozen = index + 1
    return frozen
