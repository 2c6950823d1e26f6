"""The property that matters: whatever shoppers ask for, nobody else's window or promise is ever broken."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planner.day import LivingDay

CHANGES = 40


def live(seed: int, *, solving: bool) -> LivingDay:
    day = LivingDay(seed)
    assert len(day.problem.vehicles) >= 3
    assert len(day.problem.stops) >= 40
    for number in range(CHANGES):
        day.step()
        if solving and number % 8 == 7:
            day.solve(("one_van", "three_vans", "fleet")[number // 8 % 3])
    print(dict(day.said))
    return day


def assert_mixed(days: int, said: Counter[str]) -> None:
    """Over all days together at least 25 changes a day were asked for, and enough of them met with each answer.

    One day may have few refusals by chance; so many days together may not.
    """
    asked = said["yes"] + said["no"]
    assert asked + said["cancelled"] >= 25 * days, said
    assert said["yes"] >= 0.2 * asked, said
    assert said["no"] >= 0.2 * asked, said


@pytest.mark.covers("O6", "O8", "O9")
def test_no_change_ever_breaks_anything_for_anybody_else() -> None:
    """Vans out and late, parcels on board, places unknown to the matrix: the judge accepts every plan on the way."""
    days: list[Counter[str]] = []

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10**6))
    def every_day(seed: int) -> None:
        days.append(live(seed, solving=False).said)

    every_day()
    assert_mixed(len(days), sum(days, Counter()))


@pytest.mark.planner
def test_nor_does_the_solver_between_the_changes() -> None:
    days: list[Counter[str]] = []

    @settings(max_examples=6, deadline=None)
    @given(seed=st.integers(0, 10**6))
    def every_day(seed: int) -> None:
        day = live(seed, solving=True)
        assert day.said["applied"] + day.said["left"] == CHANGES // 8
        days.append(day.said)

    every_day()
    said = sum(days, Counter())
    assert_mixed(len(days), said)
    assert said["applied"] >= 1, said
