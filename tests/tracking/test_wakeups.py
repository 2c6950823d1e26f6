"""Another process's commit wakes this one's open pages; without wake-ups the poll brings the same, only later."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import connection
from redis import Redis
from redis.exceptions import ConnectionError as RedisGone

from apps.core import redis_line, wakeups
from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, move_state, token_of
from apps.deliveries.states import State
from apps.fleet.services.wakeups import wake_readers
from apps.tracking.services import refresh
from apps.tracking.tail import live
from config.asgi import sockets
from tests import databases, world
from tests.tracking.roads import on_route, put_van
from tests.tracking.talks import Talk

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
NEVER, SOON = 3600.0, 1.0
HEADERS = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
Opened = Callable[..., Any]

ANOTHER_PROCESS = """
import sys
from datetime import datetime
import django
django.setup()
from apps.core import clock
from apps.fleet.models import Vehicle
from apps.fleet.services import Fix, record_positions
for line in sys.stdin:
    latitude, at = line.split()
    fix = Fix(float(latitude), 9.5150, datetime.fromisoformat(at))
    with clock.frozen(fix.at):
        print(record_positions(vehicle=Vehicle.objects.get(code="van-1"), fixes=[fix]), flush=True)
"""


@pytest.fixture
def carrier(settings: Any, request: pytest.FixtureRequest) -> None:
    """PostgreSQL carries its own wake-ups; SQLite needs a Redis."""
    if connection.vendor != "postgresql":
        settings.REDIS_URL = request.getfixturevalue("redis_url")


@pytest.fixture
async def open_page(carrier: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opened]:
    """open_page(delivery, poll=seconds) -> its page's socket, once this process listens for wake-ups."""
    await sync_to_async(cache.clear)()
    talks: list[Talk] = []

    async def opened(made: Delivery, *, poll: float) -> Talk:
        monkeypatch.setattr("apps.tracking.tail.POLL_SECONDS", poll)
        monkeypatch.setattr("apps.tracking.tail.VANS_EVERY", poll)
        link = await sync_to_async(make_link)(delivery=made)
        talks.append(Talk(sockets, f"/ws/t/{token_of(link)}", list(HEADERS)))
        assert await talks[-1].connect()
        await listeners(1)
        return talks[-1]

    yield opened
    for talk in talks:
        await talk.leave()
    monkeypatch.setattr("apps.tracking.tail.IDLE_SECONDS", -1)
    wake_readers([])
    if thread := live()._thread:
        await asyncio.to_thread(thread.join)
    await listeners(0)


def listening() -> list[int]:
    """Whoever listens for wake-ups, by its number on the server that carries them."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = current_database()"
            )
            return [pid for (pid,) in cursor.fetchall()]
    from django.conf import settings

    with Redis.from_url(settings.REDIS_URL) as client, suppress(RedisGone):
        return [int(one["id"]) for one in client.client_list(_type="pubsub") if int(one["sub"]) == len(wakeups.FEEDS)]
    return []


async def listeners(count: int, but: tuple[int, ...] = ()) -> list[int]:
    for _try in range(600):
        found = [number for number in await sync_to_async(listening)() if number not in but]
        if len(found) == count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{found} listen, not {count}")


def kill(number: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [number])
        return
    from django.conf import settings

    with Redis.from_url(settings.REDIS_URL) as client:
        client.client_kill_filter(_id=str(number))


@sync_to_async
def planned() -> Delivery:
    return world.delivery(state=State.PLANNED)


async def moves_to(made: Delivery, state: State, talk: Talk) -> None:
    """Another connection changes the delivery; its page hears of it."""
    await sync_to_async(move_state)(delivery_id=made.pk, to=state, actor="clerk:1")
    await sync_to_async(refresh)([made.pk])
    while (await talk.hear("page", timeout=30))["document"]["status"] != state:
        pass


@pytest.mark.covers("T3")
async def test_a_change_reaches_the_page_without_waiting_for_the_poll(open_page: Opened) -> None:
    made = await planned()
    talk = await open_page(made, poll=NEVER)
    # The first may come with the look that follows the beginning to listen, the second only by a wake-up.
    await moves_to(made, State.ARRIVED, talk)
    await moves_to(made, State.OUT, talk)


@pytest.mark.covers("T3")
async def test_when_the_listener_is_killed_the_poll_still_brings_changes(
    open_page: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "FIRST_PAUSE", NEVER)
    made = await planned()
    talk = await open_page(made, poll=SOON)
    await sync_to_async(kill)(*await listeners(1))
    await listeners(0)
    await moves_to(made, State.ARRIVED, talk)
    assert await listeners(0) == []


@pytest.mark.covers("T3")
async def test_a_killed_listener_comes_back_and_has_missed_nothing(open_page: Opened) -> None:
    made = await planned()
    talk = await open_page(made, poll=NEVER)
    [killed] = await listeners(1)
    await sync_to_async(kill)(killed)
    await moves_to(made, State.ARRIVED, talk)
    await listeners(1, but=(killed,))
    await moves_to(made, State.OUT, talk)


@pytest.mark.covers("T3")
async def test_a_position_written_by_another_process_moves_the_dot_at_once(open_page: Opened) -> None:
    made = await sync_to_async(world.delivery)(state=State.OUT)
    await sync_to_async(on_route)([made.pk])
    await sync_to_async(put_van)("van-1", 47.1500, 9.5150, at=world.MORNING - world.timedelta(minutes=1))
    talk = await open_page(made, poll=NEVER)
    assert (await talk.hear("dot"))["dot"]["lat"] == 47.15
    with another_process() as say:
        for number, latitude in enumerate((47.1510, 47.1520)):
            at = world.MORNING + world.timedelta(seconds=10 * number - 30)
            await asyncio.to_thread(say, f"{latitude} {at.isoformat()}")
            while (await talk.hear("dot", timeout=30))["dot"]["lat"] != latitude:
                pass


@contextmanager
def another_process() -> Iterator[Callable[[str], None]]:
    """say("latitude instant") has it write that position of van-1, and returns when it is committed."""
    from django.conf import settings

    scheme = "postgres://postgres@{HOST}:{PORT}/{NAME}" if connection.vendor == "postgresql" else "sqlite:///{NAME}"
    changes = {
        "DATABASE_URL": scheme.format(**connection.settings_dict),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
    }
    command, pipe = [sys.executable, "-c", ANOTHER_PROCESS], subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | changes, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        words, answers = process.stdin, process.stdout

        def say(line: str) -> None:
            print(line, file=words, flush=True)
            assert answers.readline() == "1\n"

        yield say
        words.close()


async def test_without_the_redis_writers_write_and_pages_are_polled(
    open_page: Opened, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL needs no Redis for this")
    monkeypatch.setattr(redis_line, "_silent_until", 0.0)
    settings.REDIS_URL = await asyncio.to_thread(databases.start_redis)
    made = await planned()
    talk = await open_page(made, poll=SOON)
    with Redis.from_url(settings.REDIS_URL) as client:
        await asyncio.to_thread(client.shutdown, nosave=True)
    await moves_to(made, State.ARRIVED, talk)
    assert redis_line._silent_until > 0
