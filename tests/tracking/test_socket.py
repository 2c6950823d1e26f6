"""The socket of an open page, against the real hub and the real tail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache

from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link, move_state, revoke_link, rotate_link, token_of
from apps.deliveries.states import State
from apps.tracking import consumers, hub
from apps.tracking.services import refresh
from apps.tracking.tail import live
from config.asgi import sockets
from tests import world
from tests.tracking.roads import on_route, put_van
from tests.tracking.talks import Talk

pytestmark = pytest.mark.django_db(transaction=True)
ROAD = (47.1500, 9.5150)
Opened = Callable[..., Any]


def with_origin(origin: bytes | None = b"http://localhost", cookie: bytes = b"") -> list[tuple[bytes, bytes]]:
    return [(b"host", b"localhost"), *([(b"origin", origin)] if origin else []), (b"cookie", cookie)]


@pytest.fixture
async def open_page(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opened]:
    """open_page(token) -> (communicator, whether it was let in)"""
    await sync_to_async(cache.clear)()
    talks: list[Talk] = []

    async def opened(token: str, **headers: Any) -> tuple[Talk, bool]:
        talk = Talk(sockets, f"/ws/t/{token}", with_origin(**headers))
        talks.append(talk)
        return talk, await talk.connect()

    yield opened
    for talk in talks:
        await talk.leave()
    monkeypatch.setattr("apps.tracking.tail.IDLE_SECONDS", -1)
    if thread := live()._thread:
        await asyncio.to_thread(thread.join)


@sync_to_async
def tracked(state: State = State.OUT, **kind: Any) -> tuple[Delivery, Link, str]:
    made = world.delivery(state=state, **kind)
    link = make_link(delivery=made)
    return made, link, token_of(link)


@pytest.mark.covers("T3")
async def test_it_says_page_and_dot_at_once_and_pushes_what_moves(open_page: Opened) -> None:
    made, _, token = await tracked(State.PLANNED)
    talk, accepted = await open_page(token)
    assert accepted
    first = await talk.hear()
    assert (first["type"], first["document"]["status"]) == ("page", "planned")
    assert await talk.hear() == {"type": "dot", "dot": {"visible": False}}
    await sync_to_async(move_state)(delivery_id=made.pk, to=State.ARRIVED, actor="clerk:1")
    await sync_to_async(refresh)([made.pk])
    while (page := await talk.hear("page"))["document"]["status"] == "planned":
        pass
    assert page["document"]["status"] == "arrived"
    assert page["document"]["version"] > first["document"]["version"]


@pytest.mark.covers("T3", "T4")
async def test_the_van_moves_on_the_page(open_page: Opened) -> None:
    made, _, token = await tracked()
    await sync_to_async(on_route)([made.pk])
    await sync_to_async(put_van)("van-1", *ROAD, at=world.MORNING)
    talk, _ = await open_page(token)
    assert (await talk.hear("dot"))["dot"]["lat"] == ROAD[0]
    later = world.MORNING + world.timedelta(seconds=10)
    await sync_to_async(put_van)("van-1", 47.1510, 9.5150, at=later, sequence=2)
    while (dot := (await talk.hear("dot"))["dot"])["lat"] == ROAD[0]:
        pass
    assert (dot["path"][0], dot["path"][-1], dot["seconds"]) == ([47.15, 9.515], [47.151, 9.515], 10)


@pytest.mark.covers("T1", "T21")
async def test_every_refusal_is_the_same(open_page: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad tokens, foreign origins, no origin and a full house: closed before the handshake, without a word."""
    _, link, token = await tracked()
    for bad in ("x", token[:-1], token.swapcase(), "a" * 500):
        assert (await open_page(bad))[1] is False
    for origin in (b"https://evil.example", b"http://localhost.evil.example", b"null", b"http://127.0.0.1", None):
        assert (await open_page(token, origin=origin))[1] is False
    monkeypatch.setattr(hub, "MOST_PER_LINK", 0)
    assert (await open_page(token))[1] is False
    monkeypatch.undo()
    await sync_to_async(revoke_link)(link=link, actor="agent:1")
    assert (await open_page(token))[1] is False


@pytest.mark.covers("T21")
@pytest.mark.parametrize("end", ["revoked", "rotated", "expired"])
async def test_a_dead_link_closes_its_open_sockets_within_seconds(open_page: Opened, end: str) -> None:
    _, link, token = await tracked()
    talk, _ = await open_page(token)
    if end == "expired":
        await sync_to_async(Link.objects.filter(pk=link.pk).update)(expires_at=world.MORNING)
    else:
        await sync_to_async(revoke_link if end == "revoked" else rotate_link)(link=link, actor="agent:1")
    assert await talk.closing_code() == consumers.GONE


