"""A driver's day: leave, arrive, hand over or not; what is shown when; and that saying it twice changes nothing."""

from collections.abc import Callable

import pytest

from apps.deliveries.models import Delivery, Proof
from apps.deliveries.services import save_access_code
from apps.drivers.rounds import HELD
from apps.events.models import Event
from apps.instructions.services import save_instruction
from apps.routing.models import Visit
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, photo, post, visits

pytestmark = pytest.mark.django_db


def state_of(delivery: Delivery) -> str:
    return str(Delivery.objects.values_list("state", flat=True).get(pk=delivery.pk))


@pytest.mark.covers("D1")
def test_a_day_through_the_interface() -> None:
    _deliveries, driver = one_van_day()
    phone = phone_of(driver)
    route = phone.get("/driver/api/route").json()
    assert [len(stop["drops"]) for stop in route["stops"]] == [1, 1, 1]
    assert post(phone, "/driver/api/depart").json() == {"again": False}
    for stop in route["stops"]:
        path = f"/driver/api/visits/{stop['visit']}"
        assert post(phone, f"{path}/arrive").json()["state"] == "arrived"
        answer = phone.post(f"{path}/complete", {"received_by": "Frau Frick", "photo": photo()})
        assert answer.json() == {"visit": stop["visit"], "state": "done", "again": False}
    after = phone.get("/driver/api/route").json()
    assert (after["stops"], after["done"], after["total"]) == ([], 3, 3)
    assert after["finished_at"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Proof.objects.filter(kind="photo", received_by="Frau Frick").count() == 3


def test_every_post_may_be_repeated() -> None:
    """A phone with bad signal says everything twice: one event, one proof, the same answer."""
    _deliveries, driver = one_van_day(("Alice",))
    phone, visit = phone_of(driver), visits(driver)[0]
    for again in (False, True):
        assert post(phone, "/driver/api/depart").json()["again"] is again
    for again in (False, True):
        assert post(phone, f"/driver/api/visits/{visit.pk}/arrive").json()["again"] is again
    for again in (False, True):
        answer = phone.post(f"/driver/api/visits/{visit.pk}/complete", {"received_by": "A", "photo": photo()})
        assert (answer.status_code, answer.json()["again"]) == (200, again)
    assert Proof.objects.count() == 1
    moves = [event.payload["to"] for event in Event.objects.filter(kind="delivery.state_changed")]
    assert moves.count("delivered") == 1
    assert post(phone, f"/driver/api/visits/{visit.pk}/arrive").json()["code"] == "stop_closed"


@pytest.mark.covers("D5")
def test_a_stop_that_failed_says_why_and_cannot_be_delivered_afterwards() -> None:
    (alice, *_rest), driver = one_van_day(("Alice",))
    leave(driver)
    phone, visit = phone_of(driver), visits(driver)[0]
    path = f"/driver/api/visits/{visit.pk}"
    assert post(phone, f"{path}/fail", {"reason": "because"}).json()["code"] == "reason_unknown"
    for again in (False, True):
        assert post(phone, f"{path}/fail", {"reason": "carrier_damaged_parcel"}).json()["again"] is again
    assert state_of(alice) == "failed"
    answer = phone.post(f"{path}/complete", {"received_by": "A"})
    assert (answer.status_code, answer.json()["code"]) == (422, "stop_closed")
    assert not Proof.objects.filter(kind__in=Proof.OF_HANDOVER).exists()


@pytest.mark.covers("D7")
def test_nothing_is_finished_without_a_trace() -> None:
    """Neither name nor photo, or left at the porch without a photo: asked for in words, nothing written."""
    (alice, *_rest), driver = one_van_day(("Alice",))
    leave(driver)
    phone, visit = phone_of(driver), visits(driver)[0]
    path = f"/driver/api/visits/{visit.pk}/complete"
    assert post(phone, path).json()["code"] == "name_missing"
    assert post(phone, path, {"left_at": "porch", "received_by": "x"}).json()["code"] == "photo_missing"
    assert post(phone, path, {"left_at": "the moon"}).json()["code"] == "left_at_unknown"
    assert state_of(alice) == "out"


def test_before_leaving_nothing_can_be_delivered() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    answer = post(phone_of(driver), f"/driver/api/visits/{visits(driver)[0].pk}/arrive")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_departed")


@pytest.mark.parametrize("at", ["yesterday", "2026-03-10T09:00", 5, [], "9999-12-31T23:59:59-23:59x"])
def test_a_time_nobody_can_read_is_refused(at: object) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    answer = post(phone_of(driver), "/driver/api/depart", {"at": at})
    assert (answer.status_code, answer.json()["code"]) == (400, "instant_not_understood")


def test_the_phones_clock_cannot_reach_into_the_future(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    post(phone_of(driver), "/driver/api/depart", {"at": "2031-01-01T00:00:00Z"})
    route = visits(driver)[0].route
    assert route is not None
    assert route.departed_at == now.instant


def instruct(delivery: Delivery, note: str, safe_place: str = "porch") -> int:
    delivery.refresh_from_db()
    saved = save_instruction(
        delivery=delivery, safe_place=safe_place, note=note, revision=delivery.revision, actor="shopper", verified=True
    )
    return int(saved.version)


@pytest.mark.covers("N26")
def test_instructions_are_pinned_until_they_are_read_and_again_when_they_change() -> None:
    (alice, *_rest), driver = one_van_day(("Alice",))
    leave(driver)
    version = instruct(alice, "Bell is broken, knock twice")
    browser = browser_of(driver)
    page = browser.get("/driver/").content.decode()
    assert "told--pinned" in page
    assert "Bell is broken, knock twice" in page
    answer = browser.post(f"/driver/deliveries/{alice.public_id}/acknowledge", {"version": version})
    assert (answer.status_code, answer["Location"]) == (303, "/driver/")
    page = browser.get("/driver/").content.decode()
    assert "told--pinned" not in page
    assert "Bell is broken, knock twice" in page
    instruct(alice, "Bell works again")
    assert "told--pinned" in browser.get("/driver/").content.decode()
    late = post(phone_of(driver), f"/driver/api/deliveries/{alice.public_id}/acknowledge", {"version": version})
    assert late.json() == {"current": False}


def test_the_door_code_is_for_the_next_stop_only_and_every_look_is_written_down() -> None:
    _deliveries, driver = one_van_day()
    stops = [visit.drops.get().delivery for visit in visits(driver)]
    for delivery in stops:
        save_access_code(delivery_id=delivery.pk, code="12*34")
    phone = phone_of(driver)
    assert post(phone, f"/driver/api/deliveries/{stops[0].public_id}/code").status_code == 403
    leave(driver)
    answer = post(phone, f"/driver/api/deliveries/{stops[0].public_id}/code")
    assert answer.json() == {"code": "12*34"}
    assert answer["Cache-Control"] == "private, no-store"
    assert post(phone, f"/driver/api/deliveries/{stops[1].public_id}/code").status_code == 403
    assert Event.objects.filter(kind="instructions.code_revealed", actor=f"driver:{driver.pk}").count() == 1
    assert "12*34" not in phone.get("/driver/api/route").content.decode()
    browser = browser_of(driver)
    assert "12*34" in browser.post(f"/driver/deliveries/{stops[0].public_id}/code").content.decode()
    assert "12*34" not in browser.get("/driver/").content.decode()


def test_only_the_next_customers_phone_numbers_are_on_the_phone() -> None:
    _deliveries, driver = one_van_day(("Alice", "Bob", "Charlie", "Alice", "Bob"))
    drops = [stop["drops"][0] for stop in phone_of(driver).get("/driver/api/route").json()["stops"]]
    assert [bool(drop["phone"]) for drop in drops] == [True] * HELD + [False] * (5 - HELD)


@pytest.mark.covers("A14")
def test_everything_for_a_point_is_handed_over_in_one_go(drain: Callable[..., int]) -> None:
    deliveries, driver = _day_with_a_point()
    leave(driver)
    visit = Visit.objects.get(drops__delivery=deliveries[0])
    assert visit.drops.count() == 2
    browser = browser_of(driver)
    browser.post(f"/driver/visits/{visit.pk}/arrive")
    assert "Handed to the point" in browser.get("/driver/").content.decode()
    assert browser.post(f"/driver/visits/{visit.pk}/complete", {"left_at": "in_person"}).status_code == 303
    assert [state_of(delivery) for delivery in deliveries] == ["at_point", "at_point"]
    for delivery in deliveries:
        delivery.refresh_from_db()
        assert delivery.collect_until is not None


def _day_with_a_point() -> tuple[list[Delivery], object]:
    from apps.fleet.models import Driver
    from apps.redirection.models import PickupPoint
    from apps.redirection.selectors import merge_key_of

    point = PickupPoint.objects.create(
        code="post-vaduz",
        kind="post_office",
        name="Post Vaduz",
        street="Aeulestrasse",
        postcode="9490",
        town="Vaduz",
        latitude=47.1390,
        longitude=9.5200,
        opening_hours="Mo-Fr 08:00-18:00",
    )
    world.shift("van-1")
    made = []
    for name in ("Alice", "Bob"):
        delivery = world.delivery(name)
        place = delivery.place
        place.kind, place.name, place.merge_key = "pickup_point", point.name, merge_key_of(point)
        place.latitude, place.longitude, place.opening_hours = point.latitude, point.longitude, point.opening_hours
        place.save()
        made.append(world.put_in_plan(delivery))
    return made, Driver.objects.get(name="Driver of van-1")


def test_the_page_works_without_scripts_from_depot_to_depot() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    browser, visit = browser_of(driver), visits(driver)[0]
    assert "Leave the depot" in browser.get("/driver/").content.decode()
    browser.post("/driver/depart")
    assert "I am here" in browser.get("/driver/").content.decode()
    browser.post(f"/driver/visits/{visit.pk}/arrive")
    page = browser.get("/driver/").content.decode()
    assert "Who took it?" in page
    answer = browser.post(f"/driver/visits/{visit.pk}/complete", {"left_at": "in_person"})
    assert answer.status_code == 400
    assert "Take a photo, or write down who took it." in answer.content.decode()
    browser.post(f"/driver/visits/{visit.pk}/complete", {"left_at": "in_person", "received_by": "Anna"})
    assert "All stops are done" in browser.get("/driver/").content.decode()


def test_names_and_notes_are_shown_as_they_are() -> None:
    (alice, *_rest), driver = one_van_day(("Alice",))
    alice.recipient.name = "<script>x</script> 佐藤 美咲"
    alice.recipient.save()
    page = browser_of(driver).get("/driver/").content.decode()
    assert "<script>x" not in page
    assert "佐藤 美咲" in page
