"""Several processes at one outbox: leases, fencing, and the order of commits."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.events.models import Event, Reaction
from apps.events.services import react, sweep
from tests.events.effects import effects, effects_table, leave

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ground() -> Iterator[None]:
    with effects_table():
        yield


def lose_the_lease_and_fail(payload: dict) -> None:
    """Stands still past its lease, sees another worker do the work, then fails."""
    if payload["key"] in effects():
        leave(payload["key"])
        return
    leave(payload["key"])
    Reaction.objects.update(next_try_at=clock.wall())
    assert sweep() == 1
    raise ValueError


def look_for_the_change(payload: dict) -> None:
    leave("saw the change" if "change" in effects() else "missed the change")


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_worker_that_wakes_after_its_lease_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    react(lose_the_lease_and_fail, payload={"key": "a"})
    assert sweep(limit=1) == 1
    reaction = Reaction.objects.get()
    assert (reaction.state, reaction.attempts, reaction.last_error) == ("done", 2, "")
    assert effects() == {"a": 2}
    assert "after its lease" in caplog.text


def test_four_workers_run_each_reaction_once() -> None:
    for number in range(60):
        react("tests.events.effects.record", payload={"key": f"{number}"})
    counts: list[int] = []
    threads = [in_thread(lambda: counts.append(sweep(limit=100, seconds=30))) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert sum(counts) == 60
    assert effects() == {f"{number}": 1 for number in range(60)}


def test_work_that_is_waiting_already_still_sees_a_change_not_yet_committed() -> None:
    """Coalescing must not let the waiting one run in the gap between 'there is one' and this change's commit."""
    react(look_for_the_change, payload={}, dedupe_key="replan:1")
    coalesced, go_on = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            assert react(look_for_the_change, payload={}, dedupe_key="replan:1") is None
            coalesced.set()
            go_on.wait(0.3)
            leave("change")

    thread = in_thread(change)
    assert coalesced.wait(10)
    sweep()
    thread.join()
    sweep()
    assert effects() == {"change": 1, "saw the change": 1}


def test_two_askers_of_equal_work_leave_one_waiting() -> None:
    barrier = threading.Barrier(4)

    def ask() -> None:
        barrier.wait(10)
        with transaction.atomic():
            react("tests.events.effects.record", payload={"key": "a"}, dedupe_key="a")

    for thread in [in_thread(ask) for _ in range(4)]:
        thread.join()
    assert Reaction.objects.filter(state="waiting").count() == 1


def test_postgresql_knows_the_transaction_of_every_event() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the live tail reads transaction ids on PostgreSQL only")
    with transaction.atomic():
        Event.objects.create(kind="test.happened", at=clock.now())
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM events_event WHERE xid = pg_current_xact_id()")
            assert cursor.fetchone() == (1,)
