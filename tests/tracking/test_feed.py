"""Tailing misses nothing, in whatever order transactions become visible, and repeats nothing."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from websockets.frames import Frame, Opcode

from apps.core import clock
from apps.deliveries.services import make_link
from apps.deliveries.states import State
from apps.fleet.models import Position, Vehicle
from apps.fleet.services import Fix, position_bell, record_positions
from apps.tracking.entry import Entry
from apps.tracking.feeds import VanFeed, page_feed
from apps.tracking.hub import Hub, Mailbox
from apps.tracking.models import PageChange
from apps.tracking.selectors import page_document
from apps.tracking.tail import Tail
from apps.tracking.wire import frame_of
from tests import world
from tests.drivers.phones import leave, one_van_day
from tests.tracking.roads import on_route

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EACH = 6, 25


def write(first: int, seed: int) -> None:
    """Some transactions are slow and some fail, so that ids are not in the order of commits."""
    dice = random.Random(seed)
    try:
        for number in range(first, first + EACH):
            try:
                with transaction.atomic():
                    PageChange.objects.create(delivery_id=number, version=1, made_at=clock.now())
                    if connection.vendor == "postgresql" and dice.random() < 0.2:
                        time.sleep(dice.random() * 0.2)
                    if dice.random() < 0.1:
                        raise InterruptedError
            except InterruptedError:
                continue
    finally:
        connection.close()


def test_no_change_is_missed_or_repeated_under_ten_writers() -> None:
    feed = page_feed()
    PageChange.objects.create(delivery_id=999_999, version=1, made_at=clock.now())
    feed.start()
    writers = [threading.Thread(target=write, args=(1_000 * n, n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while any(writer.is_alive() for writer in writers):
        seen += feed.moved()
        time.sleep(0.01)
    seen += feed.moved()
    committed = set(PageChange.objects.exclude(delivery_id=999_999).values_list("delivery_id", flat=True))
    assert set(seen) == committed
    assert len(seen) == len(committed)
    assert len(committed) > WRITERS * EACH / 2


def test_a_late_commit_with_an_early_id_is_reported() -> None:
    """The very case that `id > last` misses on PostgreSQL."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    feed = page_feed()
    feed.start()
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            PageChange.objects.create(delivery_id=1, version=1, made_at=clock.now())
            written.set()
            go_on.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    written.wait(10)
    PageChange.objects.create(delivery_id=2, version=1, made_at=clock.now())
    assert feed.moved() == [2]
    go_on.set()
    writer.join()
    assert feed.moved() == [1]
    assert feed.moved() == []


def two_vans() -> tuple[Vehicle, Vehicle]:
    return world.shift("van-1").vehicle, world.shift("van-2").vehicle


def step_of(vehicle: Vehicle, seconds: int) -> None:
    record_positions(vehicle=vehicle, fixes=[Fix(47.168, 9.511, clock.now() - timedelta(seconds=seconds))])


@pytest.mark.covers("T4")
def test_a_position_numbered_early_and_committed_late_moves_its_van() -> None:
    """A driver's upload that waits a second for its commit must not cost the dot its step."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    early, late = two_vans()
    feed = VanFeed()
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            step_of(early, 1)
            written.set()
            go_on.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    written.wait(10)
    time.sleep(0.2)
    step_of(late, 1)
    assert feed.moved() == [late.pk]
    go_on.set()
    writer.join()
    assert feed.moved() == [early.pk]
    assert feed.moved() == []


def test_dots_go_on_when_the_wall_clock_is_set_back() -> None:
    before, after = two_vans()
    feed = VanFeed()
    step_of(before, 1)
    ahead = Position.objects.get().sequence + 3_600_000_000
    Position.objects.update(sequence=ahead)
    assert feed.moved() == [before.pk]
    step_of(after, 1)
    assert feed.moved() == [after.pk]


@pytest.mark.covers("T4")
def test_what_this_process_wrote_is_known_without_reading_it_back_and_never_goes_back() -> None:
    van, other = two_vans()
    feed, bell = VanFeed(), position_bell()
    step_of(van, 10)
    told = bell.take()
    assert feed.told(told) == [van.pk]
    assert feed.moved() == [], "the row is the one that was told"
    with transaction.atomic():
        step_of(van, 5)
        assert bell.take() == [], "nothing is told before it is committed"
    step_of(van, 60)
    newer = feed.moved()
    assert newer == [van.pk]
    instant = feed.steps[van.pk].newest.at
    assert feed.told([*bell.take(), *told]) == []
    assert feed.steps[van.pk].newest.at == instant == Position.objects.get().at
    with transaction.atomic():
        step_of(other, 1)
        transaction.set_rollback(True)
    assert bell.take() == []


@pytest.mark.covers("T4")
def test_a_reader_slower_than_the_van_ends_with_the_last_position_and_never_steps_back() -> None:
    made = world.delivery(state=State.OUT)
    on_route([made.pk])
    van, hub, bell = Vehicle.objects.get(code="van-1"), Hub(), position_bell()
    link = make_link(delivery=made)
    box = Mailbox(Entry(made.pk, (link.pk, link.generation)))
    box.say = lambda text: False
    hub.join(box)
    tail, seen = Tail(hub), []
    tail.start()

    def drive(ages: Iterable[int]) -> None:
        for age in ages:
            step_of(van, age)
            tail.told(bell.take())
            for _box, kind, text in tail.poll():
                box.put(kind, text)

    # It takes what lies there after so many positions; the last stretch brings older ones as well.
    for first, last, late in ((600, 400, ()), (400, 395, ()), (395, 5, (5, 300, 6))):
        drive([*range(first, last - 1, -5), *late])
        seen.append(json.loads(box.take()["dot"])["dot"]["at"])
    drive([200])
    assert "dot" not in box.take()
    newest = Position.objects.get().at
    assert newest == clock.now() - timedelta(seconds=5)
    assert datetime.fromisoformat(seen[-1]) == newest
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_the_library_would_send(size: int) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert frame_of(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class BreaksOff:
    """The database goes away at the nth statement, once."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)


@pytest.mark.covers("T3")
def test_a_round_that_breaks_off_anywhere_is_told_whole_by_the_next(now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last position of a van, and whoever came meanwhile: no page is left with less than it would have had."""
    for name in ("VANS_EVERY", "OVERDUE_EVERY", "LINKS_EVERY", "THOROUGH_EVERY"):
        monkeypatch.setattr(f"apps.tracking.tail.{name}", 0.0)
    (delivery, *_others), driver = one_van_day()
    leave(driver)
    link = make_link(delivery=delivery)
    page_document(delivery, "link")
    nth, broke_off = 0, True
    while broke_off:
        nth += 1
        hub = Hub()
        hub.join(Mailbox(Entry(delivery.pk, (link.pk, link.generation), "link")))
        tail = Tail(hub)
        tail.start()
        tail.poll()
        late = Mailbox(Entry(delivery.pk, (link.pk, link.generation), "link"))
        hub.join(late)
        now.advance(seconds=20)
        there = Fix(delivery.place.latitude + 0.01 + nth / 1000, delivery.place.longitude, clock.now())
        record_positions(vehicle=Vehicle.objects.get(), fixes=[there])
        with connection.execute_wrapper(BreaksOff(nth)):
            try:
                heard, broke_off = tail.poll(), False
            except OperationalError:
                heard = tail.poll()
        told = {(box is late, kind): text for box, kind, text in heard}
        assert set(told) >= {(False, "dot"), (True, "dot"), (True, "page")}, f"statement {nth}"
        assert told[False, "dot"] == told[True, "dot"]
    assert nth > 8
