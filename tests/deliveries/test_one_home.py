"""Several deliveries of one day to one home: one stop, one approach, each with its own time, proof and outcome."""

from dataclasses import replace

import pytest

from apps.deliveries.models import Delivery
from apps.deliveries.services import ContactInput, ParcelInput, PlaceInput, make_link, token_of
from apps.deliveries.states import State
from apps.fleet.models import Driver
from apps.places.services import load_addresses
from apps.redirection.services import move_to_address
from apps.rescheduling.services import cancel_delivery, change_window, create_delivery
from apps.routing import services as routing
from apps.routing.models import Drop, Visit
from apps.tracking import state
from tests import world
from tests.drivers.phones import browser_of, leave, phone_of, post, visits
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db
DORA = ContactInput(name="Dora Muster", phone="079 100 99", email="dora@example.com")
NEIGHBOUR = ContactInput(name="Erna Frick", phone="079 100 98")
HOME = PlaceInput(
    street="Landstrasse", house_number="12", postcode="9490", town="Vaduz", latitude=47.141, longitude=9.5215
)
TYPED = PlaceInput(
    street="Landstr.", house_number="12", postcode="9490", town="VADUZ", latitude=47.141, longitude=9.5215
)


def order(
    reference: str, who: ContactInput = DORA, where: PlaceInput = HOME, window=None, parcels: int = 1, sender=None
) -> Delivery:
    return create_delivery(
        merchant=sender or world.merchant(),
        reference=reference,
        recipient=who,
        buyer=None,
        place=where,
        window=window or world.hours(8, 18),
        parcels=[ParcelInput(1000, 300, 200, 100)] * parcels,
        actor="merchant:1",
    )


def stop_of(delivery: Delivery) -> Visit:
    return Visit.objects.get(drops__delivery=delivery, drops__is_open=True)


@pytest.mark.covers("T8")
def test_two_orders_for_one_person_are_one_stop_and_the_neighbours_is_another() -> None:
    world.shift("van-1")
    first, second, next_door = order("H-1"), order("H-2", where=TYPED, parcels=2), order("H-3", NEIGHBOUR)
    upstairs = order("H-4", where=replace(HOME, floor=3))
    assert stop_of(first) == stop_of(second)
    flatmate = order("H-5", ContactInput(name="Erna Frick", phone=DORA.phone, email=DORA.email))
    assert stop_of(flatmate) not in (stop_of(first), stop_of(next_door)), "one phone may be a family's or an office's"
    cancel_delivery(delivery=flatmate, reason="not_needed", revision=1, actor="merchant:1")
    assert stop_of(order("H-6", replace(DORA, name="dora  MUSTER"))) == stop_of(first)
    assert len({stop_of(one).pk for one in (first, next_door, upstairs)}) == 3
    assert stop_of(first).service_seconds == 140 + 2 * 20, "the longest and a little for each other parcel"
    far = world.put_in_plan(world.delivery("Bob", world.hours(16, 18)))
    routing.publish(plan=stop_of(first).plan)
    leave(Driver.objects.get())
    away = {one: state.build(one.pk, "link")["stops_away"] for one in (first, second, next_door, upstairs, far)}
    assert away[first] == away[second]
    assert max(away.values()) <= 3, "four stops, not five"
    told = [state.build(one.pk, "verified") for one in (first, second, next_door)]
    assert told[0]["eta"] == told[1]["eta"]
    assert not [word for word in ("Dora", "H-1", "H-2", "dora@") if word in str(told[2])]
    assert first.place.merge_key != next_door.place.merge_key
    assert "Landstr" not in first.place.merge_key


@pytest.mark.covers("T8")
def test_a_night_that_plans_them_makes_one_stop_unless_their_times_hardly_meet() -> None:
    world.shift("van-1")
    times = {"H-1": (8, 18), "H-2": (9, 12), "H-3": (11.9, 14)}
    made = {name: order(name, window=world.hours(*hours)) for name, hours in times.items()}
    Drop.objects.all().delete()
    Visit.objects.all().delete()
    routing.build_day(depot=world.depot(), day=world.TODAY)
    assert stop_of(made["H-1"]) == stop_of(made["H-2"]) != stop_of(made["H-3"])
    assert not Visit.objects.filter(route=None).exists()


@pytest.mark.covers("T8")
def test_who_changes_or_calls_off_one_keeps_the_other_as_it_was() -> None:
    world.shift("van-1")
    load_addresses([("Fürst-Johannes-Strasse", "70", "9494", "Schaan", "LI", 47.1662, 9.5102)])
    stays, goes, off, moves = (order(f"H-{n}") for n in range(4))
    assert len({stop_of(one).pk for one in (stays, goes, off, moves)}) == 1
    change_window(delivery=goes, window=world.hours(16, 18), revision=1, actor="shopper")
    cancel_delivery(delivery=off, reason="not_needed", revision=1, actor="merchant:1")
    move_to_address(delivery=moves, address="Fürst-Johannes-Strasse 70, 9494 Schaan", revision=1, actor="agent:1")
    visit = stop_of(stays)
    assert [drop.delivery for drop in visit.drops.filter(is_open=True)] == [stays]
    assert visit.service_seconds == 120
    assert world.hours(8, 12).contains(visit.planned_arrival)
    assert world.hours(16, 18).contains(stop_of(goes).planned_arrival)
    assert stop_of(moves).place.town == "Schaan"
    goes.refresh_from_db()
    change_window(delivery=goes, window=world.hours(8, 18), revision=2, actor="shopper")
    assert stop_of(goes) == stop_of(stays), "back in the same time it is the same stop again"


