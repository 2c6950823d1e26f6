"""Fleets keep the app or the box they have: OsmAnd, Traccar Client and a Traccar server that forwards."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.core.logs import scrub
from apps.drivers import ingest
from apps.fleet.models import Driver, Position, PositionSample, Shift, Tracker
from apps.fleet.services import add_app, add_box, revoke_tracker, rotate_tracker
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.doors import ask
from tests.drivers.phones import one_van_day

Answered = tuple[int, bytes]
Door = Callable[..., Answered]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SECRET = "the-fleets-own-traccar-secret"


@pytest.fixture(params=["view", "embedded"])
def door(request: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Door:
    """(method, path, body) -> (status, body), through the WSGI view and through the embedded server's own door."""
    cache.clear()
    if request.param == "view":

        def through_view(
            method: str, path: str, body: Any = b"", kind: str = JSON, **headers: str
        ) -> tuple[int, bytes]:
            answer = Client().generic(method, path, body, kind, headers=headers)
            return answer.status_code, answer.content

        return through_view
    monkeypatch.setattr(ingest.Inbox, "_wake", lambda self: None)
    monkeypatch.setattr(ingest, "known", ingest.Known())
    monkeypatch.setattr(ingest, "inbox", ingest.Inbox(on_unknown=lambda senders: ingest.known.forget(senders)))

    def through_door(method: str, path: str, body: bytes = b"", kind: str = JSON, **headers: str) -> Answered:
        answer = async_to_sync(ask)(method, path, body, headers=headers, kind=kind)
        ingest.inbox.flush(everything=True)
        ingest._threads().shutdown()
        ingest._threads.cache_clear()
        return answer.status, answer.body

    return through_door


@pytest.fixture
def driver(door: Door) -> Driver:
    return one_van_day(("Alice",))[1]


def where() -> list[tuple[str, float, float]]:
    return list(Position.objects.values_list("vehicle__code", "latitude", "longitude"))


@pytest.mark.covers("GP5")
@pytest.mark.parametrize("form", ["query", "milliseconds", "location", "form", "client json"])
def test_every_form_of_the_osmand_protocol_moves_the_van(
    door: Door, driver: Driver, now: FrozenClock, form: str
) -> None:
    _tracker, identity = add_app(name="Traccar Client", driver=driver)
    seconds = int(now.instant.timestamp()) - 3
    fields = f"id={identity}&lat=47.15&lon=9.51&timestamp={seconds}&speed=10&bearing=90&accuracy=8&batt=71"
    client = {
        "location": {
            "timestamp": (now.instant - timedelta(seconds=3)).isoformat().replace("+00:00", ".000Z"),
            "coords": {"latitude": 47.15, "longitude": 9.51, "speed": 5.14444, "heading": 90, "accuracy": 8},
            "is_moving": True,
            "battery": {"level": 0.71},
        },
        "device_id": identity,
    }
    answer = {
        "query": lambda: door("GET", f"/ingest/osmand/?{fields}"),
        "milliseconds": lambda: door("POST", f"/ingest/osmand?{fields.replace(str(seconds), f'{seconds}000')}"),
        "location": lambda: door("GET", f"/ingest/osmand?id={identity}&location=47.15,9.51&timestamp={seconds}"),
        "form": lambda: door("POST", "/ingest/osmand", fields.encode(), FORM),
        "client json": lambda: door("POST", "/ingest/osmand", _json(client)),
    }[form]()
    assert answer == (200, b"")
    assert where() == [("van-1", 47.15, 9.51)]
    position = Position.objects.get()
    assert (now.instant - position.at).total_seconds() == 3
    if form != "location":
        assert (position.heading_degrees, round(position.speed_metres_per_second or 0, 2)) == (90, 5.14), "knots"


@pytest.mark.covers("GS40", "GS41")
def test_unknown_revoked_and_mangled_ids_get_the_same_answer(door: Door, driver: Driver, now: FrozenClock) -> None:
    tracker, first = add_app(name="Traccar Client", driver=driver)
    second = rotate_tracker(tracker=tracker)
    bad = [first, "a" * 32, "", "1" * 5000, "' OR 1=1 --", "%00", "1", str(driver.pk), tracker.id_sha256]
    answers = {door("GET", f"/ingest/osmand?id={identity}&lat=47.15&lon=9.51") for identity in bad}
    answers |= {
        door("POST", "/ingest/osmand", body) for body in (b"", b"[" * 60_000, b'{"device_id": {}}', b"x" * 70_000)
    }
    answers |= {door("GET", "/ingest/osmand")}
    assert answers == {(400, b"")}
    assert where() == []
    assert door("GET", f"/ingest/osmand?id={second}&lat=47.15&lon=9.51")[0] == 200
    revoke_tracker(tracker=tracker)
    now.advance(seconds=5)
    door("GET", f"/ingest/osmand?id={second}&lat=47.16&lon=9.51")
    assert door("GET", f"/ingest/osmand?id={second}&lat=47.16&lon=9.51") == (400, b"")
    assert where() == [("van-1", 47.15, 9.51)]


@pytest.mark.covers("GS40")
def test_nonsense_is_taken_and_dropped(door: Door, driver: Driver, now: FrozenClock) -> None:
    _tracker, identity = add_app(name="Traccar Client", driver=driver)
    late = int(now.instant.timestamp()) + 4000
    for rest in (
        "lat=nan&lon=9.5",
        "lat=1e309&lon=9",
        "lat=47.1",
        "lat=47.1&lon=9.5&timestamp=soon",
        "lat=47.1&lon=9.5&valid=false",
        "lat=47.1&lon=9.5&accuracy=5000",
        f"lat=47.1&lon=9.5&timestamp={late}",
        "lat=-33&lon=151",
        "batt=50",
    ):
        assert door("GET", f"/ingest/osmand?id={identity}&{rest}") == (200, b"")
    assert where() == []


