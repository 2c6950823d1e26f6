"""The property that matters: whatever shoppers ask for, nobody else's window or promise is ever broken."""

from __future__ import annotations

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


def assert_mixed(day: LivingDay) -> None:
    """At least 25 changes were asked for, and enough of them met with each answer."""
    asked = day.said["yes"] + day.said["no"]
    assert asked + day.said["cancelled"] >= 25, day.said
    assert day.said["yes"] >= 0.2 * asked, day.said
    assert day.said["no"] >= 0.2 * asked, day.said


@pytest.mark.covers("O6", "O8", "O9")
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_no_change_ever_breaks_anything_for_anybody_else(seed: int) -> None:
    """Vans out and late, parcels on board, places unknown to the matrix: the judge accepts every plan on the way."""
    assert_mixed(live(seed, solving=False))


@pytest.mark.planner
@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_nor_does_the_solver_between_the_changes(seed: int) -> None:
    day = live(seed, solving=True)
    assert_mixed(day)
    assert day.said["applied"] + day.said["left"] == CHANGES // 8
