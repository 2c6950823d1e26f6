"""The one real process: uvicorn with sockets, the thin page row and Django behind one port."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
import websockets
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from apps.core import clock
from apps.core.logs import ScrubSecrets
from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, move_state, revoke_link, token_of
from apps.deliveries.states import State
from apps.fleet.models import Position
from apps.fleet.services import issue_driver_token
from apps.tracking.services import refresh
from tests import world
from tests.conftest import HOME_ZONE
from tests.databases import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real_clock]


def database_url() -> str:
    if os.environ.get("TEST_DATABASE") == "postgres":
        base = os.environ["TEST_POSTGRES_URL"]
        return base.rsplit("/", 1)[0] + "/" + settings.DATABASES["default"]["NAME"]
    return f"sqlite:///{settings.DATABASES['default']['NAME']}"


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    with serving() as (address, _process):
        yield address


@contextmanager
def serving(port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    cache.clear()
    port = port or free_port()
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = ["uvicorn", "config.asgi:application", "--lifespan", "on", "--port", str(port), "--ws-max-size", "4096"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        _wait_for(port, process)
        yield f"127.0.0.1:{port}", process
    finally:
        process.terminate()
        output = process.communicate(timeout=15)[0].decode()
        assert "Exception in" not in output, output


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, process.communicate()[0].decode()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not come up")


def tracked(state: State = State.PLANNED) -> tuple[Delivery, Any, str]:
    made = world.delivery(state=state)
    link = make_link(delivery=made)
    return made, link, token_of(link)


@pytest.mark.covers("T3", "T21")
async def test_a_change_appears_on_an_open_page_within_two_seconds(server: str) -> None:
    made, link, token = await sync_to_async(tracked)()
    async with websockets.connect(f"ws://{server}/ws/t/{token}", origin=f"http://{server}") as talk:  # type: ignore[arg-type]
        assert json.loads(await talk.recv())["document"]["status"] == "planned"
        await sync_to_async(move_state)(delivery_id=made.pk, to=State.ARRIVED, actor="clerk:1")
        await sync_to_async(refresh)([made.pk])
        started = time.monotonic()
        async with asyncio.timeout(10):
            async for text in talk:
                if json.loads(text).get("document", {}).get("status") == "arrived":
                    break
        assert time.monotonic() - started < 2
        await sync_to_async(revoke_link)(link=link, actor="agent:1")
        async with asyncio.timeout(10):
            assert await _closing_code(talk) == 4404


async def _closing_code(talk: Any) -> int:
    try:
        while True:
            await talk.recv()
    except websockets.ConnectionClosed:
        return int(talk.close_code)


async def test_foreign_origins_unknown_tokens_and_unknown_paths_are_refused_alike(server: str) -> None:
    _, _, token = await sync_to_async(tracked)()
    for path, origin in (
        (f"/ws/t/{token}", "https://evil.example"),
        (f"/ws/t/{token[::-1]}", f"http://{server}"),
        ("/ws/vans/1", f"http://{server}"),
    ):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"ws://{server}{path}", origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


def test_the_thin_route_says_what_the_view_says(server: str) -> None:
    """The same token through both doors: the same body, the same safety headers, the same 304."""
    made, _, token = tracked()
    url = f"http://{server}/t/{token}/state"
    with requests.Session() as http:
        through_view = http.get(url)  # prepares the row
        thin = http.get(url)
        assert thin.content == through_view.content
        for name in ("etag", "cache-control", "referrer-policy", "x-robots-tag", "x-content-type-options",
                     "x-frame-options", "content-type"):  # fmt: skip
            assert thin.headers[name] == through_view.headers[name], name
        assert "x-content-type-options" in thin.headers
        assert "cross-origin-opener-policy" not in thin.headers  # it did not come from Django
        assert "cross-origin-opener-policy" in through_view.headers
        assert http.get(f"{url}?v={made.page_version}").status_code == 304
        assert http.get(url, headers={"If-None-Match": thin.headers["etag"]}).status_code == 304
        assert http.head(url).content == b""
        assert http.get(url, headers={"Host": "evil.example"}).status_code == 400
        move_state(delivery_id=made.pk, to=State.ARRIVED, actor="clerk:1")
        assert http.get(url).json()["status"] == "arrived"


def test_a_dead_link_is_dead_behind_the_thin_route_too(server: str) -> None:
    _, link, token = tracked()
    with requests.Session() as http:
        for _ in range(2):
            assert http.get(f"http://{server}/t/{token}/state").status_code == 200
        revoke_link(link=link, actor="agent:1")
        dead = http.get(f"http://{server}/t/{token}/state")
        unknown = http.get(f"http://{server}/t/{token[::-1]}/state")
        assert (dead.status_code, dead.content) == (404, unknown.content)


def test_no_line_of_the_server_names_a_token() -> None:

    arguments = ("127.0.0.1:1", "GET", "/t/abcdefghijklmnopqrstuvwxyz012345/state", "1.1", 200)
    line = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)
    ScrubSecrets().filter(line)
    assert "abcdefgh" not in line.getMessage()
    assert isinstance(line.args, tuple)
    assert len(line.args) == 5


@pytest.mark.kills
@pytest.mark.covers("GP5")
def test_an_orderly_stop_loses_no_position_that_was_answered_for(transactional_db: None) -> None:
    shift = world.shift("van-1", day=clock.now().astimezone(HOME_ZONE).date())
    headers = {"Authorization": f"Device {issue_driver_token(driver=shift.driver)}"}
    with serving() as (address, process):
        for second in range(4):
            at = (clock.now() - timedelta(seconds=4 - second)).isoformat()
            body = {"positions": [{"lat": 47.15 + second / 1000, "lon": 9.51, "at": at}]}
            assert (
                requests.post(f"http://{address}/driver/api/positions", json=body, headers=headers).status_code == 204
            )
        process.terminate()
        process.wait(15)
    assert Position.objects.get().latitude == pytest.approx(47.153)


@pytest.mark.kills
@pytest.mark.covers("T3")
async def test_pages_poll_on_and_come_back_when_the_socket_server_is_killed(transactional_db: None) -> None:
    """kill -9 with a page open: the state is read elsewhere meanwhile, and the same page misses nothing afterwards."""
    made, _link, token = await sync_to_async(tracked)()
    port = free_port()
    with serving(port) as (address, process):
        talk = await websockets.connect(f"ws://{address}/ws/t/{token}", origin=f"http://{address}")  # type: ignore[arg-type]
        version = json.loads(await talk.recv())["document"]["version"]
        process.kill()
        async with asyncio.timeout(10):
            assert await _closing_code(talk) == 1006
    await sync_to_async(move_state)(delivery_id=made.pk, to=State.ARRIVED, actor="clerk:1")
    # The pages' own process (WSGI) needs no live one.
    polled = await sync_to_async(Client().get)(f"/t/{token}/state?v={version}")
    assert polled.json()["status"] == "arrived"
    with serving(port) as (address, _process):
        async with websockets.connect(f"ws://{address}/ws/t/{token}", origin=f"http://{address}") as again:  # type: ignore[arg-type]
            document = json.loads(await again.recv())["document"]
    assert (document["status"], document["version"] > version) == ("arrived", True)
