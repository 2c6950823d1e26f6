"""A stop at a shop: what the driver sees and confirms there, and what happens where it does not work out."""

from typing import Any

import pytest

from apps.deliveries.models import Delivery
from apps.fleet.models import Driver
from apps.merchants.models import Policy
from apps.routing import services
from apps.routing.models import Visit
from tests import world
from tests.drivers.phones import browser_of, clerk_phone, photo, post
from tests.routing.test_collections import order

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O19")]


@pytest.fixture
def phone() -> Any:
    """Bob's order lies in the shop; the van has left."""
    world.shift("van-1")
    order()
    found = browser_of(Driver.objects.get())
    (van,) = clerk_phone().get("/depot/api/day").json()["vans"]
    assert (van["expected"], van["missing"]) == (0, [])
    post(found, "/driver/api/depart")
    return found


def test_the_driver_collects_with_a_scan_and_brings_it_then(phone: Any) -> None:
    Policy.objects.update(proof_needed=["scan"])
    shop, home = phone.get("/driver/api/route").json()["stops"]
    assert (shop["kind"], home["kind"], shop["name"], shop["to_load"]) == (
        "shop",
        "address",
        "Alpenkorb Vaduz",
        ["S-1-P"],
    )
    page = phone.get("/driver/").content.decode()
    assert "Collect 1 parcel" in page
    assert "10:00–17:00" in page
    assert "Alpenkorb · S-1" in page
    early = post(phone, f"/driver/api/visits/{home['visit']}/arrive")
    assert (early.status_code, early.json()["code"]) == (422, "not_collected")
    post(phone, f"/driver/api/visits/{shop['visit']}/arrive")
    page = phone.get("/driver/").content.decode()
    assert "Not collected" in page
    assert "the shop did not have it ready" in page.lower()
    done = f"/driver/api/visits/{shop['visit']}/complete"
    assert post(phone, done).json()["code"] == "scan_missing"
    assert post(phone, done, {"scanned": "S-9-P"}).json()["code"] == "wrong_parcel"
    assert post(phone, done, {"scanned": "S-1-P"}).json() == {"visit": shop["visit"], "state": "done", "again": False}
    assert post(phone, done, {"scanned": "S-1-P"}).json()["again"] is True
    assert Delivery.objects.get().state == "out"
    fields = {"received_by": "Bob", "scanned": "S-1-P", "photo": photo()}
    phone.post(f"/driver/api/visits/{home['visit']}/complete", fields)
    assert Delivery.objects.get().state == "delivered"


def test_what_is_not_ready_ends_the_later_stop_and_is_told_as_it_is(phone: Any) -> None:
    shop, home = phone.get("/driver/api/route").json()["stops"]
    post(phone, f"/driver/api/visits/{shop['visit']}/arrive")
    assert post(phone, f"/driver/api/visits/{shop['visit']}/fail", {"reason": "sender_not_ready"}).status_code == 200
    assert phone.get("/driver/api/route").json()["stops"] == []
    row = Visit.objects.get(pk=home["visit"])
    assert (row.route, row.unserved_reason) == (None, "collection")
    services.catch_up(route_id=Visit.objects.get(pk=shop["visit"]).route_id, actor="system")
    assert Delivery.objects.get().state == "planned"
