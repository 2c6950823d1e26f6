"""Tailing misses nothing, in whatever order transactions become visible, and repeats nothing."""

import random
import threading
import time

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.tracking.feeds import page_feed
from apps.tracking.models import PageChange

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