@pytest.mark.covers("T8", "D7")
def test_the_driver_comes_once_and_each_delivery_has_its_own_outcome_and_proof() -> None:
    world.shift("van-1")
    kept, broken = order("H-1"), order("H-2")
    driver = Driver.objects.get()
    leave(driver)
    (visit,) = visits(driver)
    phone = phone_of(driver)
    (stop,) = phone.get("/driver/api/route").json()["stops"]
    assert {drop["reference"] for drop in stop["drops"]} == {"H-1", "H-2"}
    post(phone, f"/driver/api/visits/{visit.pk}/arrive")
    page = browser_of(driver).get("/driver/").content.decode()
    assert page.count('href="tel:') == 1, "one person is called once"
    assert f"without-{broken.public_id}" in page
    phone = phone_of(driver)
    assert post(phone, f"/driver/api/deliveries/{kept.public_id}/contact", {"channel": "call"}).status_code == 200
    assert [one.contact_tries.count() for one in (kept, broken)] == [1, 1], "the call was for both"
    assert "1 call or text noted" in browser_of(driver).get("/driver/").content.decode()
    phone = phone_of(driver)
    body = {
        "without": {broken.public_id: "carrier_damaged_parcel"},
        "received_by": "Dora Muster",
        "lat": visit.place.latitude,
        "lon": visit.place.longitude,
    }
    answer = post(phone, f"/driver/api/visits/{visit.pk}/complete", body).json()
    assert answer.get("state") == "done", answer
    assert phone.get("/driver/api/route").json()["stops"] == []
    kept.refresh_from_db()
    broken.refresh_from_db()
    assert (kept.state, broken.state) == (State.DELIVERED, State.FAILED)
    assert kept.proofs.get(kind="signature").received_by == "Dora Muster"
    assert [proof.kind for proof in broken.proofs.all()] == ["failure"]
    assert "We could not deliver" in Shopper(token_of(make_link(delivery=broken))).text
    assert "Delivered" in Shopper(token_of(make_link(delivery=kept))).text


@pytest.mark.covers("T8", "D7", "D9")
def test_each_sender_is_told_of_its_own_money_age_and_parcels_only() -> None:
    world.shift("van-1")
    wine, lamp = order("H-1"), order("H-2", parcels=2, sender=world.merchant("lamps", "Lamps"))
    Delivery.objects.filter(pk=wine.pk).update(cash_due=5000, cash_currency="CHF", minimum_age=18)
    Delivery.objects.filter(pk=lamp.pk).update(cash_due=10000, cash_currency="EUR")
    driver = Driver.objects.get()
    leave(driver)
    (visit,) = visits(driver)
    phone, path = phone_of(driver), f"/driver/api/visits/{visit.pk}"
    post(phone, f"{path}/arrive")
    page = " ".join(browser_of(driver).get("/driver/").content.decode().split())
    assert "Collect CHF 50.00" in page
    assert "Collect EUR 100.00" in page
    assert f'name="paid-{lamp.public_id}"' in page
    body = {"received_by": "Dora", "age_method": "passport", "age_confirmed": "1", "paid_by": "cash"}
    body["scanned"] = "\n".join(row.barcode for one in (wine, lamp) for row in one.parcels.all())
    body |= {"lat": visit.place.latitude, "lon": visit.place.longitude}
    phone = phone_of(driver)
    answer = phone.post(f"{path}/complete", {**body, "paid": "150.00"}).json()
    assert answer.get("code") == "payment_missing", "one sum is no two currencies"
    paid = {f"paid-{wine.public_id}": "50", f"paid-{lamp.public_id}": "99,50"}
    assert phone.post(f"{path}/complete", {**body, **paid}).json().get("state") == "done"
    told = {one: {proof.kind: (proof.details, proof.flags) for proof in one.proofs.all()} for one in (wine, lamp)}
    assert told[wine]["cash"] == ({"by": "cash", "paid": 5000, "due": 5000}, [])
    assert told[lamp]["cash"] == ({"by": "cash", "paid": 9950, "due": 10000}, ["wrong_amount"])
    assert [told[one]["scan"][0] for one in (wine, lamp)] == [{"parcels": 1}, {"parcels": 2}]
    assert "age" in told[wine]
    assert "age" not in told[lamp], "nobody was asked for that one"


@pytest.mark.covers("T8", "D9")
def test_one_sum_in_one_currency_is_divided_and_the_last_one_shows_what_is_short() -> None:
    world.shift("van-1")
    first, second = order("H-1"), order("H-2")
    Delivery.objects.filter(pk=first.pk).update(cash_due=5000, cash_currency="CHF")
    Delivery.objects.filter(pk=second.pk).update(cash_due=10000, cash_currency="CHF")
    driver = Driver.objects.get()
    leave(driver)
    (visit,) = visits(driver)
    phone, path = phone_of(driver), f"/driver/api/visits/{visit.pk}"
    post(phone, f"{path}/arrive")
    body = {"received_by": "Dora", "paid_by": "cash", "paid": "149"}
    assert phone_of(driver).post(f"{path}/complete", body).json().get("state") == "done"
    kept = [one.proofs.get(kind="cash") for one in (first, second)]
    assert [(proof.details["paid"], proof.flags) for proof in kept] == [(5000, []), (9900, ["wrong_amount"])]
