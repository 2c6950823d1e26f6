"""Attack cases on the live road: what a link's holder, a stranger, a slow reader and a lost phone try (6, 37-41).

Each defence has its control beside it: the same attack with that defence taken away succeeds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.test import Client

from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery, Proof
from apps.deliveries.services import make_link, revoke_link, token_of
from apps.deliveries.states import State
from apps.drivers import auth, ingest, positions
from apps.drivers.auth import DRIVER
from apps.drivers.senders import sender_of_phone
from apps.fleet.models import Position
from apps.fleet.services import Fix, issue_driver_token, record_positions, revoke_driver_token
from apps.merchants.models import Policy
from apps.routing.models import Visit
from apps.tracking import consumers, hub, remaining, rules
from apps.tracking.dots import dot_documents
from apps.tracking.entry import Entry
from apps.tracking.progress import Progress
from apps.tracking.tail import Tail, live
from config.asgi import sockets
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, one_van_day, phone_of, photo, post, visits
from tests.planner import travel_world
from tests.tracking.roads import on_route, put_van
from tests.tracking.talks import Talk

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def headers(origin: bytes | None, cookie: bytes = b"") -> list[tuple[bytes, bytes]]:
    return [(b"host", b"localhost"), *([(b"origin", origin)] if origin else []), (b"cookie", cookie)]


@pytest.fixture
async def open_socket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opened]:
    await sync_to_async(cache.clear)()
    talks: list[Talk] = []

    async def opened(path: str, origin: bytes | None = b"http://localhost") -> tuple[Talk, bool]:
        talk = Talk(sockets, path, headers(origin))
        talks.append(talk)
        return talk, await talk.connect()

    yield opened
    for talk in talks:
        with suppress(asyncio.CancelledError):
            await talk.leave()
    monkeypatch.setattr("apps.tracking.tail.IDLE_SECONDS", -1)
    if thread := live()._thread:
        await asyncio.to_thread(thread.join)


@sync_to_async
def tracked() -> tuple[Delivery, Any, str]:
    made = world.delivery(state=State.OUT)
    link = make_link(delivery=made)
    return made, link, token_of(link)


# 5: a dead link


@pytest.mark.covers("GS1", "T21")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
async def test_case_05_a_revoked_links_open_socket(
    open_socket: Opened, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, link, token = await tracked()
    if not is_defended:
        monkeypatch.setattr(Tail, "_close_dead", lambda self, boxes, **_options: [])
    talk, _ = await open_socket(f"/ws/t/{token}")
    await sync_to_async(revoke_link)(link=link, actor="agent:1")
    if is_defended:
        assert await talk.closing_code() == consumers.GONE
    else:
        with pytest.raises(TimeoutError):
            await talk.closing_code(timeout=4)


# 6: where the van is, and where the others live


@pytest.mark.planner
@pytest.mark.covers("T4", "T5")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_06_the_road_on_the_map_leads_to_nobodys_door(
    settings: Any, now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither past another stop, nor to the reader's own street, which the link alone does not tell."""
    settings.ROADS_DIR = travel_world.country().parent
    remaining._legs.clear()
    first, second = world.delivery("Alice", state=State.OUT), world.delivery("Bob", state=State.OUT)
    on_route([first.pk, second.pk])
    Policy.objects.update(show_position="always", show_road="always")
    put_van("van-1", 47.1080, 9.5270, at=world.MORNING)
    if not is_defended:
        monkeypatch.setattr(remaining, "AREA_METRES", 0)
    dots = dot_documents([first.pk, second.pk])
    assert dots[second.pk]["visible"]
    assert "remaining" not in dots[second.pk], "Alice's door lies on Bob's way"
    road = [(lat, lon) for lat, lon in dots[first.pk]["remaining"]]
    assert road[0] == (47.108, 9.527)
    assert sum(distance_metres(*pair) for pair in pairwise(road)) > 2_000
    door = (first.place.latitude, first.place.longitude)
    nearest = min(distance_metres(spot, door) for spot in road)
    middle = rules.coarse_point(*door)
    if is_defended:
        assert min(distance_metres(spot, middle) for spot in road) >= rules.COARSE_METRES * 0.7
    else:
        assert nearest < 40


