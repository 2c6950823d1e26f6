"""Positions from drivers' phones: late, twice, wrong and foreign ones."""

from datetime import datetime, timedelta
from math import nan

import pytest
from django.db import connection, transaction

from apps.fleet.models import Position, PositionDrop, PositionSample
from apps.fleet.services import Fix, Van, record_batch, record_positions
from tests import world

pytestmark = pytest.mark.django_db
HERE = (47.1680, 9.5110)


@pytest.fixture
def van():
    return world.shift("van-1").vehicle


def test_the_newest_position_wins_whatever_the_order(van, now):
    first, second = now.instant - timedelta(seconds=10), now.instant - timedelta(seconds=5)
    record_positions(vehicle=van, fixes=[Fix(*HERE, second)])
    sequence = Position.objects.get().sequence
    record_positions(vehicle=van, fixes=[Fix(47.0, 9.5, first)])
    position = Position.objects.get()
    assert (position.latitude, position.at, position.sequence) == (HERE[0], second, sequence)
    record_positions(vehicle=van, fixes=[Fix(47.1681, 9.5111, now.instant, heading=90.0, speed=8.0)])
    position = Position.objects.get()
    assert (position.latitude, position.heading_degrees) == (47.1681, 90.0)
    assert position.sequence > sequence


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        (lambda now: Fix(nan, 9.5, now), "not_a_place"),
        (lambda now: Fix(95.0, 9.5, now), "not_a_place"),
        (lambda now: Fix(9.5110, 47.1680, now), "off_the_map"),
        (lambda now: Fix(*HERE, now + timedelta(minutes=5)), "from_the_future"),
        (lambda now: Fix(*HERE, now - timedelta(days=2)), "too_old"),
        (lambda now: Fix(*HERE, datetime(2026, 3, 10, 8, 30)), "from_the_future"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_is_dropped_and_counted(van, now, fix, reason):
    assert record_positions(vehicle=van, fixes=[fix(now.instant)]) == 0
    assert not Position.objects.exists()
    assert PositionDrop.objects.get(reason=reason).count == 1


def test_a_jump_no_van_can_make_is_dropped(van, now):
    record_positions(vehicle=van, fixes=[Fix(*HERE, now.instant)])
    now.advance(seconds=5)
    assert record_positions(vehicle=van, fixes=[Fix(47.30, 9.51, now.instant)]) == 0
    assert PositionDrop.objects.get().reason == "too_fast"
    now.advance(minutes=20)
    assert record_positions(vehicle=van, fixes=[Fix(47.30, 9.51, now.instant)]) == 1


def test_after_a_wrong_first_position_the_third_right_one_is_believed(van, now):
    """A phone that starts with yesterday's place a hundred kilometres away must not hide the van for half an hour."""
    record_positions(vehicle=van, fixes=[Fix(48.1, 9.5, now.instant)])
    taken = []
    for _second in range(4):
        now.advance(seconds=5)
        taken.append(record_positions(vehicle=van, fixes=[Fix(*HERE, now.instant)]))
    assert taken == [0, 0, 1, 1]
    assert Position.objects.get().latitude == HERE[0]
    assert PositionDrop.objects.get().count == 2


def test_jumps_that_do_not_agree_are_never_believed(van, now):
    record_positions(vehicle=van, fixes=[Fix(*HERE, now.instant)])
    for number in range(8):
        now.advance(seconds=5)
        wild = Fix(48.2 if number % 2 else 46.2, 9.51, now.instant)
        assert record_positions(vehicle=van, fixes=[wild]) == 0
    assert Position.objects.get().latitude == HERE[0]


def test_a_wrong_heading_does_not_cost_the_position(van, now):
    record_positions(vehicle=van, fixes=[Fix(*HERE, now.instant, heading=nan, speed=-4.0)])
    position = Position.objects.get()
    assert (position.heading_degrees, position.speed_metres_per_second) == (None, None)


def test_the_history_is_thin(van, now):
    parked = [Fix(*HERE, now.instant - timedelta(seconds=5 * n)) for n in range(12)]
    record_positions(vehicle=van, fixes=parked)
    assert PositionSample.objects.count() == 4, "one each quarter of a minute"


def test_of_a_fix_a_second_every_sixth_is_kept_one_by_one_or_in_a_batch(van, now):
    """The history must not grow faster because phones send more often."""
    start = now.instant - timedelta(seconds=60)
    driven = [Fix(HERE[0] + 0.0001 * n, HERE[1], start + timedelta(seconds=n)) for n in range(60)]
    for fix in driven[:30]:
        record_positions(vehicle=van, fixes=[fix])
    assert PositionSample.objects.count() == 5
    record_positions(vehicle=van, fixes=driven[30:])
    assert PositionSample.objects.count() == 10


def test_many_vans_are_one_read_and_two_writes(now, django_assert_max_num_queries):
    vans = [world.shift(f"van-{number}").vehicle for number in range(30)]
    depot = (world.depot().latitude, world.depot().longitude)
    batch = {Van(van.pk, depot): [Fix(*HERE, now.instant)] for van in vans}
    # PostgreSQL carries the wake-up of other processes itself.
    with django_assert_max_num_queries(6 + (connection.vendor == "postgresql")):
        assert set(record_batch(batch).values()) == {1}
    late = {van: [Fix(47.0, 9.5, now.instant - timedelta(seconds=1))] for van in batch}
    record_batch(late)
    assert set(Position.objects.values_list("latitude", flat=True)) == {HERE[0]}


def test_what_was_rolled_back_is_not_remembered(van, now):
    """Another process has written the row under the very number that this one lost."""
    with transaction.atomic():
        record_positions(vehicle=van, fixes=[Fix(*HERE, now.instant)])
        row = Position.objects.values().get()
        transaction.set_rollback(True)
    Position.objects.create(**{**row, "latitude": 47.30})
    now.advance(seconds=5)
    assert record_positions(vehicle=van, fixes=[Fix(47.3001, HERE[1], now.instant)]) == 1
