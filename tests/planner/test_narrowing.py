"""The pair on the page: it narrows in steps, and never widens or moves without a notice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.routing.planner.eta import MARK, EtaPair
from apps.routing.planner.narrowing import LADDER, fits, tell

MINUTE = 60
honest_pairs = st.tuples(st.integers(0, 20_000), st.integers(60, 9_000), st.floats(0, 1)).map(
    lambda drawn: (EtaPair(drawn[0], drawn[0] + drawn[1]), drawn[0] + round(drawn[1] * drawn[2]))
)


def width(pair: EtaPair) -> int:
    return pair.latest - pair.earliest


def inside(inner: EtaPair, outer: EtaPair) -> bool:
    return outer.earliest <= inner.earliest and inner.latest <= outer.latest


@pytest.mark.covers("T7")
@given(st.lists(honest_pairs, min_size=1, max_size=25), st.none() | st.integers(0, 15_000))
def test_widths_never_increase_and_nothing_moves_unless_a_notice_is_logged(
    days: list[tuple[EtaPair, int]], opens: int | None
) -> None:
    shown: EtaPair | None = None
    for honest, expected in days:
        told = tell(shown, honest, expected, opens=opens)
        if shown is not None and not told.notice:
            assert inside(told.pair, shown)
        if shown is None or told.notice:
            assert inside(honest, told.pair)
        assert fits(told.pair, honest, expected)
        assert width(told.pair) in LADDER or width(told.pair) % MARK == 0
        shown = told.pair


@pytest.mark.covers("T7")
def test_the_steps_from_two_hours_to_a_quarter_as_the_van_nears() -> None:
    arrival, shown, seen = 40_000, None, []
    for lead in (14_400, 7_200, 3_600, 1_800, 900, 300):
        spread = 240 + lead // 6
        told = tell(shown, EtaPair(arrival - spread, arrival + spread), arrival)
        assert not told.notice
        shown = told.pair
        seen.append(width(shown) // MINUTE)
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[-1]) == (120, 15)
    assert {30, 60} & set(seen)


def test_a_few_minutes_this_way_or_that_change_nothing() -> None:
    shown = tell(None, EtaPair(36_000, 37_200), 36_600).pair
    for drift in (-120, 60, 200):
        assert tell(shown, EtaPair(36_000 + drift, 37_200 + drift), 36_600 + drift).pair == shown


def test_a_van_that_falls_behind_is_a_notice() -> None:
    shown = tell(None, EtaPair(36_000, 37_200), 36_600).pair
    late = tell(shown, EtaPair(38_400, 39_600), 39_000)
    assert late.notice
    assert late.pair.earliest <= 38_400 < 39_600 <= late.pair.latest


def test_nobody_reads_a_time_before_the_door_opens() -> None:
    told = tell(None, EtaPair(36_130, 36_500), 36_200, opens=36_130)
    assert told.pair.earliest == 36_130
