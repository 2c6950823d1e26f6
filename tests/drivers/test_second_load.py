"""A van that comes back for its second load: what the driver sees, what the clerk may scan when, and without signal."""

from typing import Any

import pytest

from apps.deliveries.models import Delivery
from apps.fleet.models import Driver, Vehicle
from apps.routing import services
from apps.routing.models import Visit
from tests import world
from tests.drivers.phones import browser_of, clerk_browser, clerk_phone, phone_of, photo, post

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O2", "D1")]


def two_loads() -> tuple[Delivery, Delivery, Driver]:
    """A van with room for one piece: Alice's in the morning, Bob's after a call at the depot."""
    world.shift("van-1")
    Vehicle.objects.update(reload_seconds=900, capacity_pieces=1)
    alice, bob = world.delivery("Alice", world.hours(9, 11)), world.delivery("Bob", world.hours(12, 16))
    services.build_day(depot=world.depot(), day=world.TODAY)
    return alice, bob, Driver.objects.get()


def scan(delivery: Delivery) -> Any:
    return post(clerk_phone(), "/depot/scan", {"barcode": delivery.parcels.get().barcode, "vehicle": "van-1"})


def states(*deliveries: Delivery) -> list[str]:
    rows = dict(Delivery.objects.values_list("pk", "state"))
    return [rows[one.pk] for one in deliveries]


def test_the_second_load_waits_at_the_ramp_and_is_a_stop_of_its_own() -> None:
    alice, bob, driver = two_loads()
    (van,) = clerk_phone().get("/depot/api/day").json()["vans"]
    assert (van["missing"], van["later"]) == ([alice.parcels.get().barcode], 1)
    depot_page = clerk_browser().get("/depot?van=van-1", follow=True).content.decode()
    assert "goes with the second load, at about" in depot_page
    refused = scan(bob)
    assert (refused.status_code, refused.json()["code"]) == (422, "later_load")
    assert scan(alice).status_code == 200

    phone = browser_of(driver)
    post(phone, "/driver/api/depart")
    assert states(alice, bob) == ["out", "planned"]
    first, call, last = phone.get("/driver/api/route").json()["stops"]
    assert [stop["kind"] for stop in (first, call, last)] == ["address", "depot", "address"]
    assert call["to_load"] == [bob.parcels.get().barcode]
    phone.post(f"/driver/api/visits/{first['visit']}/complete", {"received_by": "A", "photo": photo()})

    page = phone.get("/driver/").content.decode()
    assert "Back to the depot" in page
    assert "Load 1 parcel" in page
    assert "It does not work out" not in page
    assert scan(bob).json()["code"] == "later_load"  # the van is not back yet
    assert post(phone, f"/driver/api/visits/{call['visit']}/arrive").json() == {
        "visit": call["visit"],
        "state": "arrived",
        "again": False,
    }
    assert post(phone, f"/driver/api/visits/{call['visit']}/fail", {"reason": "carrier_no_parking"}).status_code == 422
    assert scan(bob).status_code == 200
    assert phone.post(f"/driver/visits/{call['visit']}/complete").status_code == 303
    assert states(bob) == ["out"]
    assert post(phone, f"/driver/api/visits/{call['visit']}/complete").json()["again"] is True
    phone.post(f"/driver/api/visits/{last['visit']}/complete", {"received_by": "B", "photo": photo()})
    assert states(alice, bob) == ["delivered", "delivered"]


def test_a_phone_without_signal_holds_the_call_and_tells_of_it_later() -> None:
    alice, bob, driver = two_loads()
    scan(alice)
    phone = phone_of(driver)
    post(phone, "/driver/api/depart")
    first, call, _last = phone.get("/driver/api/route").json()["stops"]
    held = post(phone, "/driver/api/hold").json()["stops"]
    assert "Load 1 parcel" in held[1]["html"]["planned"]
    assert f"/driver/visits/{call['visit']}/complete" in held[1]["html"]["arrived"]
    at = world.hours(10, 11).earliest.isoformat()
    taps = [(kind, stop["visit"]) for stop in (first, call) for kind in ("arrive", "complete")]
    kept = [
        {"id": f"tap-{number:032d}", "kind": kind, "at": at, "visit": visit, "received_by": "A"}
        for number, (kind, visit) in enumerate(taps)
    ]
    answers = post(phone, "/driver/api/events", {"events": kept}).json()["answers"]
    assert [answer["ok"] for answer in answers] == [True] * 4
    assert Visit.objects.get(pk=call["visit"]).state == "done"
    # Nobody scanned it, and the driver says that it is on board: it is out.
    assert states(alice, bob) == ["delivered", "out"]