@pytest.mark.covers("T5")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_06_no_payload_of_one_holds_a_point_of_another(
    now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dot and the page of the second stop name no coordinate within sight of the first one's door."""
    first, second = world.delivery("Alice", state=State.OUT), world.delivery("Bob", state=State.OUT)
    on_route([first.pk, second.pk])
    put_van("van-1", 47.1500, 9.5150, at=world.MORNING)
    client, token = Client(), token_of(make_link(delivery=second))
    text = "".join(client.get(f"/t/{token}{tail}").content.decode() for tail in ("", "/state", "/dot", "/live"))
    assert "47.15" in text
    assert "47.141" not in text
    assert "9.5215" not in text
    # Nobody has tapped "I am here" yet.
    put_van("van-1", first.place.latitude, first.place.longitude, at=world.MORNING, sequence=2)
    if not is_defended:
        monkeypatch.setattr(Progress, "is_near_other_door", lambda self, point: False)
    text = "".join(client.get(f"/t/{token}{tail}").content.decode() for tail in ("/state", "/dot", "/live"))
    assert ("47.141" in text) is not is_defended
    assert dot_documents([first.pk])[first.pk]["lat"] == 47.141, "whom it comes to may see it"


# 37: another site opens the socket with the victim's browser


@pytest.mark.covers("GS37")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
async def test_case_37_a_socket_opened_from_elsewhere(
    open_socket: Opened, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, _link, token = await tracked()
    if not is_defended:
        monkeypatch.setattr(consumers, "origin_is_ours", lambda scope: True)
    foreign = (
        b"https://evil.example",
        b"http://localhost.evil.example",
        b"http://localhost:81",
        b"null",
        b"http://[",
        None,
    )
    let_in = {origin: (await open_socket(f"/ws/t/{token}", origin))[1] for origin in foreign}
    assert set(let_in.values()) == {not is_defended}, let_in


# 38: foreign topics, messages that look like the server's, floods


@pytest.mark.covers("GS38")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
async def test_case_38_no_address_listens_to_a_van_or_a_group(
    open_socket: Opened, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, link, token = await tracked()
    if not is_defended:
        # A socket that subscribes to the topic it is told, as group names are in many a chat.
        async def topic_in_path(named: str, **_caller: str) -> Entry:
            return Entry(made.pk, (link.pk, link.generation))

        monkeypatch.setattr(consumers, "entry_of", topic_in_path)
    topics = ("*", f"{made.pk}", f"{made.public_id}", f"{link.pk}")
    let_in = {topic: (await open_socket(f"/ws/t/{topic}"))[1] for topic in topics}
    assert set(let_in.values()) == {not is_defended}, let_in
    for path in ("/ws/vans/1", "/ws/", "/"):
        assert (await open_socket(path))[1] is False, path
    assert (await open_socket(f"/ws/t/{token}"))[1] is True


@pytest.mark.covers("GS38")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
async def test_case_38_what_a_page_sends(
    open_socket: Opened, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 frames, server-type messages and large ones: heard by nobody, and soon by no one at all."""
    if not is_defended:
        monkeypatch.setattr(consumers, "MOST_FRAMES", 10**9)
        monkeypatch.setattr(consumers, "MOST_BYTES", 10**9)
    _made, _link, token = await tracked()
    talk, _ = await open_socket(f"/ws/t/{token}")
    large, _ = await open_socket(f"/ws/t/{token}")
    other, _ = await open_socket(f"/ws/t/{token}")
    await talk.hear("page")
    await talk.say('{"type":"websocket.close"}')
    await large.say("x" * 5_000)
    for _frame in range(10_000 if is_defended else 200):
        await talk.say('{"type":"dot","dot":{"visible":true,"lat":1}}')
    if is_defended:
        assert await talk.closing_code() == consumers.TOO_MANY
        assert await large.closing_code() == consumers.TOO_BIG
    else:
        with pytest.raises(TimeoutError):
            await talk.closing_code(timeout=1)
    assert (await other.hear("page"))["document"]["status"] == "out"


# 39: thousands of idle sockets, and a reader that never reads


@pytest.mark.covers("GS39")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_39_idle_sockets_of_one_address(is_defended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_defended:
        monkeypatch.setattr(hub, "MOST_PER_ADDRESS", 10**9)
    house = hub.Hub()
    mine = [house.join(hub.Mailbox(Entry(number, (number, 1)), address="203.0.113.5")) for number in range(5_000)]
    assert sum(mine) == (hub.MOST_PER_ADDRESS if is_defended else 5_000)
    assert house.join(hub.Mailbox(Entry(9_999, (9_999, 1)), address="203.0.113.6")), "others find room"


@pytest.mark.covers("GS39")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
async def test_case_39_a_reader_that_never_reads(is_defended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps one message of each kind, is sent away in the end, and nobody waits for it."""
    monkeypatch.setattr(consumers, "SEND_SECONDS", 0.2 if is_defended else 3600)
    stuck, closed, sent = asyncio.Event(), [], []

    async def never(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            closed.append(message["code"])
            return
        sent.append(message)
        await stuck.wait()

    slow = consumers.PageConsumer()
    slow.scope, slow.base_send, slow._is_open = {}, never, True
    slow.box = hub.Mailbox(Entry(1, (1, 1)), ring=slow._ring)
    house = live().hub
    assert house.join(slow.box)
    for number in range(10_000):
        slow.box.put("dot", f"{number}")
    await asyncio.sleep(0)
    for number in range(10_000):
        slow.box.put("dot", f"{number}")
    assert len(slow.box._slots or {}) <= 1
    await asyncio.sleep(0.6)
    assert (closed, 1 in house) == (([consumers.GONE], False) if is_defended else ([], True))
    assert len(sent) == 1
    stuck.set()
    house.leave(slow.box)


# 40: a phone that lies


@pytest.mark.covers("GS40")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_40_positions_that_cannot_be(now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The future, a replayed hour, the other end of the world, no place at all: the van stays where it was."""
    van = world.shift("van-1").vehicle
    here = Fix(47.168, 9.511, now.instant)
    lies = [
        Fix(47.3, 9.6, now.instant + timedelta(hours=1)),
        Fix(47.3, 9.6, now.instant - timedelta(hours=1)),
        Fix(-33.9, 151.2, now.instant + timedelta(seconds=1)),
        Fix(float("nan"), 9.5, now.instant + timedelta(seconds=2)),
    ]
    if not is_defended:
        recording = import_module("apps.fleet.services.record_positions")
        monkeypatch.setattr(recording, "drop_reason", lambda *_judged: None)
        # What is no number, and what is older, the database and the newest fix keep out as well.
        lies = [lies[0], lies[2]]
    record_positions(vehicle=van, fixes=[here])
    moved = set()
    for lie in lies:
        record_positions(vehicle=van, fixes=[lie])
        position = Position.objects.get()
        moved.add((position.latitude, position.at) != (here.latitude, here.at))
    assert moved == {not is_defended}


@pytest.mark.covers("GS40")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_40_a_thousand_positions_in_another_drivers_name(
    now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose they are says the phone alone; of a thousand in a second few are read."""
    _deliveries, driver = one_van_day(("Alice",))
    other = world.shift("van-2").vehicle
    known = ingest.Known()
    sender = sender_of_phone(issue_driver_token(driver=driver))
    assert sender is not None
    if not is_defended:
        monkeypatch.setattr(ingest, "BURST", 10**6)
    assert (sum(known.may_be_read(sender) for _number in range(1_000)) < 50) is is_defended
    fix = {"lat": 47.15, "lon": 9.51, "at": now.instant.isoformat(), "vehicle": other.code, "driver": other.pk}
    answer = post(phone_of(driver), "/driver/api/positions", {"positions": [fix], "vehicle": other.code})
    assert answer.status_code in (204, 400)
    assert not Position.objects.filter(vehicle=other).exists()


# 41: a lost phone


@pytest.mark.covers("GS41")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_41_a_revoked_phone_in_a_process_that_remembers_it(
    now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    sender = sender_of_phone(issue_driver_token(driver=driver))
    assert sender is not None
    revoke_driver_token(driver=driver)
    if not is_defended:
        monkeypatch.setattr(positions, "still_known", lambda senders: set(senders))
    positions.record({sender: [Fix(47.15, 9.51, now.instant)]})
    assert Position.objects.exists() is not is_defended


@pytest.mark.covers("GS41")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_41_page_and_every_call_die_at_once(
    now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    leave(driver)
    phone, visit = phone_of(driver), visits(driver)[0].pk
    assert phone.get("/driver/api/route").status_code == 200
    if not is_defended:
        # A phone that was let in once and is remembered.
        kept = replace(DRIVER, find=lambda _token: driver)
        asked = auth._holder_of
        monkeypatch.setattr(auth, "_holder_of", lambda _face, request: asked(kept, request))
    revoke_driver_token(driver=driver)
    calls = [
        phone.get("/driver/api/route"),
        post(phone, "/driver/api/positions", {"positions": []}),
        post(phone, f"/driver/api/visits/{visit}/arrive"),
        phone.post(f"/driver/api/visits/{visit}/complete", {"received_by": "Anna", "photo": photo()}),
    ]
    codes = [answer.status_code for answer in calls]
    if is_defended:
        assert set(codes) == {401}
        assert not Proof.objects.exists()
    else:
        assert 401 not in codes
        assert Proof.objects.exists()
    assert phone.get("/driver/").status_code == 401, "the page asks for itself"


@pytest.mark.covers("GS41")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_41_another_drivers_stop_cannot_be_touched(
    now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    leave(driver)
    thief = world.shift("van-2").driver
    visit = visits(driver)[0].pk
    if not is_defended:
        service = import_module("apps.drivers.services.hand_over")
        monkeypatch.setattr(service, "own_visit", lambda _driver, pk, *_told: Visit.objects.get(pk=pk))
    data = {"received_by": "Anna", "photo": photo()}
    stolen = phone_of(thief).post(f"/driver/api/visits/{visit}/complete", data)
    assert (stolen.status_code, Proof.objects.exists()) == ((404, False) if is_defended else (200, True))
    assert Visit.objects.get(pk=visit).state == (Visit.State.PLANNED if is_defended else Visit.State.DONE)