@pytest.mark.covers("T5")
def test_off_shift_nobody_learns_where_the_driver_is(door: Door, now: FrozenClock) -> None:
    """The app sends all evening; it is thanked, and nothing is kept."""
    driver = Driver.objects.create(name="Off today")
    _tracker, identity = add_app(name="Traccar Client", driver=driver)
    assert door("GET", f"/ingest/osmand?id={identity}&lat=47.15&lon=9.51") == (200, b"")
    assert where() == []


def forwarded(now: FrozenClock, **changes: Any) -> bytes:
    position = {
        "deviceId": 7,
        "valid": True,
        "outdated": False,
        "fixTime": now.instant.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "latitude": 47.15,
        "longitude": 9.51,
        "speed": 10.0,
        "course": 90.0,
        "accuracy": 0.0,
        **changes,
    }
    return _json({"position": position, "device": {"id": 7, "name": "Van 1", "uniqueId": "350612070000001"}})


@pytest.mark.covers("GP5")
def test_a_traccar_server_forwards_with_the_shared_secret_only(
    door: Door, driver: Driver, now: FrozenClock, settings: Any
) -> None:
    add_box(name="Box in van 1", identity="350612070000001", vehicle=Shift.objects.get(driver=driver).vehicle)
    body = forwarded(now)
    assert door("POST", "/ingest/traccar", body, authorization=f"Bearer {SECRET}")[0] == 401, "not set up: not taken"
    settings.TRACCAR_FORWARD_SECRET = SECRET
    for wrong in ("", "Bearer", "Bearer wrong", SECRET, f"Basic {SECRET}"):
        assert door("POST", "/ingest/traccar", body, authorization=wrong) == (401, b"")
    assert where() == []
    good = {"authorization": f"Bearer {SECRET}"}
    assert door("POST", "/ingest/traccar", forwarded(now, outdated=True), **good) == (200, b"")
    assert where() == []
    assert door("POST", "/ingest/traccar", body, **good) == (200, b"")
    assert where() == [("van-1", 47.15, 9.51)]
    strangers = body.replace(b"350612070000001", b"999")
    assert door("POST", "/ingest/traccar", strangers, **good) == (200, b""), (
        "other vehicles of that server are no error"
    )


def test_the_number_printed_on_a_box_opens_no_apps_door(door: Door, driver: Driver, now: FrozenClock) -> None:
    add_box(name="Box", identity="350612070000001", driver=driver)
    assert door("GET", "/ingest/osmand?id=350612070000001&lat=47.15&lon=9.51") == (400, b"")
    assert where() == []


def test_no_log_line_holds_an_id() -> None:
    identity = "0123456789abcdef0123456789abcdef"
    for line in (f"GET /ingest/osmand/?lat=1&id={identity}&lon=2 HTTP/1.1", f"/ingest/osmand?deviceid={identity}"):
        assert identity not in scrub(line)


@pytest.mark.django_db
def test_staff_make_an_id_that_is_shown_once_and_kept_nowhere(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    shift = world.shift("van-1")
    add = reverse("admin:fleet_tracker_add")
    page = client.post(add, {"kind": "app", "name": "Phone of van 1", "driver": shift.driver_id, "vehicle": ""})
    shown = _shown(page.content.decode())
    tracker = Tracker.objects.get()
    assert shown not in str(Tracker.objects.values().get())
    change = client.get(reverse("admin:fleet_tracker_change", args=[tracker.pk])).content.decode()
    assert shown not in change
    assert tracker.id_sha256 not in change
    listed = reverse("admin:fleet_tracker_changelist")
    anew = client.post(listed, {"action": "renew", "_selected_action": [tracker.pk]}).content.decode()
    assert _shown(anew) != shown
    client.post(listed, {"action": "revoke", "_selected_action": [tracker.pk]})
    assert Tracker.objects.get().revoked_at is not None
    nobody = client.post(add, {"kind": "app", "name": "Nobody's", "driver": "", "vehicle": ""})
    assert Tracker.objects.count() == 1
    assert nobody.status_code == 200


def _shown(page: str) -> str:
    start = page.index('id="tracker-id">') + len('id="tracker-id">')
    found = page[start : page.index("<", start)].strip()
    assert len(found) == 32
    return found


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.django_db(transaction=True)
def test_a_backlog_sent_one_by_one_is_kept_whole(now: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a dead spot the app sends what it kept, one request per place, faster than anybody drives."""
    cache.clear()
    inbox = ingest.Inbox(on_unknown=lambda senders: None)
    monkeypatch.setattr(ingest.Inbox, "_wake", lambda self: None)
    monkeypatch.setattr(ingest, "known", ingest.Known())
    monkeypatch.setattr(ingest, "inbox", inbox)
    _tracker, identity = add_app(name="Traccar Client", driver=one_van_day(("Alice",))[1])
    last = int(now.instant.timestamp()) - 5
    for number in range(25):
        place = f"lat={47.15 + number / 1000}&lon=9.51&timestamp={last - 20 * (24 - number)}"
        assert async_to_sync(ask)("GET", f"/ingest/osmand/?id={identity}&{place}").status == 200
    inbox.flush(everything=True)
    ingest._threads().shutdown()
    ingest._threads.cache_clear()
    assert PositionSample.objects.count() == 25
