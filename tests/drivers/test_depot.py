"""The load scan: what the clerk sees, and every wrong parcel in words."""

import pytest

from apps.deliveries.models import Delivery, Parcel
from apps.fleet.models import Depot, DepotDevice, Vehicle
from tests import world
from tests.drivers.phones import clerk_browser, clerk_phone, leave, one_van_day, post

pytestmark = [pytest.mark.django_db, pytest.mark.covers("P1")]


def barcode_of(delivery: Delivery) -> str:
    return delivery.parcels.get().barcode


def test_scanning_everything_onto_a_van() -> None:
    deliveries, _driver = one_van_day()
    phone = clerk_phone()
    before = phone.get("/depot/api/day").json()["vans"][0]
    assert (before["vehicle"], before["expected"], before["loaded"]) == ("van-1", 3, 0)
    for barcode in before["missing"]:
        answer = post(phone, "/depot/scan", {"barcode": barcode, "vehicle": "van-1"})
        assert answer.json()["message"] == "Loaded on van-1."
    after = phone.get("/depot/api/day").json()["vans"][0]
    assert (after["loaded"], after["missing"]) == (3, [])
    assert {delivery.state for delivery in Delivery.objects.all()} == {"loaded"}
    again = post(phone, "/depot/scan", {"barcode": barcode_of(deliveries[0]), "vehicle": "van-1"})
    assert again.json()["again"] is True


def test_the_last_stop_is_loaded_first() -> None:
    _deliveries, driver = one_van_day()
    from tests.drivers.phones import visits

    order = [visit.drops.get().delivery.parcels.get().barcode for visit in visits(driver)]
    assert clerk_phone().get("/depot/api/day").json()["vans"][0]["missing"] == order[::-1]


def test_a_wrong_parcel_is_named_in_words() -> None:
    deliveries, driver = one_van_day(("Alice", "Bob"))
    world.shift("van-2")
    surplus = world.delivery("Charlie")
    ended = world.delivery("Charlie")
    Delivery.objects.filter(pk=ended.pk).update(state="cancelled")
    browser = clerk_browser()

    def said(barcode: str, van: str = "van-1") -> str:
        return str(browser.post("/depot/scan", {"barcode": barcode, "vehicle": van}).content.decode())

    assert "This parcel goes on van-1." in said(barcode_of(deliveries[0]), "van-2")
    assert "We do not know this barcode." in said("DS-NOBODY")
    assert "not planned for today. Leave it at the depot." in said(barcode_of(surplus))
    assert "Put the parcel aside." in said(barcode_of(ended))
    assert "Choose the van" in said(barcode_of(deliveries[0]), "no-such-van")
    assert "Loaded on van-1." in said(f" {barcode_of(deliveries[0])} ")
    leave(driver)
    assert "not planned for today. Leave it at the depot." in said(barcode_of(deliveries[1])), "it was left behind"
    assert not Parcel.objects.exclude(delivery=deliveries[0]).exclude(loaded_at=None).exists()


def test_what_is_missing_of_one_delivery_is_counted_down() -> None:
    (alice, *_rest), _driver = one_van_day(("Alice",))
    first = alice.parcels.get()
    second = Parcel.objects.create(
        delivery=alice,
        barcode="DS-SECOND",
        weight_grams=1,
        length_millimetres=1,
        width_millimetres=1,
        height_millimetres=1,
    )
    phone = clerk_phone()
    answer = post(phone, "/depot/scan", {"barcode": first.barcode, "vehicle": "van-1"}).json()
    assert (answer["missing"], answer["message"]) == (1, "Loaded. 1 more for the same delivery.")
    assert Delivery.objects.get(pk=alice.pk).state != "loaded"
    assert post(phone, "/depot/scan", {"barcode": second.barcode, "vehicle": "van-1"}).json()["missing"] == 0
    assert Delivery.objects.get(pk=alice.pk).state == "loaded"


def test_a_clerk_of_another_depot_cannot_load_our_vans() -> None:
    deliveries, _driver = one_van_day(("Alice",))
    other = Depot.objects.create(code="buchs", name="Buchs", street="x", town="Buchs", latitude=47.1, longitude=9.4)
    DepotDevice.objects.all().delete()
    phone = clerk_phone()
    DepotDevice.objects.update(depot=other)
    answer = post(phone, "/depot/scan", {"barcode": barcode_of(deliveries[0]), "vehicle": "van-1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_van")
    assert phone.get("/depot/api/day").json()["vans"] == []
    assert Vehicle.objects.filter(code="van-1").exists()


@pytest.mark.parametrize("barcode", ["", "\0", "x" * 5000, "'; drop table", "DS\r\n1", 5, None, ["a"]])
def test_strange_barcodes_are_only_unknown(barcode: object) -> None:
    one_van_day(("Alice",))
    answer = post(clerk_phone(), "/depot/scan", {"barcode": barcode, "vehicle": "van-1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_parcel")


def test_the_page_shows_the_vans_and_what_is_missing() -> None:
    deliveries, _driver = one_van_day(("Alice",))
    page = clerk_browser().get("/depot/", {"van": "van-1"}).content.decode()
    assert "0/1" in page
    assert barcode_of(deliveries[0]) in page
    assert "Alice" not in page
