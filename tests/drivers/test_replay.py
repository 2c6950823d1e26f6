"""A phone that was without signal for two hours: told in order, with its times, each thing once, nobody misled."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.deliveries.models import Attempt, Delivery, Proof
from apps.deliveries.services import doorstep_code_of, start_attempt
from apps.drivers.models import PhoneEvent
from apps.events.models import Event
from apps.fleet.models import Driver, Shift
from apps.notifications.models import Message
from apps.routing.models import Route, Visit
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, one_van_day, phone_of, photo, post, visits

pytestmark = [pytest.mark.django_db]
BATCH = "/driver/api/events"
STOPS = 5
TAPS = 2 * STOPS + 2


def told(number: int, kind: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {"id": f"event-{number:04d}", "kind": kind, "at": at.isoformat(), **more}


def long_day(stops: int) -> Driver:
    world.shift("van-1")
    for number in range(stops):
        made = world.delivery(("Alice", "Bob", "Charlie")[number % 3], offset=number * 0.0006)
        start_attempt(delivery_id=made.pk, place_id=made.place_id)
        world.put_in_plan(made)
    return Driver.objects.get(name="Driver of van-1")


def two_hours(driver: Driver, start: datetime) -> list[dict[str, Any]]:
    """Away from the depot, STOPS stops of eight minutes (the third failed), and one arrival."""
    events = [told(0, "depart", start)]
    for number, visit in enumerate(visits(driver)[:STOPS]):
        delivery = visit.drops.get().delivery
        there, gone = start + timedelta(minutes=8 * number + 5), start + timedelta(minutes=8 * number + 8)
        events.append(told(2 * number + 1, "arrive", there, visit=visit.pk))
        here = {"lat": delivery.place.latitude, "lon": delivery.place.longitude}
        end: dict[str, Any] = {"kind": "complete", "received_by": "Frau Frick"}
        if number == 2:
            end = {"kind": "fail", "reason": "consignee_refused"}
        events.append({**told(2 * number + 2, "", gone, visit=visit.pk), **end, **here})
    last = visits(driver)[STOPS]
    events.append(told(2 * STOPS + 1, "arrive", start + timedelta(minutes=119), visit=last.pk))
    return events


@pytest.mark.covers("D8")
def test_a_dozen_taps_after_two_hours(now: FrozenClock, drain: Callable[..., int]) -> None:
    """In order, at their own times, and whoever hears of it hears what is true now."""
    driver = long_day(STOPS + 3)
    drain()
    start = now.instant
    events = two_hours(driver, start)
    assert len(events) == TAPS
    now.advance(hours=2)
    phone = phone_of(driver)
    answers = post(phone, BATCH, {"events": events}).json()["answers"]
    assert [answer["id"] for answer in answers] == [event["id"] for event in events]
    assert all(answer["ok"] and not answer["again"] for answer in answers)
    drain()
    done = visits(driver)[:STOPS]
    assert [visit.state for visit in done] == ["done"] * 2 + ["failed"] + ["done"] * (STOPS - 3)
    for number, visit in enumerate(done):
        assert visit.left_at == start + timedelta(minutes=8 * number + 8)
    assert Route.objects.get().departed_at == start
    ended = list(Delivery.objects.filter(state="delivered").order_by("ended_at").values_list("ended_at", flat=True))
    assert ended[0] == start + timedelta(minutes=8)
    assert ended[-1] == start + timedelta(minutes=8 * STOPS)
    waiting = {visit.drops.get().delivery_id for visit in visits(driver)[STOPS:]}
    for visit in visits(driver)[STOPS + 1 :]:
        assert visit.eta_latest is not None
        assert visit.eta_latest > now.instant, "expected from now on, not two hours ago"
    by_trigger: dict[str, set[int]] = {}
    for delivery, trigger in Message.objects.values_list("delivery_id", "trigger"):
        by_trigger.setdefault(trigger, set()).add(delivery)
    assert len(by_trigger["delivered"]) == STOPS - 1
    assert len(by_trigger["failed"]) == 1
    assert by_trigger["out_today"] <= waiting, "nobody hears that what has arrived is on its way"
    assert by_trigger.get("next_stop", set()) <= waiting, "nobody is next whose door is behind"
    assert by_trigger.get("changed", set()) <= waiting


@pytest.mark.covers("D8")
def test_what_was_told_before_changes_nothing(now: FrozenClock, drain: Callable[..., int]) -> None:
    driver = long_day(STOPS + 2)
    events = two_hours(driver, now.instant)
    now.advance(hours=2)
    phone = phone_of(driver)
    first = post(phone, BATCH, {"events": events[:8]}).json()["answers"]
    before = (Event.objects.count(), Proof.objects.count(), list(Visit.objects.order_by("pk").values()))
    again = post(phone, BATCH, {"events": events[:8]}).json()["answers"]
    assert (Event.objects.count(), Proof.objects.count(), list(Visit.objects.order_by("pk").values())) == before
    assert [answer | {"again": True} for answer in first] == again
    rest = post(phone, BATCH, {"events": events}).json()["answers"]
    assert [answer["again"] for answer in rest] == [True] * 8 + [False] * (TAPS - 8)
    assert PhoneEvent.objects.count() == TAPS
    assert post(phone, BATCH, events[:1]).json()["answers"][0]["again"] is True, "a bare list is a batch as well"


def test_a_batch_that_is_followed_by_another_tells_nobody_yet(now: FrozenClock) -> None:
    driver = long_day(STOPS + 2)
    events = two_hours(driver, now.instant)
    now.advance(hours=2)
    phone = phone_of(driver)
    post(phone, BATCH, {"events": events[:7], "more": True})
    assert not Event.objects.filter(kind="routing.next_stop").exists()
    post(phone, BATCH, {"events": events[7 : TAPS - 1]})
    following = visits(driver)[STOPS].drops.get().delivery_id
    assert list(Event.objects.filter(kind="routing.next_stop").values_list("delivery_id", flat=True)) == [following]


def test_one_no_does_not_stop_the_others_and_is_remembered(now: FrozenClock) -> None:
    driver = long_day(2)
    leave(driver)
    first, second = visits(driver)
    events = [
        told(1, "complete", now.instant, visit=first.pk),
        told(2, "dance", now.instant),
        told(3, "arrive", now.instant, visit=10**9),
        told(4, "complete", now.instant, visit=second.pk, received_by="Anna"),
    ]
    phone = phone_of(driver)
    answers = post(phone, BATCH, {"events": events}).json()["answers"]
    assert [answer.get("code") for answer in answers] == ["name_missing", "kind_unknown", "stop_not_found", None]
    assert answers[0]["message"] == "Take a photo, or write down who took it."
    assert [visit.state for visit in visits(driver)] != ["planned", "planned"]
    assert post(phone, BATCH, {"events": events[:1]}).json()["answers"][0]["code"] == "name_missing"


def test_one_slip_of_the_finger_takes_no_other_stop_along(now: FrozenClock) -> None:
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    leave(driver)
    stops = {visit.drops.get().delivery_id: visit.pk for visit in visits(driver)}
    events = [
        told(1, "complete", now.instant, visit=stops[alice.pk], received_by="Anna"),
        told(2, "complete", now.instant, visit=stops[bob.pk], received_by="Bob", paid="20.-"),
        {"id": "event-0003", "kind": "arrive", "at": "soon"},
        told(4, "arrive", now.instant, visit=-1),
        told(5, "complete", now.instant, visit=stops[bob.pk], received_by="Bob"),
    ]
    answer = post(phone_of(driver), BATCH, {"events": events})
    codes = [one.get("code") for one in answer.json()["answers"]]
    assert codes == [None, "payment_missing", "instant_not_understood", "number_not_understood", None]
    assert [visit.state for visit in visits(driver)] == ["done", "done"]


@pytest.mark.covers("D8")
def test_taps_before_midnight_count_for_the_shift_they_were_made_in(now: FrozenClock) -> None:
    driver = long_day(2)
    Shift.objects.update(ends_at=world.hours(23, 24).latest)
    leave(driver)
    first, second = visits(driver)
    late = now.at("23:50")
    now.set(late + timedelta(minutes=20))
    events = [
        told(1, "complete", late, visit=first.pk, received_by="Anna"),
        told(2, "rest", late, begins="1"),
    ]
    phone = phone_of(driver)
    assert [one["ok"] for one in post(phone, BATCH, {"events": events}).json()["answers"]] == [True, True]
    assert Visit.objects.get(pk=first.pk).left_at == late
    assert Shift.objects.get().break_began_at is not None, "a break taken without signal is one"
    answer = post(phone, f"/driver/api/visits/{second.pk}/arrive")
    assert answer.status_code == 200, "a shift that lasts past midnight goes on"


def test_a_batch_of_too_many_pictures_is_not_read(now: FrozenClock) -> None:
    driver = long_day(1)
    body: dict[str, Any] = {"events": "[]", **{f"event-{number:04d}.photo": photo() for number in range(41)}}
    answer = phone_of(driver).post(BATCH, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_pictures")


def test_pictures_and_codes_of_a_batch_belong_to_their_event(now: FrozenClock) -> None:
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    Delivery.objects.filter(pk=bob.pk).update(proof_needed=["code"])
    for delivery in (alice, bob):
        start_attempt(delivery_id=delivery.pk, place_id=delivery.place_id)
    leave(driver)
    stops = {visit.drops.get().delivery_id: visit.pk for visit in visits(driver)}
    events = [
        told(1, "complete", now.instant, visit=stops[alice.pk], left_at="porch", staff_note="gate open"),
        told(2, "complete", now.instant, visit=stops[bob.pk], received_by="Bob", code="000000"),
        told(3, "complete", now.instant, visit=stops[bob.pk], received_by="Bob", code=doorstep_code_of(bob)),
    ]
    body = {"events": json.dumps(events), "sent_at": now.instant.isoformat(), "event-0001.photo": photo()}
    answers = phone_of(driver).post(BATCH, body).json()["answers"]
    assert [(answer["ok"], answer.get("code")) for answer in answers] == [
        (True, None),
        (False, "code_wrong"),
        (True, None),
    ]
    assert alice.proofs.get(kind="photo").image
    assert not bob.proofs.filter(kind="photo").exists()
    assert Attempt.objects.get(delivery=alice).staff_note == "gate open"
    bob.refresh_from_db()
    assert bob.doorstep_code.tries == 2, "the wrong one was counted although the batch went on"


def test_a_phone_whose_clock_is_wrong_counts_how_long_ago(now: FrozenClock) -> None:
    driver = long_day(1)
    wrong = now.instant + timedelta(days=400)
    events = [told(1, "depart", wrong - timedelta(minutes=7))]
    body = {"events": events, "sent_at": wrong.isoformat()}
    assert post(phone_of(driver), BATCH, body).json()["answers"][0]["ok"]
    assert Route.objects.get().departed_at == now.instant - timedelta(minutes=7)


def test_another_drivers_ids_and_stops_stay_theirs(now: FrozenClock) -> None:
    driver = long_day(1)
    world.shift("van-2")
    other = Driver.objects.get(name="Driver of van-2")
    leave(driver)
    events = [told(1, "arrive", now.instant, visit=visits(driver)[0].pk)]
    assert post(phone_of(driver), BATCH, {"events": events}).json()["answers"][0]["ok"]
    answer = post(phone_of(other), BATCH, {"events": events}).json()["answers"][0]
    assert (answer["ok"], answer["code"], answer["again"]) == (False, "stop_not_found", False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": "x"},
        {"events": [1]},
        {"events": [{"id": "short", "kind": "depart"}]},
        {"events": [{"id": "e" * 65, "kind": "depart"}]},
        {"events": [{"id": f"event-{number:04d}", "kind": "depart"} for number in range(201)]},
    ],
)
def test_what_is_no_batch_is_refused_whole(body: dict[str, Any]) -> None:
    driver = long_day(1)
    answer = post(phone_of(driver), BATCH, body)
    assert answer.status_code == 400
    assert not PhoneEvent.objects.exists()
    assert Route.objects.get().departed_at is None
