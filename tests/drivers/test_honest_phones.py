"""What a phone says is believed as far as it can be true, and a phone is shown no more than the way asks for."""

import struct
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.deliveries.inputs import PlaceInput
from apps.deliveries.models import Delivery
from apps.deliveries.services import change_place, doorstep_code_of
from apps.drivers.api import PROOF_POSTS
from apps.drivers.models import PhoneEvent
from apps.drivers.rounds import HELD
from apps.drivers.services.forget_taps import forget_taps
from apps.fleet.models import Depot, Driver
from apps.fleet.services import issue_depot_device
from apps.routing.models import Drop, Visit
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, one_van_day, phone_of, photo, post, visits

pytestmark = [pytest.mark.django_db]


def crafted(tag: int, kind: int) -> SimpleUploadedFile:
    """A good picture with a turn, and a tag of a kind it cannot have."""
    entries = sorted(
        [struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0), struct.pack("<HHI4s", tag, kind, 1, b"ab\0\0")],
        key=lambda entry: struct.unpack("<H", entry[:2]),
    )
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + b"".join(entries) + struct.pack("<I", 0)
    made = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(made, "JPEG", exif=exif)
    return SimpleUploadedFile("x.jpg", made.getvalue(), content_type="image/jpeg")


@pytest.mark.covers("GS30")
@pytest.mark.parametrize(("tag", "kind"), [(0x011A, 2), (0x0100, 2)])
def test_a_camera_that_writes_nonsense_still_took_a_photo(tag: int, kind: int) -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    body = {"received_by": "Anna", "photo": crafted(tag, kind)}
    assert phone_of(driver).post(f"/driver/api/visits/{visits(driver)[0].pk}/complete", body).status_code == 200
    with Image.open(alice.proofs.get(kind="photo").image) as kept:
        assert kept.size == (48, 64), "upright"


