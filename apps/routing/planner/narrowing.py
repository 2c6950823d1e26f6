"""The pair a page shows: it narrows in steps as the van nears, and never widens or moves without a notice.

Steps are a quarter of an hour, half, one and two hours; what is wider than that is shown as wide as it is. The shown
pair stands for as long as the honest one fits: it may stick out by PATIENCE at either end, as a page that twitches with
every traffic light is believed by nobody. As soon as a narrower step inside the shown pair holds the honest one, that
is shown. When the honest pair no longer fits, a new one is shown and `Told.notice` is set: whoever writes it must log
why.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from apps.routing.planner.eta import MARK, EtaPair

LADDER: Final = (900, 1800, 3600, 7200)
PATIENCE: Final = 300
CUSHION_PERCENT: Final = 15
"""A narrower step is taken when the honest pair fits with so much to spare; else it would soon be left again."""


class Told(NamedTuple):
    """What to show; `notice` when it is not inside what was shown before."""

    pair: EtaPair
    notice: bool = False


def tell(shown: EtaPair | None, honest: EtaPair, expected: int, *, opens: int | None = None) -> Told:
    """What the page shows from now on. Instants are seconds since the epoch; `opens` is when the door opens."""
    if shown is None:
        return Told(_step(honest, opens))
    if fits(shown, honest, expected):
        return Told(_narrower(shown, honest) or shown)
    fresh = _step(honest, opens)
    return Told(fresh, not _inside(fresh, shown))


def fits(shown: EtaPair, honest: EtaPair, expected: int) -> bool:
    """Whether what the page shows may stand."""
    if not shown.earliest <= expected <= shown.latest:
        return False
    return shown.earliest - PATIENCE <= honest.earliest and honest.latest <= shown.latest + PATIENCE


def _step(honest: EtaPair, opens: int | None) -> EtaPair:
    """The narrowest step that holds the honest pair, on five-minute marks."""
    for width in LADDER:
        earliest = _around(honest, width)
        if opens is not None and earliest < opens <= honest.earliest:
            earliest = opens
        if honest.latest <= earliest + width:
            return EtaPair(earliest, earliest + width)
    return EtaPair(_floor(honest.earliest), _ceiling(honest.latest))


def _narrower(shown: EtaPair, honest: EtaPair) -> EtaPair | None:
    """A narrower step inside the shown pair around the honest one; None when there is none yet."""
    cushion = (honest.latest - honest.earliest) * CUSHION_PERCENT // 100
    for width in LADDER:
        if width >= shown.latest - shown.earliest:
            return None
        if width < honest.latest - honest.earliest + 2 * cushion:
            continue
        earliest = min(max(_around(honest, width), shown.earliest), shown.latest - width)
        if earliest <= honest.earliest and honest.latest <= earliest + width:
            return EtaPair(earliest, earliest + width)
    return None


def _around(honest: EtaPair, width: int) -> int:
    """Where a window of that width begins that has the honest pair in its middle, as far as marks allow."""
    middle = (honest.earliest + honest.latest - width) // 2
    return min(_floor(middle + MARK // 2), _floor(honest.earliest))


def _inside(inner: EtaPair, outer: EtaPair) -> bool:
    return outer.earliest <= inner.earliest and inner.latest <= outer.latest


def _floor(instant: int) -> int:
    return instant // MARK * MARK


def _ceiling(instant: int) -> int:
    return -(-instant // MARK) * MARK
