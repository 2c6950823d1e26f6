"""The process dies at each statement; what is left is whole, and starting again finishes the work once."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.events.models import Event, Reaction
from apps.events.services import emit, react, sweep
from config import events as table
from tests.crashing import crash_points, die_at, run_in_child
from tests.events.effects import effects, effects_table, leave

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.kills]
HANDLERS = ("tests.events.effects.record_first", "tests.events.effects.record_second")


@pytest.fixture(autouse=True)
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(table.SUBSCRIBERS, "test.happened", HANDLERS)
    with effects_table():
        yield


def change() -> None:
    """What every service does: change a row, announce it, set a timer."""
    with transaction.atomic():
        leave("change")
        emit("test.happened", delivery_id=1, payload={"key": "a"})
        react("tests.events.effects.record", payload={"key": "b"}, dedupe_key="b")


def sweep_once() -> None:
    sweep()


def leases_end() -> None:
    Reaction.objects.filter(state="running").update(next_try_at=clock.wall())


def clear() -> None:
    Event.objects.all().delete()
    Reaction.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM effects")
        cursor.execute("DELETE FROM django_q_ormq")


def test_a_change_and_its_reactions_stand_or_fall_together(drain: Callable[..., int]) -> None:
    points = list(crash_points(change))
    assert len(points) >= 10
    for point in points:
        clear()
        die_at(change, point)
        left = ("change" in effects(), Event.objects.count(), Reaction.objects.count())
        assert left in {(False, 0, 0), (True, 1, 3)}, f"{point}: {left}"
        drain()
        if left[0]:
            assert effects() == {"change": 1, "a/first": 1, "a/second": 1, "b": 1}, str(point)
        else:
            assert effects() == {}, str(point)


def test_a_sweep_that_dies_loses_nothing_and_leaves_siblings_alone(drain: Callable[..., int]) -> None:
    change()
    points = list(crash_points(sweep_once))
    assert len(points) >= 20
    for point in points:
        clear()
        change()
        die_at(sweep_once, point)
        interrupted = Reaction.objects.filter(state="running").count()
        assert interrupted <= 1, f"{point}: siblings were taken along"
        leases_end()
        drain()
        left = effects()
        assert left.keys() == {"change", "a/first", "a/second", "b"}, str(point)
        # Only the one that was running may have run again: at least once, never not at all.
        assert sum(left.values()) - len(left) <= interrupted, f"{point}: {left}"
        assert set(Reaction.objects.values_list("state", flat=True)) == {"done"}


def test_a_handler_that_kills_its_process_every_time_is_parked() -> None:
    react("tests.events.effects.die", payload={})
    for _ in range(8):
        run_in_child(sweep_once)
        assert Reaction.objects.get().state == "running"
        leases_end()
    assert sweep() == 0
    assert Reaction.objects.get().state == "parked"
