"""Positions through the embedded server's own door: as the view answers, but coalesced and written together."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from apps.drivers import ingest, positions
from apps.events.models import Reaction
from apps.fleet.models import Driver, Position, PositionDrop
from apps.fleet.services import issue_driver_token, revoke_driver_token
from tests.conftest import FrozenClock
from tests.drivers.doors import Answer, ask
from tests.drivers.phones import browser_of, leave, one_van_day

pytestmark = [pytest.mark.django_db(transaction=True)]
PATH = "/driver/api/positions"


@pytest.fixture(autouse=True)
def quiet_inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is written but by `written()`; nobody is known from another test."""
    monkeypatch.setattr(ingest.Inbox, "_wake", lambda self: None)
    monkeypatch.setattr(ingest, "known", ingest.Known())
    monkeypatch.setattr(ingest, "inbox", ingest.Inbox(on_unknown=lambda senders: ingest.known.forget(senders)))
    positions._rolled.clear()
    yield
    ingest._threads().shutdown()
    ingest._threads.cache_clear()


@pytest.fixture
def driver() -> Driver:
    return one_van_day(("Alice",))[1]


def fix(now: FrozenClock, seconds: float = 0, lat: object = 47.16, lon: object = 9.51) -> dict[str, object]:
    return {"lat": lat, "lon": lon, "at": (now.instant + timedelta(seconds=seconds)).isoformat()}


@sync_to_async
def token_of(driver: Driver) -> str:
    return issue_driver_token(driver=driver)


async def post(token: str, *rows: object, body: object = None) -> Answer:
    headers = {"authorization": f"Device {token}"}
    return await ask("POST", PATH, {"positions": list(rows)} if body is None else body, headers=headers)


@sync_to_async
def written() -> int:
    return ingest.inbox.flush(everything=True)


@sync_to_async
def rows() -> list[tuple[str, float]]:
    return list(Position.objects.order_by("vehicle__code").values_list("vehicle__code", "latitude"))


@pytest.mark.covers("GP5", "GS40")
async def test_many_posts_are_one_write_and_the_newest_wins(driver: Driver, now: FrozenClock) -> None:
    token = await token_of(driver)
    for seconds in (-30, -5, -20):
        answer = await post(token, fix(now, seconds, lat=47.16 - seconds / 10_000))
        assert (answer.status, answer.body) == (204, b"")
        assert "no-store" in answer.headers["cache-control"]
    assert await rows() == []
    assert await written() == 1
    assert await rows() == [("van-1", 47.1605)]
    await post(token, fix(now, -60, lat=47.2))
    await written()
    assert await rows() == [("van-1", 47.1605)], "nothing older overwrites what is newer"


@pytest.mark.covers("GS40")
async def test_nonsense_is_dropped_and_counted_here_too(driver: Driver, now: FrozenClock) -> None:
    token = await token_of(driver)
    bad: list[object] = [fix(now, lat=float("nan")), fix(now, 3600), fix(now, lat=-33.0, lon=151.0), None, {"lat": 1}]
    foreign = {**fix(now), "vehicle": "van-2", "driver": 2}
    await post(token, *bad, foreign)
    await written()
    assert await rows() == [("van-1", 47.16)]
    counted = await sync_to_async(lambda: dict(PositionDrop.objects.values_list("reason", "count")))()
    assert counted == {"not_a_place": 3, "from_the_future": 1, "off_the_map": 1}
    await post(token, fix(now, lat=46.0, lon=9.0))
    await written()
    assert await rows() == [("van-1", 47.16)]


@pytest.mark.covers("GS40")
async def test_a_flood_is_answered_coalesced_and_hardly_read(
    driver: Driver, now: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1000 a second: the phone is never told to try again, its newest position counts, and others are not delayed."""
    read = []
    fields_from = ingest.fields_from
    monkeypatch.setattr(ingest, "fields_from", lambda body: read.append(1) or fields_from(body))
    token = await token_of(driver)
    answers = [await post(token, fix(now, -400 + number, lat=47.1 + number / 10_000)) for number in range(300)]
    assert {answer.status for answer in answers} == {204}
    assert len(read) <= ingest.BURST + 10
    await written()
    assert await rows() == [("van-1", pytest.approx(47.1299))]


@pytest.mark.covers("GS41")
async def test_a_revoked_phone_writes_nothing_from_that_moment(driver: Driver, now: FrozenClock) -> None:
    """Also what was taken in a moment before, by a process that still remembers the phone."""
    token = await token_of(driver)
    assert (await post(token, fix(now))).status == 204
    await sync_to_async(revoke_driver_token)(driver=driver)
    await post(token, fix(now))
    await written()
    assert await rows() == []
    refused = await post(token, fix(now))
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Device")


async def test_refusals_are_the_views(driver: Driver, now: FrozenClock) -> None:
    token = await token_of(driver)
    unknown = await post("x" * 32, fix(now))
    assert (unknown.status, b"device_unknown" in unknown.body) == (401, True)
    for body in (b"[", b"[]", {"positions": 5}, b"[" * 200_000):
        answer = await post(token, body=body)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    large = await post(token, body=b" " * 512_001)
    assert b"body_too_large" in large.body
    other = await sync_to_async(Driver.objects.create)(name="Off today")
    assert b"no_shift" in (await post(await token_of(other), fix(now))).body


async def test_a_browsers_cookie_needs_the_csrf_token(driver: Driver, now: FrozenClock) -> None:
    browser = await sync_to_async(browser_of)(driver)
    device, csrf = browser.cookies["device"].value, "a" * 32
    cookies = f"device={device}; csrftoken={csrf}"
    body = {"positions": [fix(now)]}
    assert (await ask("POST", PATH, body, headers={"cookie": cookies})).status == 403
    foreign = {"cookie": cookies, "x-csrftoken": csrf, "origin": "https://evil.example"}
    assert (await ask("POST", PATH, body, headers=foreign)).status == 403
    good = {"cookie": cookies, "x-csrftoken": csrf, "origin": "http://localhost"}
    assert (await ask("POST", PATH, body, headers=good)).status == 204
    assert await written() == 1


async def test_a_database_that_is_away_costs_no_position(driver: Driver, now: FrozenClock, monkeypatch: Any) -> None:
    token = await token_of(driver)
    await post(token, fix(now, -10, lat=47.150))

    def away(_batch: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(positions, "record", away)
        with pytest.raises(OperationalError):
            await written()
    await post(token, fix(now, -5, lat=47.151))
    assert await written() == 1
    assert await rows() == [("van-1", 47.151)]


async def test_the_routes_times_follow(driver: Driver, now: FrozenClock) -> None:
    await sync_to_async(leave)(driver)
    token = await token_of(driver)
    for seconds in (-5, -1):
        await post(token, fix(now, seconds))
        await written()
    asked = await sync_to_async(Reaction.objects.filter(dedupe_key__startswith="roll-soon").count)()
    assert asked == 1


async def test_by_itself_it_writes_within_a_second_and_everything_when_it_is_closed(
    driver: Driver, now: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    box = ingest.Inbox()
    sender = await sync_to_async(ingest.sender_of_phone)(await token_of(driver))
    assert sender is not None
    box.put(sender, [positions.Fix(47.15, 9.51, now.instant)])
    async with asyncio.timeout(5):
        while await rows() != [("van-1", 47.15)]:
            await asyncio.sleep(0.02)
    now.advance(seconds=5)
    box.put(sender, [positions.Fix(47.16, 9.51, now.instant)])
    await sync_to_async(box.close)()
    assert await rows() == [("van-1", 47.16)]
