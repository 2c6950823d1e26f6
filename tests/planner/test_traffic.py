"""Hour buckets: first in, first out, exact in both directions, and the same one by one as all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.problem import ProblemError, TrafficTable
from apps.routing.planner.travel import UNREACHABLE

speeds = st.lists(st.integers(50, 2000), min_size=3, max_size=3).map(tuple)
instants = st.integers(-4000, 5 * 3600)


def second_by_second(speeds: tuple[int, ...], depart: int, base: int) -> int:
    """The arrival by walking: every second makes as much progress as its hour allows."""
    clock, left = depart, base * 1000
    while left > 0:
        left -= speeds[min(max(clock // 3600, 0), len(speeds) - 1)]
        clock += 1
    return clock


@settings(max_examples=80, deadline=None)
@given(speeds=speeds, depart=instants, base=st.integers(0, 5000))
def test_an_arrival_is_the_first_second_with_enough_progress(speeds: tuple[int, ...], depart: int, base: int) -> None:
    assert TrafficTable((0,), (speeds,)).arrive(0, depart, base) == second_by_second(speeds, depart, base)


@settings(max_examples=200, deadline=None)
@given(speeds=speeds, instant=instants, base=st.integers(0, 9000))
def test_leaving_by_is_the_exact_inverse(speeds: tuple[int, ...], instant: int, base: int) -> None:
    table = TrafficTable((0,), (speeds,))
    last = table.leave_by(0, instant, base)
    assert table.arrive(0, last, base) <= instant < table.arrive(0, last + 1, base)


@settings(max_examples=60, deadline=None)
@given(zones=st.lists(speeds, min_size=2, max_size=2).map(tuple), seed=st.integers(0, 10**6))
def test_many_legs_at_once_are_as_one_by_one(zones: tuple[tuple[int, ...], ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = TrafficTable((0, 1), zones)
    departs, of = rng.integers(-3000, 4 * 3600, 40), rng.integers(0, 2, 40)
    bases = np.where(rng.random(40) < 0.1, UNREACHABLE, rng.integers(0, 4000, 40))
    each = [table.arrive(z, d, b) for z, d, b in zip(of.tolist(), departs.tolist(), bases.tolist(), strict=True)]
    assert table.arrivals(of, departs, bases).tolist() == each
    assert sorted(table.arrive(0, depart, 900) for depart in range(3000, 4000, 50)) == [
        table.arrive(0, depart, 900) for depart in range(3000, 4000, 50)
    ]


@pytest.mark.parametrize("permille", [(), ((1000,), (1000, 900)), ((0,),), ((1000.0,),), ((),)])
def test_nonsense_speeds_are_refused(permille: tuple) -> None:
    with pytest.raises(ProblemError):
        TrafficTable((0,), permille)


def test_a_zone_without_speeds_is_refused() -> None:
    with pytest.raises(ProblemError):
        TrafficTable((0, 1), ((1000,),))
