"""What a stop asks for before it is done: photos, a signature, the code at the door, scans, age, money."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from apps.deliveries.models import Attempt, Delivery, Proof
from apps.deliveries.services import doorstep_code_of, start_attempt
from apps.drivers.rules import born_by
from apps.events.models import Event
from apps.fleet.models import Driver
from apps.merchants.models import Policy
from apps.notifications.models import Message
from apps.places.services import load_addresses
from apps.tracking.state import build
from tests import world
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, photo, post, visits
from tests.storefront.shop import Shop, order

pytestmark = [pytest.mark.django_db]
NAMED = {"received_by": "Frau Frick"}


def at_the_door(**needs: Any) -> tuple[Delivery, Driver, str]:
    """One delivery with these needs, its van at the door; the path of its stop."""
    (alice,), driver = one_van_day(("Alice",))
    Delivery.objects.filter(pk=alice.pk).update(**needs)
    alice.refresh_from_db()
    start_attempt(delivery_id=alice.pk, place_id=alice.place_id)
    leave(driver)
    path = f"/driver/api/visits/{visits(driver)[0].pk}"
    assert post(phone_of(driver), f"{path}/arrive").status_code == 200
    return alice, driver, path


def signature(*, empty: bool = False) -> SimpleUploadedFile:
    sheet = Image.new("RGBA", (300, 120), (0, 0, 0, 0))
    if not empty:
        ImageDraw.Draw(sheet).line((20, 60, 120, 20, 200, 100, 280, 40), fill="black", width=4)
    made = BytesIO()
    sheet.save(made, "PNG")
    return SimpleUploadedFile("s.png", made.getvalue(), content_type="image/png")


def kinds_of(delivery: Delivery) -> list[str]:
    return sorted(delivery.proofs.values_list("kind", flat=True))


@pytest.mark.covers("D7", "D1")
def test_what_the_shop_asks_for_cannot_be_left_out() -> None:
    """A shop that wants two photos and a signature gets them, whatever the page of the phone says."""
    alice, driver, path = at_the_door(proof_needed=["signature"])
    Policy.objects.update(proof_needed=["photo"], least_photos=2)
    phone = phone_of(driver)
    for body, code in (
        (NAMED, "photo_missing"),
        ({**NAMED, "photo": photo()}, "photo_missing"),
        ({"photo": [photo(), photo()]}, "name_missing"),
        ({**NAMED, "photo": [photo(), photo()]}, "signature_missing"),
        ({**NAMED, "photo": [photo(), photo()], "signature": signature(empty=True)}, "signature_missing"),
        ({"left_at": "porch", "photo": [photo(), photo()]}, "in_person_only"),
    ):
        answer = phone.post(f"{path}/complete", body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    alice.refresh_from_db()
    assert alice.state == "out"
    body = {**NAMED, "relation": "household", "photo": [photo(), photo()], "signature": signature()}
    assert phone.post(f"{path}/complete", body).json()["state"] == "done"
    assert kinds_of(alice) == ["photo", "photo", "signature"]
    signed = alice.proofs.get(kind="signature")
    assert (signed.received_by, signed.details["relation"]) == ("Frau Frick", "household")
    with Image.open(signed.image) as kept:
        assert kept.format == "JPEG"
        assert kept.getpixel((2, 2)) == (255, 255, 255), "ink on white"


@pytest.mark.covers("D1")
def test_a_typed_name_may_stand_for_a_drawn_one() -> None:
    alice, driver, path = at_the_door(proof_needed=["signature"])
    phone = phone_of(driver)
    assert phone.post(f"{path}/complete", NAMED).json()["code"] == "signature_missing"
    assert phone.post(f"{path}/complete", {**NAMED, "signed_by_name": "1"}).json()["state"] == "done"
    assert kinds_of(alice) == ["signature"]


def with_gps(latitude: float, longitude: float) -> SimpleUploadedFile:
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (latitude, 0.0, 0.0)
    gps[3], gps[4] = "E", (longitude, 0.0, 0.0)
    made = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(made, "JPEG", exif=exif)
    return SimpleUploadedFile("x.jpg", made.getvalue(), content_type="image/jpeg")


@pytest.mark.covers("D1")
@pytest.mark.parametrize("says", ["camera", "phone", "van", "nobody", "near"])
def test_a_photo_from_elsewhere_is_shown_to_staff_and_accepted(says: str) -> None:
    alice, driver, path = at_the_door()
    far, near = (47.05, 9.5), (alice.place.latitude, alice.place.longitude)
    phone = phone_of(driver)
    if says == "van":
        at = alice.created_at.isoformat()
        fix = {"lat": 47.1715, "lon": 9.5045, "at": at, "heading": None, "speed": None}
        assert post(phone, "/driver/api/positions", {"positions": [fix]}).status_code == 204
    body: dict[str, Any] = {"photo": with_gps(*far) if says == "camera" else photo()}
    if says in ("phone", "near"):
        body |= dict(zip(("lat", "lon"), far if says == "phone" else near, strict=True))
    assert phone.post(f"{path}/complete", body).status_code == 200
    kept = alice.proofs.get()
    is_far = says in ("camera", "phone", "van")
    assert kept.flags == (["photo_far"] if is_far else [])
    assert (kept.details.get("metres", 0) > 1000) is is_far
    assert Event.objects.filter(kind="delivery.proof_flagged", delivery_id=alice.pk).exists() is is_far
    assert b"Exif" not in kept.image.read()


@pytest.mark.covers("D2")
def test_the_code_at_the_door_is_the_verified_recipients_and_opens_the_stop() -> None:
    alice, driver, path = at_the_door(proof_needed=["code"])
    code = doorstep_code_of(alice)
    assert build(alice.pk, "link")["door_code"] == {"code": None}
    assert build(alice.pk, "verified")["door_code"] == {"code": code}
    phone = phone_of(driver)
    assert code not in phone.get("/driver/api/route").content.decode()
    assert phone.post(f"{path}/complete", NAMED).json()["code"] == "code_missing"
    wrong = "111111" if code != "111111" else "222222"
    assert phone.post(f"{path}/complete", {**NAMED, "code": wrong}).status_code == 403
    assert phone.post(f"{path}/complete", {**NAMED, "code": f"{code[:3]} {code[3:]}"}).json()["state"] == "done"
    assert alice.proofs.get(kind="code").flags == []
    assert build(alice.pk, "verified")["door_code"] is None


@pytest.mark.covers("D2")
def test_wrong_codes_run_out_and_doing_without_needs_a_reason_that_is_kept() -> None:
    alice, driver, path = at_the_door(proof_needed=["code"])
    code = doorstep_code_of(alice)
    wrong = "111111" if code != "111111" else "222222"
    phone = phone_of(driver)
    for _try in range(5):
        assert phone.post(f"{path}/complete", {**NAMED, "code": wrong}).json()["code"] == "code_wrong"
    assert phone.post(f"{path}/complete", {**NAMED, "code": code}).json()["code"] == "code_locked"
    assert phone.post(f"{path}/complete", {**NAMED, "without_code": "no"}).json()["code"] == "code_missing"
    reason = "Phone broken, showed an identity card"
    assert phone.post(f"{path}/complete", {**NAMED, "without_code": reason}).json()["state"] == "done"
    kept = alice.proofs.get(kind="code")
    assert (kept.flags, kept.details) == (["code_skipped"], {"reason": reason})


def test_no_code_is_shown_or_asked_for_where_nobody_wants_one() -> None:
    alice, driver, path = at_the_door()
    assert build(alice.pk, "verified")["door_code"] is None
    assert phone_of(driver).post(f"{path}/complete", NAMED).json()["state"] == "done"


@pytest.mark.covers("D3")
def test_a_parcel_of_another_stop_raises_the_alarm() -> None:
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    Delivery.objects.filter(pk=alice.pk).update(proof_needed=["scan"])
    leave(driver)
    visit = next(one for one in visits(driver) if one.drops.get().delivery_id == alice.pk)
    phone, path = phone_of(driver), f"/driver/api/visits/{visit.pk}/complete"
    mine, other = alice.parcels.get().barcode, bob.parcels.get().barcode
    answer = phone.post(path, {**NAMED, "scanned": f"{mine}\n{other}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_parcel")
    assert f"…{other[-4:]} is not for this stop." in answer.json()["detail"]
    missing = phone.post(path, NAMED).json()
    assert missing["code"] == "scan_missing"
    assert mine[-4:] in missing["detail"]
    assert phone.post(path, {**NAMED, "scanned": mine}).json()["state"] == "done"
    assert alice.proofs.get(kind="scan").details == {"parcels": 1}


@pytest.mark.covers("D4")
def test_age_is_checked_and_nothing_of_the_document_is_kept() -> None:
    alice, driver, path = at_the_door(minimum_age=18)
    phone = phone_of(driver)
    stop = phone.get("/driver/api/route").json()["stops"][0]
    assert stop["needs"]["born_by"] == "2008-03-10"
    for body in (NAMED, {**NAMED, "age_method": "passport"}, {**NAMED, "age_method": "face", "age_confirmed": "1"}):
        assert phone.post(f"{path}/complete", body).json()["code"] == "age_unchecked"
    assert phone.post(f"{path}/complete", {"left_at": "porch", "photo": photo()}).json()["code"] == "in_person_only"
    body = {**NAMED, "age_method": "passport", "age_confirmed": "1", "document": "X1234567", "born": "1990-01-01"}
    assert phone.post(f"{path}/complete", body).json()["state"] == "done"
    assert alice.proofs.get(kind="age").details == {"method": "passport", "born_by": "2008-03-10", "passed": True}
    assert "X1234567" not in repr(list(Proof.objects.values()) + list(Event.objects.values()))


def test_who_is_born_on_a_leap_day_is_old_enough_on_the_first_of_march() -> None:
    from datetime import date

    assert born_by(date(2026, 3, 1), 18) == date(2008, 3, 1)
    assert born_by(date(2028, 2, 29), 18) == date(2010, 2, 28)


@pytest.mark.covers("D4", "D5")
def test_who_is_too_young_gets_nothing_and_is_told_what_now() -> None:
    alice, driver, path = at_the_door(minimum_age=18)
    here = {"lat": alice.place.latitude, "lon": alice.place.longitude}
    answer = post(phone_of(driver), f"{path}/fail", {"reason": "consignee_verification_failed", **here})
    assert answer.json()["state"] == "failed"
    assert build(alice.pk, "link")["failure"]["reason"] == "consignee_verification_failed"


@pytest.mark.covers("D6")
def test_one_note_is_for_the_recipient_and_one_never_leaves_the_house() -> None:
    alice, driver, path = at_the_door()
    notes = {"staff_note": "Angry dog, take two people", "recipient_note": "Behind the blue bin"}
    assert phone_of(driver).post(f"{path}/complete", {**NAMED, **notes}).json()["state"] == "done"
    attempt = Attempt.objects.get(delivery=alice)
    assert (attempt.staff_note, attempt.recipient_note) == tuple(notes.values())
    verified, link = build(alice.pk, "verified"), build(alice.pk, "link")
    assert verified["driver_note"] == "Behind the blue bin"
    assert link["driver_note"] is None, "it may say where the parcel lies"
    assert "Angry dog" not in repr(verified) + repr(link) + repr(list(Event.objects.values()))


@pytest.mark.covers("D9")
def test_money_at_the_door_is_written_down_and_a_wrong_amount_shows() -> None:
    alice, driver, path = at_the_door(cash_due=4950, cash_currency="CHF")
    phone = phone_of(driver)
    assert phone.post(f"{path}/complete", NAMED).json()["code"] == "payment_missing"
    assert phone.post(f"{path}/complete", {**NAMED, "paid_by": "cash", "paid": "x"}).json()["code"] == "payment_missing"
    assert phone.post(f"{path}/complete", {**NAMED, "paid_by": "cash", "paid": "49,00"}).json()["state"] == "done"
    kept = alice.proofs.get(kind="cash")
    assert (kept.details, kept.flags) == ({"by": "cash", "paid": 4900, "due": 4950}, ["wrong_amount"])


@pytest.mark.covers("A5")
def test_what_a_full_point_does_not_take_stays_on_the_van_and_the_rest_is_ready() -> None:
    from tests.drivers.test_round import _day_with_a_point

    (alice, bob), driver = _day_with_a_point()
    leave(driver)
    phone, visit = phone_of(driver), visits(driver)[0]
    route = phone.get("/driver/api/route").json()
    assert len(route["stops"][0]["drops"]) == 2
    post(phone, f"/driver/api/visits/{visit.pk}/arrive")
    body: dict[str, Any] = {"without": {bob.public_id: "carrier_capacity_exceeded"}}
    path = f"/driver/api/visits/{visit.pk}/complete"
    assert post(phone, path, body).json()["code"] == "place_unknown", "giving up one asks for as much as giving up all"
    body |= {"lat": visit.place.latitude, "lon": visit.place.longitude}
    assert post(phone, f"/driver/api/visits/{visit.pk}/complete", body).json()["state"] == "done"
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.state, bob.state) == ("at_point", "failed")
    assert build(bob.pk, "link")["failure"]["reason"] == "carrier_capacity_exceeded"
    assert not bob.parcels.get().delivery.attempts.filter(outcome="at_point").exists()
    assert phone.get("/driver/api/route").json()["stops"] == []


@pytest.mark.covers("A5")
@pytest.mark.parametrize("kind", ["near", "far", "small", "shut", "not_allowed"])
def test_a_parcel_without_room_goes_to_the_nearest_point_that_can_take_it_and_its_owner_hears_where(
    drain: Callable[..., int], kind: str
) -> None:
    """One tap of the driver; what no near point can take comes back to the depot, and that is told instead."""
    from apps.redirection.models import PickupPoint, Reservation
    from tests.drivers.test_round import _day_with_a_point
    from tests.redirection.points import point

    other = {"far": {"latitude": 47.25}, "small": {"capacity": 0}, "shut": {"opening_hours": "Mo-Fr 06:00-06:30"}}
    (_alice, bob), driver = _day_with_a_point()
    week = {"opening_hours": "Mo-Fr 06:00-19:00"}
    if kind == "near":
        point("kiosk", name="Kiosk Altenbach", latitude=47.1420, **week)
        # The recipient lives elsewhere, among points that the van is not near to.
        Delivery.objects.filter(pk=bob.pk).update(home=world.place("Bob"))
        for number in range(26):
            point(f"home-{number}", name="Near home", latitude=47.168 + number / 10_000, longitude=9.511, **week)
    point("other", name="Post Ebenholz", **{"latitude": 47.1525, **week, **other.get(kind, {})})
    Policy.objects.update(allow_place_change=kind != "not_allowed")
    full = PickupPoint.objects.get(code="post-vaduz")
    Reservation.objects.create(point=full, delivery=bob, made_at=world.MORNING)
    leave(driver)
    drain()
    (visit,) = visits(driver)
    phone = phone_of(driver)
    post(phone, f"/driver/api/visits/{visit.pk}/arrive")
    body = {"without": {bob.public_id: "carrier_capacity_exceeded"}, "lat": full.latitude, "lon": full.longitude}
    assert post(phone, f"/driver/api/visits/{visit.pk}/complete", body).json()["state"] == "done"
    drain()
    bob.refresh_from_db()
    told = list(Message.objects.filter(delivery=bob).order_by("pk").values_list("trigger", flat=True))
    page = build(bob.pk, "link")
    stops = phone.get("/driver/api/route").json()["stops"]
    if kind != "near":
        assert (bob.state, stops, told[-1]) == ("failed", [], "failed")
        assert page["failure"]["reason"] == "carrier_capacity_exceeded"
        return
    assert (bob.state, bob.place.name) == ("out", "Kiosk Altenbach")
    assert [(stop["name"], stop["drops"][0]["delivery"]) for stop in stops] == [("Kiosk Altenbach", bob.public_id)]
    live = Reservation.objects.filter(delivery=bob, state=Reservation.State.RESERVED)
    assert [row.point.code for row in live] == ["kiosk"]
    assert told == ["out_today", "changed"], "where it goes instead, and nothing of a failure"
    assert page["place"]["name"] == "Kiosk Altenbach"
    assert "place_changed_point" in [entry["code"] for entry in page["timeline"]]


@pytest.mark.covers("D5")
def test_every_reason_says_to_the_recipient_what_happened_and_what_comes_next() -> None:
    from apps.deliveries.words import FAILURE_REASONS, NEXT_STEPS, next_step_words, reason_words
    from apps.drivers.rules import REASONS_AT_DOOR, REASONS_AT_POINT

    assert set(NEXT_STEPS) == set(FAILURE_REASONS)
    assert {*REASONS_AT_DOOR, *REASONS_AT_POINT} <= set(FAILURE_REASONS)
    wanted = {"no_parking", "not_enough_time", "missing_proof", "unpaid", "not_home", "refused", "damaged_parcel"}
    assert wanted <= {code.partition("_")[2] for code in FAILURE_REASONS}
    for code in FAILURE_REASONS:
        assert reason_words(code)
        assert next_step_words(code).endswith(".")


def test_the_form_without_scripts_carries_everything() -> None:
    """The page's own fields are the ones the server reads."""
    alice, driver, _path = at_the_door(
        proof_needed=["code", "signature", "scan"], minimum_age=18, cash_due=1000, cash_currency="CHF"
    )
    browser = browser_of(driver)
    page = browser.get("/driver/").content.decode()
    for name in ("photo", "received_by", "relation", "signed_by_name", "code", "without_code", "scanned", "age_method"):
        assert f'name="{name}"' in page, name
    for name in (
        "age_confirmed",
        f"paid-{alice.public_id}",
        "paid_by",
        "staff_note",
        "recipient_note",
        "left_at",
        "anyway",
        "reason",
    ):
        assert f'name="{name}"' in page, name
    form = {
        **NAMED,
        "signed_by_name": "1",
        "code": doorstep_code_of(alice),
        "scanned": alice.parcels.get().barcode,
        "age_method": "identity_card",
        "age_confirmed": "1",
        "paid_by": "card",
        f"paid-{alice.public_id}": "10",
    }
    assert browser.post(f"/driver/visits/{visits(driver)[0].pk}/complete", form).status_code == 303
    alice.refresh_from_db()
    assert alice.state == "delivered"
    assert world.MORNING - timedelta(0) <= alice.proofs.get(kind="cash").taken_at


@pytest.mark.covers("D7")
def test_a_shop_asks_for_more_with_its_order() -> None:
    """What the API takes is what the driver's phone asks for."""
    world.shift("van-1")
    load_addresses([(*world.SPOTS["Alice"][:4], "LI", *world.SPOTS["Alice"][4:])])
    wanted = {"proof": ["signature"], "minimum_age": 18, "cash_due": 1250, "cash_currency": "CHF"}
    shop = Shop()
    assert shop.post(order(**{**wanted, "proof": ["blood"]})).status_code == 400
    assert shop.post(order(**{**wanted, "cash_currency": "francs"})).status_code == 400
    assert shop.post(order(**wanted)).status_code == 201
    needs = phone_of(Driver.objects.get()).get("/driver/api/route").json()["stops"][0]["needs"]
    assert needs["proofs"] == ["signature"]
    assert (needs["minimum_age"], needs["cash"]) == (18, [{"due": 1250, "currency": "CHF"}])