@pytest.mark.covers("D10")
def test_an_arrival_cannot_be_dated_before_the_van_could_be_there(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice", "Bob"))
    leave(driver)
    phone, (first, second) = phone_of(driver), visits(driver)
    long_ago = (now.instant - timedelta(hours=1)).isoformat()
    now.advance(minutes=10)
    post(phone, f"/driver/api/visits/{first.pk}/complete", {"received_by": "Anna"})
    left = now.instant
    now.advance(minutes=2)
    post(phone, f"/driver/api/visits/{second.pk}/arrive", {"at": long_ago})
    assert Visit.objects.get(pk=second.pk).arrived_at == left
    here = {"lat": second.place.latitude, "lon": second.place.longitude}
    answer = post(phone, f"/driver/api/visits/{second.pk}/fail", {"reason": "consignee_not_home", **here})
    assert "no_wait" in answer.json()["doubts"]


@pytest.mark.covers("D11")
def test_a_phone_cannot_say_it_is_at_the_door_while_its_van_is_elsewhere(now: FrozenClock) -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    phone, visit = phone_of(driver), visits(driver)[0]
    fix = {"lat": 47.1715, "lon": 9.5045, "at": now.instant.isoformat(), "heading": None, "speed": None}
    post(phone, "/driver/api/positions", {"positions": [fix]})
    here = {"lat": alice.place.latitude, "lon": alice.place.longitude}
    answer = post(phone, f"/driver/api/visits/{visit.pk}/fail", {"reason": "consignee_refused", **here})
    assert answer.json()["code"] == "attempt_far"


@pytest.mark.covers("P2")
def test_another_depots_ramp_takes_nothing_off_our_vans() -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    post(phone_of(driver), f"/driver/api/visits/{visits(driver)[0].pk}/fail", {"reason": "carrier_no_parking"})
    other = Depot.objects.create(code="buchs", name="Depot Buchs", town="Buchs", latitude=47.16, longitude=9.47)
    headers = {"Authorization": f"Device {issue_depot_device(depot=other, name='Ramp')}"}
    stranger = type(phone_of(driver))(headers=headers)
    answer = post(stranger, "/depot/back/scan", {"barcode": alice.parcels.get().barcode})
    assert (answer.status_code, answer.json()["code"]) == (422, "other_depot")
    assert Delivery.objects.get(pk=alice.pk).state == "failed"


def two_at_one_door() -> tuple[Delivery, Delivery, Driver, str]:
    """Alice's and Bob's deliveries, both with a code, at one stop the van stands at."""
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    Delivery.objects.update(proof_needed=["code"])
    leave(driver)
    stop = Drop.objects.get(delivery=alice).visit
    emptied = Drop.objects.get(delivery=bob).visit_id
    Drop.objects.filter(delivery=bob).update(visit=stop)
    Visit.objects.filter(pk=emptied).delete()
    path = f"/driver/api/visits/{stop.pk}"
    post(phone_of(driver), f"{path}/arrive")
    return alice, bob, driver, path


@pytest.mark.covers("D2")
def test_each_recipient_at_one_door_says_their_own_code() -> None:
    alice, bob, driver, path = two_at_one_door()
    phone, named = phone_of(driver), {"received_by": "Anna"}
    one = {f"code-{alice.public_id}": doorstep_code_of(alice)}
    assert post(phone, f"{path}/complete", {**named, **one}).json()["code"] == "code_wrong"
    reason = {"without_code": "Bob has no phone with him"}
    assert post(phone, f"{path}/complete", {**named, **one, **reason}).json()["state"] == "done"
    assert (alice.proofs.get(kind="code").flags, bob.proofs.get(kind="code").flags) == ([], ["code_skipped"])


@pytest.mark.covers("D2")
def test_a_locked_code_may_be_done_without() -> None:
    alice, bob, driver, path = two_at_one_door()
    Delivery.objects.filter(pk=bob.pk).update(recipient=alice.recipient)
    phone, named = phone_of(driver), {"received_by": "Anna"}
    wrong = "111111" if "111111" not in (doorstep_code_of(alice), doorstep_code_of(bob)) else "222222"
    for _try in range(5):
        post(phone, f"{path}/complete", {**named, "code": wrong})
    assert post(phone, f"{path}/complete", {**named, "code": wrong}).json()["code"] == "code_locked"
    excused = {**named, "code": wrong, "without_code": "Shows an identity card"}
    assert post(phone, f"{path}/complete", excused).json()["state"] == "done"


@pytest.mark.covers("D2")
def test_one_code_is_enough_for_one_recipient() -> None:
    alice, bob, driver, path = two_at_one_door()
    Delivery.objects.filter(pk=bob.pk).update(recipient=alice.recipient)
    body = {"received_by": "Anna", "code": doorstep_code_of(bob)}
    assert post(phone_of(driver), f"{path}/complete", body).json()["state"] == "done"
    assert alice.proofs.get(kind="code").flags == []


@pytest.mark.covers("D10")
def test_leaving_one_out_asks_for_what_giving_up_asks_for() -> None:
    alice, bob, driver, path = two_at_one_door()
    Delivery.objects.update(proof_needed=[])
    here = {"lat": alice.place.latitude, "lon": alice.place.longitude}
    body: dict[str, Any] = {"received_by": "Anna", "without": {bob.public_id: "consignee_not_home"}, **here}
    phone = phone_of(driver)
    assert post(phone, f"{path}/complete", body).json()["doubts"] == ["no_contact", "no_wait"]
    assert post(phone, f"{path}/complete", {**body, "anyway": "Neighbour says he moved out"}).json()["state"] == "done"
    assert bob.proofs.get(kind="failure").flags == ["no_contact", "no_wait"]


def test_pictures_are_read_so_many_times_a_minute() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = phone_of(driver)
    path = "/driver/api/visits/999999/complete"
    answers = [post(phone, path).status_code for _try in range(PROOF_POSTS + 1)]
    assert answers == [404] * PROOF_POSTS + [429]


def test_of_later_stops_the_phone_knows_the_way_only() -> None:
    _deliveries, driver = one_van_day(("Alice", "Bob", "Charlie", "Alice", "Bob"))
    stops = phone_of(driver).get("/driver/api/route").json()["stops"]
    assert all(stop["drops"][0]["recipient"] and stop["drops"][0]["parcels"] for stop in stops[:HELD])
    for drop in (stop["drops"][0] for stop in stops[HELD:]):
        assert (drop["recipient"], drop["parcels"], drop["note"], drop["parcel_count"]) == ("", [], "", 1)


@pytest.mark.covers("D2")
def test_a_parcel_that_goes_elsewhere_has_another_code() -> None:
    alice = world.delivery("Alice")
    before = doorstep_code_of(alice)
    street, number, postcode, town, latitude, longitude = world.SPOTS["Bob"]
    place = PlaceInput(street, postcode, town, latitude, longitude, house_number=number)
    change_place(delivery=alice, place=place, window=alice.window, revision=alice.revision, actor="shopper")
    assert doorstep_code_of(Delivery.objects.get(pk=alice.pk)) != before


def test_taps_are_forgotten_after_a_month(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    event = {"id": "event-0001", "kind": "depart", "at": now.instant.isoformat()}
    post(phone_of(driver), "/driver/api/events", {"events": [event]})
    assert (forget_taps(), PhoneEvent.objects.count()) == (0, 1)
    now.advance(days=31)
    assert (forget_taps(), PhoneEvent.objects.count()) == (1, 0)


@pytest.mark.covers("D1")
def test_a_proof_stands_where_it_was_measured_or_nowhere() -> None:
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    leave(driver)
    phone = phone_of(driver)
    stops = {visit.drops.get().delivery_id: visit.pk for visit in visits(driver)}
    phone.post(f"/driver/api/visits/{stops[alice.pk]}/complete", {"photo": photo(), "lat": "47.1", "lon": "9.5"})
    post(phone, f"/driver/api/visits/{stops[bob.pk]}/complete", {"received_by": "Bob"})
    assert (alice.proofs.get().latitude, alice.proofs.get().longitude) == (47.1, 9.5)
    assert bob.proofs.get().latitude is None
