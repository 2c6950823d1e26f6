"""The evening at the ramp: what comes off the vans, what should not, and what is still missing."""

import pytest

from apps.deliveries.models import Delivery, Parcel
from apps.deliveries.services import move_state, start_attempt
from apps.deliveries.states import State
from apps.fleet.models import Driver
from tests.drivers.phones import clerk_browser, clerk_phone, leave, one_van_day, phone_of, post, visits

pytestmark = [pytest.mark.django_db, pytest.mark.covers("P2")]


def evening(names: tuple[str, ...] = ("Alice", "Bob", "Charlie")) -> tuple[list[Delivery], Driver]:
    """All is loaded and out; the first stop failed, the second is delivered."""
    deliveries, driver = one_van_day(names)
    clerk = clerk_phone()
    for delivery in deliveries:
        start_attempt(delivery_id=delivery.pk, place_id=delivery.place_id)
        body = {"barcode": delivery.parcels.get().barcode, "vehicle": "van-1"}
        assert post(clerk, "/depot/scan", body).status_code == 200
    leave(driver)
    phone = phone_of(driver)
    first, second, *_rest = visits(driver)
    post(phone, f"/driver/api/visits/{first.pk}/fail", {"reason": "carrier_no_parking"})
    post(phone, f"/driver/api/visits/{second.pk}/complete", {"received_by": "Anna"})
    ordered = [visit.drops.get().delivery for visit in visits(driver)]
    return ordered, driver


def barcode_of(delivery: Delivery) -> str:
    return str(delivery.parcels.get().barcode)


def test_what_was_not_delivered_is_scanned_back() -> None:
    (failed, delivered, out), _driver = evening()
    clerk = clerk_phone()
    day = clerk.get("/depot/api/day").json()
    assert day["coming_back"] == [{"barcode": barcode_of(failed), "vehicle": "van-1", "reason": "carrier_no_parking"}]
    answer = post(clerk, "/depot/back/scan", {"barcode": f" {barcode_of(failed)} "}).json()
    assert answer == {"missing": 0, "again": False, "message": "Back at the depot."}
    failed.refresh_from_db()
    assert failed.state == "arrived"
    assert list(failed.attempts.order_by("number").values_list("number", "outcome")) == [(1, "failed"), (2, "")]
    assert clerk.get("/depot/api/day").json()["coming_back"] == []
    assert post(clerk, "/depot/back/scan", {"barcode": barcode_of(failed)}).json()["again"] is True
    for delivery, code in ((delivered, "handed_over"), (out, "still_out")):
        refusal = post(clerk, "/depot/back/scan", {"barcode": barcode_of(delivery)})
        assert (refusal.status_code, refusal.json()["code"]) == (422, code)
    assert post(clerk, "/depot/back/scan", {"barcode": "DS-NOBODY"}).json()["code"] == "unknown_parcel"


@pytest.mark.covers("P1")
def test_what_comes_in_for_the_first_time_has_arrived_when_all_of_it_is_here() -> None:
    from tests import world

    alice, *_rest = world.planned_day(("Alice",), vans=1)
    first = alice.parcels.get()
    second = Parcel.objects.create(
        delivery=alice,
        barcode="DS-SECOND",
        weight_grams=1,
        length_millimetres=1,
        width_millimetres=1,
        height_millimetres=1,
    )
    clerk = clerk_phone()
    answer = post(clerk, "/depot/back/scan", {"barcode": first.barcode}).json()
    assert (answer["missing"], answer["message"]) == (1, "Noted. 1 more of the same delivery should come.")
    alice.refresh_from_db()
    assert alice.state == "planned"
    assert post(clerk, "/depot/back/scan", {"barcode": second.barcode}).json()["message"] == "Arrived at the depot."
    alice.refresh_from_db()
    assert alice.state == "arrived"


def test_a_return_to_the_sender_ends_at_the_ramp() -> None:
    (failed, *_rest), _driver = evening()
    move_state(delivery_id=failed.pk, to=State.RETURNING, actor="system")
    assert post(clerk_phone(), "/depot/back/scan", {"barcode": barcode_of(failed)}).status_code == 200
    failed.refresh_from_db()
    assert failed.state == "returned"


def test_the_page_names_what_is_missing_and_nobody() -> None:
    (failed, delivered, _out), _driver = evening()
    clerk = clerk_browser()
    assert "Coming in" in clerk.get("/depot/").content.decode()
    page = clerk.get("/depot/back").content.decode()
    assert barcode_of(failed) in page
    assert "There was no place to stop the van" in page
    assert "Muster" not in page
    said = clerk.post("/depot/back/scan", {"barcode": barcode_of(delivered)})
    assert said.status_code == 422
    assert "Put it aside and tell the dispatcher." in said.content.decode()
    done = clerk.post("/depot/back/scan", {"barcode": barcode_of(failed)}).content.decode()
    assert "Back at the depot." in done
    assert "Nothing is missing." in done
