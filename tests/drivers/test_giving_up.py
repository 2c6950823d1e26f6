"""A stop is given up at the door, after trying, or with a word why not; staff see when something does not fit."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.deliveries.models import Attempt, Delivery
from apps.deliveries.services import start_attempt
from apps.events.models import Event
from apps.fleet.models import Driver
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, one_van_day, phone_of, photo, post, visits

pytestmark = [pytest.mark.django_db]
NOT_HOME = "consignee_not_home"


def at_the_door() -> tuple[Delivery, Driver, str]:
    (alice,), driver = one_van_day(("Alice",))
    start_attempt(delivery_id=alice.pk, place_id=alice.place_id)
    leave(driver)
    path = f"/driver/api/visits/{visits(driver)[0].pk}"
    assert post(phone_of(driver), f"{path}/arrive").status_code == 200
    return alice, driver, path


def at(delivery: Delivery, north: float = 0.0) -> dict[str, Any]:
    return {"lat": delivery.place.latitude + north, "lon": delivery.place.longitude}


@pytest.mark.covers("D10")
def test_nobody_at_home_needs_a_call_and_some_patience(now: FrozenClock) -> None:
    alice, driver, path = at_the_door()
    phone, body = phone_of(driver), {"reason": NOT_HOME, **at(alice)}
    first = post(phone, f"{path}/fail", body)
    assert (first.status_code, first.json()["doubts"]) == (422, ["no_contact", "no_wait"])
    assert "Call or text them first." in first.json()["detail"]
    assert "Please wait 3 more minutes at the door." in first.json()["detail"]
    called = post(phone, f"/driver/api/deliveries/{alice.public_id}/contact", {"channel": "call"})
    assert called.json() == {"again": False}
    rung = post(phone, f"/driver/api/deliveries/{alice.public_id}/contact", {"channel": "bell"})
    assert rung.status_code == 200
    assert post(phone, f"{path}/fail", body).json()["doubts"] == ["no_wait"]
    now.advance(minutes=3)
    assert post(phone, f"{path}/fail", body).json()["state"] == "failed"
    told = [event.payload["channel"] for event in Event.objects.filter(kind="delivery.contact_tried")]
    assert told == ["call", "bell"]
    kept = alice.proofs.get(kind="failure")
    assert (kept.flags, kept.details) == ([], {"metres": 0})


@pytest.mark.covers("D10")
def test_a_ring_at_the_door_is_no_call_and_an_old_call_does_not_count(now: FrozenClock) -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    phone, path = phone_of(driver), f"/driver/api/visits/{visits(driver)[0].pk}"
    post(phone, f"/driver/api/deliveries/{alice.public_id}/contact", {"channel": "call"})
    now.advance(minutes=1)
    post(phone, f"{path}/arrive")
    now.advance(minutes=5)
    post(phone, f"/driver/api/deliveries/{alice.public_id}/contact", {"channel": "bell"})
    assert post(phone, f"{path}/fail", {"reason": NOT_HOME, **at(alice)}).json()["doubts"] == ["no_contact"]


def test_who_left_no_number_need_not_be_called(now: FrozenClock) -> None:
    alice, driver, path = at_the_door()
    alice.recipient.phone = ""
    alice.recipient.save()
    now.advance(minutes=3)
    assert post(phone_of(driver), f"{path}/fail", {"reason": NOT_HOME, **at(alice)}).json()["state"] == "failed"


@pytest.mark.covers("D11")
@pytest.mark.parametrize(("north", "doubt"), [(0.05, "attempt_far"), (None, "place_unknown")])
def test_a_stop_cannot_be_failed_from_elsewhere_without_saying_why(north: float | None, doubt: str) -> None:
    alice, driver, path = at_the_door()
    phone = phone_of(driver)
    body = {"reason": "consignee_refused", **(at(alice, north) if north is not None else {})}
    answer = post(phone, f"{path}/fail", body)
    assert (answer.status_code, answer.json()["code"]) == (422, doubt)
    assert post(phone, f"{path}/fail", {**body, "anyway": "no"}).status_code == 422
    alice.refresh_from_db()
    assert alice.state == "out"
    assert post(phone, f"{path}/fail", {**body, "anyway": "The road is closed at the bridge"}).status_code == 200
    assert alice.proofs.get(kind="failure").flags == [doubt]
    flagged = Event.objects.get(kind="delivery.proof_flagged", delivery_id=alice.pk)
    assert (flagged.payload, flagged.actor) == ({"flags": [doubt]}, f"driver:{driver.pk}")
    assert "closed at the bridge" in Attempt.objects.get(delivery=alice).staff_note


@pytest.mark.covers("D11")
def test_the_vans_own_positions_speak_when_the_phone_says_nothing(now: FrozenClock) -> None:
    alice, driver, path = at_the_door()
    phone = phone_of(driver)
    fix = {**at(alice, 0.0005), "at": clock.now().isoformat(), "heading": None, "speed": None}
    assert post(phone, "/driver/api/positions", {"positions": [fix]}).status_code == 204
    assert post(phone, f"{path}/fail", {"reason": "consignee_refused"}).json()["state"] == "failed"
    assert alice.proofs.get(kind="failure").details == {"metres": 56}
    assert now.instant - clock.now() == timedelta(0)


def test_what_has_nothing_to_do_with_the_door_is_believed_anywhere() -> None:
    _alice, driver, path = at_the_door()
    assert post(phone_of(driver), f"{path}/fail", {"reason": "carrier_vehicle_issue"}).json()["state"] == "failed"


@pytest.mark.covers("D5")
def test_a_photo_of_the_closed_gate_is_kept() -> None:
    alice, driver, path = at_the_door()
    body = {"reason": "consignee_access_restricted", "photo": photo(), "recipient_note": "Gate locked", **at(alice)}
    assert phone_of(driver).post(f"{path}/fail", body).json()["state"] == "failed"
    kept = alice.proofs.get(kind="failure")
    assert kept.image
    assert b"Exif" not in kept.image.read()
    assert Attempt.objects.get(delivery=alice).recipient_note == "Gate locked"
