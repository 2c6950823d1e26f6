"""A phone without signal all evening: the system closed its stops, and then its proofs come in."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.deliveries.models import Delivery, Place, Promise
from apps.deliveries.services import make_link, start_attempt, token_of
from apps.deliveries.states import State
from apps.fleet.models import Driver
from apps.merchants.models import Policy
from apps.notifications.models import Message
from apps.rescheduling.services import change_window
from apps.routing.models import Drop, Visit
from apps.routing.services import fail, load
from apps.routing.services.bring_back import bring_back
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, phone_of, photo, post
from tests.tracking.shopper import Shopper
from tests.tracking.verify_change import COMMITS, verify_change

BATCH, TOMORROW = "/driver/api/events", world.TODAY.replace(day=11)
pytestmark = [pytest.mark.django_db]


TEN = world.hours(10, 11).earliest


def evening_of(
    names: tuple[str, ...], now: FrozenClock, drain: Callable[..., int], *, at_one_door: bool = False
) -> tuple[list[Delivery], Driver]:
    """A van that left and was never heard of again: at midnight its stops are closed and planned for tomorrow."""
    world.shift("van-1")
    world.shift("van-1", TOMORROW)
    made = []
    for name in names:
        delivery = world.delivery(name)
        if at_one_door:
            Place.objects.filter(pk=delivery.place_id).update(merge_key="home:one")
            delivery = Delivery.objects.get(pk=delivery.pk)
        start_attempt(delivery_id=delivery.pk, place_id=delivery.place_id)
        made.append(world.put_in_plan(delivery))
        load(barcode=delivery.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    driver = Driver.objects.get()
    leave(driver)
    drain()
    now.set(now.at("23:59"))
    drain()
    for delivery in made:
        delivery.refresh_from_db()
        assert delivery.state == State.PLANNED
    return made, driver


def stop_today(delivery: Delivery) -> Visit:
    return Visit.objects.get(drops__delivery=delivery, plan__day=world.TODAY)


def taps(delivery: Delivery, there: datetime = TEN) -> list[dict[str, Any]]:
    """What the phone kept of a stop: that it stood there, and twelve minutes later the proof."""
    visit = stop_today(delivery).pk
    gone = there + timedelta(minutes=12)
    name = f"late-{delivery.pk:06d}"
    return [
        {"id": f"{name}-a", "kind": "arrive", "at": there.isoformat(), "visit": visit},
        {"id": f"{name}-c", "kind": "complete", "at": gone.isoformat(), "visit": visit, "received_by": "Frau Frick"},
    ]


def send(driver: Driver, *events: dict[str, Any], pictures: bool = False) -> list[dict[str, Any]]:
    phone = phone_of(driver)
    if not pictures:
        return list(post(phone, BATCH, {"events": list(events)}).json()["answers"])
    files = {f"{event['id']}.photo": photo() for event in events if event["kind"] == "complete"}
    return list(phone.post(BATCH, {"events": json.dumps(events), **files}).json()["answers"])


@pytest.mark.django_db(transaction=COMMITS)
@pytest.mark.covers("D8", "P2")
def test_what_the_phone_handed_over_in_time_overrules_the_evening(now: FrozenClock, drain: Callable[..., int]) -> None:
    (alice, bob), driver = evening_of(("Alice", "Bob"), now, drain)
    assert alice.window == world.hours(8, 18, TOMORROW)
    assert Promise.objects.get(delivery=alice, closed_at=None).earliest == alice.window_earliest
    now.advance(minutes=6)
    events = taps(alice)
    with verify_change(drain, alice):
        answers = send(driver, *events, pictures=True)
    assert [answer["ok"] for answer in answers] == [True, True], answers
    alice.refresh_from_db()
    visit = stop_today(alice)
    assert (alice.state, alice.window, visit.state) == (State.DELIVERED, world.hours(8, 18), "done")
    assert (visit.arrived_at, visit.left_at) == (TEN, TEN + timedelta(minutes=12))
    assert list(alice.attempts.values_list("number", "outcome", "reason_code")) == [(1, "delivered", "")]
    assert {proof.kind: proof.taken_at for proof in alice.proofs.all()}["photo"] >= TEN
    assert not Drop.objects.filter(delivery=alice, is_open=True).exists()
    assert Visit.objects.filter(plan__day=TOMORROW).get().drops.get().delivery == bob
    assert not Promise.objects.filter(delivery=alice, closed_at=None).exists()
    drain()
    assert Message.objects.filter(delivery=alice, trigger="delivered").count() == 1
    page = Shopper(token_of(make_link(delivery=alice))).text
    assert "Delivered" in page
    assert "the phone had no signal until now" in page
    rows = list(Visit.objects.order_by("pk").values()), list(alice.proofs.order_by("pk").values())
    again = send(driver, *events, pictures=True)
    assert [(answer["ok"], answer["again"]) for answer in again] == [(True, True)] * 2
    fresh = [{**event, "id": f"{event['id']}-2"} for event in events]
    assert send(driver, fresh[1], pictures=True)[0]["again"], "another tap for the same stop says nothing new"
    drain()
    assert (list(Visit.objects.order_by("pk").values()), list(alice.proofs.order_by("pk").values())) == rows
    assert Message.objects.filter(delivery=alice, trigger="delivered").count() == 1
    bob.refresh_from_db()
    assert bob.state == State.PLANNED, "who was not handed anything comes tomorrow"


@pytest.mark.covers("D8", "P2")
def test_what_somebody_has_had_in_hand_or_decided_since_stays_as_it_is(
    now: FrozenClock, drain: Callable[..., int]
) -> None:
    (scanned, chosen, late, word), driver = evening_of(("Alice", "Bob", "Charlie", "Alice"), now, drain)
    now.advance(minutes=6)
    bring_back(barcode=scanned.parcels.get().barcode, depot=world.depot(), actor="clerk:1")
    change_window(delivery=chosen, window=world.hours(14, 18, TOMORROW), revision=chosen.revision, actor="shopper")
    before = {row.pk: (row.state, row.window) for row in Delivery.objects.all()}
    assert before[late.pk][0] == State.PLANNED
    for delivery in (scanned, chosen):
        _arrival, proof = taps(delivery)
        (answer,) = send(driver, proof)
        assert (answer["ok"], answer["code"]) == (False, "parcel_moved_on")
        assert "Tell the dispatcher" in answer["message"]
    (answer,) = send(driver, taps(late, world.hours(23, 24).earliest + timedelta(minutes=47))[1])
    assert (answer["ok"], answer["code"]) == (False, "stop_closed"), "after the closing it is the evening that counts"
    assert {row.pk: (row.state, row.window) for row in Delivery.objects.all()} == before
    Policy.objects.update(proof_needed=["photo"])
    (answer,) = send(driver, taps(word)[1])
    assert (answer["ok"], answer["code"]) == (False, "photo_missing"), "late is no reason for less proof"
    word.refresh_from_db()
    assert word.state == State.PLANNED


@pytest.mark.covers("D8")
def test_what_the_driver_saw_in_vain_replaces_what_the_evening_assumed(
    now: FrozenClock, drain: Callable[..., int]
) -> None:
    (refused, away, chosen), driver = evening_of(("Alice", "Bob", "Charlie"), now, drain)
    now.advance(minutes=6)
    change_window(delivery=chosen, window=world.hours(14, 18, TOMORROW), revision=chosen.revision, actor="shopper")
    before = Delivery.objects.get(pk=chosen.pk).window
    reasons = {refused: "consignee_refused", away: "consignee_not_home", chosen: "consignee_refused"}
    for delivery, reason in reasons.items():
        said = {"anyway": "Said so at the door", "recipient_note": "As you said", "reason": reason}
        arrival, left = taps(delivery)
        call = {"id": f"late-call-{delivery.pk}", "kind": "contact", "channel": "call", "delivery": delivery.public_id}
        call["at"] = (TEN + timedelta(minutes=1)).isoformat()
        events = [arrival, call, {**left, "kind": "fail", **said}]
        phone = phone_of(driver)
        files = {f"{left['id']}.photo": photo()}
        answers = phone.post(BATCH, {"events": json.dumps(events), **files}).json()["answers"]
        assert [(answer["ok"], answer["again"]) for answer in answers] == [(True, False)] * 3, answers
        attempt = delivery.attempts.get(number=1)
        assert (attempt.reason_code, attempt.recipient_note) == (reason, "As you said")
        assert attempt.ended_at == TEN + timedelta(minutes=12)
        proof = delivery.proofs.get(kind="failure")
        assert proof.image
        assert proof.taken_at == attempt.ended_at
        assert delivery.contact_tries.filter(channel="call").count() == 1
        assert send(driver, {**events[2], "id": f"late-again-{delivery.pk}"})[0]["again"]
    drain()
    refused.refresh_from_db()
    assert (refused.state, refused.window) == (State.FAILED, world.hours(8, 18)), "nobody brings it again unasked"
    assert not Drop.objects.filter(delivery=refused, is_open=True).exists()
    for delivery, window in ((away, world.hours(8, 18, TOMORROW)), (chosen, before)):
        delivery.refresh_from_db()
        assert (delivery.state, delivery.window) == (State.PLANNED, window)
        assert Drop.objects.get(delivery=delivery, is_open=True).visit.plan.day == TOMORROW


@pytest.mark.covers("D8", "T8")
def test_who_chose_another_day_for_one_parcel_does_not_hold_up_the_other_at_the_same_door(
    now: FrozenClock, drain: Callable[..., int]
) -> None:
    (kept, chosen), driver = evening_of(("Alice", "Alice"), now, drain, at_one_door=True)
    visit = stop_today(kept)
    assert stop_today(chosen) == visit
    change_window(delivery=chosen, window=world.hours(14, 18, TOMORROW), revision=chosen.revision, actor="shopper")
    scanned = [row.parcels.get().barcode for row in (kept, chosen)]
    answer = send(driver, {**taps(kept)[1], "scanned": scanned})[0]
    assert (answer["ok"], answer["left_out"]) == (True, [chosen.order.reference])
    assert "Tell the dispatcher" in answer["message"]
    kept.refresh_from_db()
    chosen.refresh_from_db()
    assert (kept.state, chosen.state) == (State.DELIVERED, State.PLANNED)
    assert chosen.window == world.hours(14, 18, TOMORROW)
    assert not chosen.proofs.exists()


@pytest.mark.covers("D8")
def test_what_a_driver_failed_is_not_overruled_by_a_later_tap(now: FrozenClock, drain: Callable[..., int]) -> None:
    world.shift("van-1")
    alice = world.put_in_plan(world.delivery("Alice"))
    driver = Driver.objects.get()
    leave(driver)
    now.advance(hours=3)
    fail(visit=stop_today(alice), reason="consignee_not_home", actor=f"driver:{driver.pk}")
    (answer,) = send(driver, taps(alice)[1])
    assert (answer["ok"], answer["code"]) == (False, "stop_closed")
    alice.refresh_from_db()
    assert alice.state == State.FAILED