async def test_what_a_page_sends_is_ignored_and_too_much_of_it_ends_the_talk(open_page: Opened) -> None:
    _, _, token = await tracked()
    talk, _ = await open_page(token)
    await talk.say('{"type":"websocket.close"}')
    await talk.say('{"type":"page","document":{"status":"delivered"}}')
    await talk.say(data=b"\x00\xff")
    assert (await talk.hear("page"))["document"]["status"] == "out"
    await talk.say("x" * 5_000)
    assert await talk.closing_code() == consumers.TOO_BIG
    other, _ = await open_page(token)
    for _frame in range(consumers.MOST_FRAMES + 1):
        await other.say("x")
    assert await other.closing_code() == consumers.TOO_MANY


async def test_pages_stay_true_while_no_worker_runs(open_page: Opened) -> None:
    """Nobody handles the event here: the tail itself notices that the row is older than its delivery."""
    made, _, token = await tracked(State.PLANNED)
    talk, _ = await open_page(token)
    await sync_to_async(move_state)(delivery_id=made.pk, to=State.ARRIVED, actor="clerk:1")
    while (await talk.hear("page"))["document"]["status"] != "arrived":
        pass


async def test_one_address_cannot_take_all_the_room(open_page: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_PER_ADDRESS", 2)
    tokens = [(await tracked())[2] for _ in range(3)]
    assert [(await open_page(token))[1] for token in tokens] == [True, True, False]


@pytest.mark.covers("T22")
async def test_a_share_link_is_pushed_a_page_without_changes(open_page: Opened) -> None:
    made, _, _ = await tracked()
    shared = await sync_to_async(make_link)(delivery=made, kind=Link.Kind.VIEW)
    talk, _ = await open_page(token_of(shared))
    assert (await talk.hear("page"))["document"]["view_only"]


async def test_a_slow_reader_keeps_the_newest_and_nothing_else(open_page: Opened) -> None:
    made, _, token = await tracked()
    await open_page(token)
    [box] = live().hub.boxes([made.pk])
    for number in range(1000):
        box.put("dot", f'{{"type":"dot","dot":{number}}}')
    assert box.take() == {"dot": '{"type":"dot","dot":999}'}


async def test_leaving_leaves_nothing(open_page: Opened) -> None:
    made, _, token = await tracked()
    talk, _ = await open_page(token)
    assert made.pk in live().hub
    await talk.leave()
    assert made.pk not in live().hub
    assert len(live().hub) == 0


@pytest.mark.covers("T2")
async def test_the_second_tier_is_pushed_only_while_its_cookie_holds(open_page: Opened) -> None:
    from apps.deliveries import access as gate
    from apps.deliveries.models import StepUp

    made, link, token = await tracked()

    @sync_to_async
    def stepped_up() -> str:
        access = gate.open_link(token)
        step_up = gate.request_code(access=access, channel="sms")
        return gate.verify_code(access=access, code=gate.issue_code(step_up_id=step_up.pk))

    value = await stepped_up()
    talk, _ = await open_page(token, cookie=f"doorstep_verified_socket={value}".encode())
    assert (await talk.hear("page"))["document"]["place"]["street"] == "Landstrasse 12"
    await sync_to_async(StepUp.objects.filter(link=link).update)(used_up_at=world.MORNING)
    await sync_to_async(move_state)(delivery_id=made.pk, to=State.FAILED, actor="driver:1", reason="x")
    await sync_to_async(refresh)([made.pk])
    assert await talk.closing_code() == consumers.GONE


async def test_many_changes_while_pages_open_are_all_seen(open_page: Opened) -> None:
    """Whatever the order of joining and changing, an open page ends up with the newest version."""
    made, _, token = await tracked(State.PLANNED)
    bump = sync_to_async(_bump)
    changes = asyncio.create_task(_many(bump, made.pk))
    talks = [(await open_page(token))[0] for _ in range(10)]
    newest = await changes
    for talk in talks:
        while (await talk.hear("page"))["document"]["version"] < newest:
            pass


async def _many(bump: Callable[[int], Any], pk: int) -> int:
    for _ in range(40):
        newest = await bump(pk)
    return int(newest)


def _bump(pk: int) -> int:
    Delivery.objects.filter(pk=pk).update(page_version=world_version(pk))
    refresh([pk])
    return Delivery.objects.get(pk=pk).page_version


def world_version(pk: int) -> int:
    return Delivery.objects.get(pk=pk).page_version + 1


def test_a_caller_behind_proxies_is_counted_by_every_forwarded_line(settings: Any) -> None:
    """A proxy may add a line of its own instead of appending: the lines are one list."""
    settings.PROXY_HOPS = 2
    lines = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-for", b"10.0.0.2")]
    assert consumers._address({"client": ("10.0.0.1", 1), "headers": lines}) == "203.0.113.7"
