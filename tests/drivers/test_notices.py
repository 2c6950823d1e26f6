"""What changed under a van under way: its driver reads it before arriving; the dispatcher hears of what is unread."""

from collections.abc import Callable

import pytest

from apps.deliveries.models import Delivery
from apps.deliveries.selectors import timeline
from apps.drivers.models import Notice
from apps.events.models import Event
from apps.instructions.services import save_instruction
from apps.merchants.models import Policy
from apps.rescheduling.services import change_window
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, post, visits

pytestmark = [pytest.mark.django_db]


def instruct(delivery: Delivery, note: str) -> int:
    delivery.refresh_from_db()
    saved = save_instruction(
        delivery=delivery, safe_place="porch", note=note, revision=delivery.revision, actor="shopper", verified=True
    )
    return int(saved.version)


@pytest.mark.covers("I3", "N26", "G5")
def test_nobody_arrives_before_having_read_what_is_new() -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    version = instruct(alice, "Bell is broken")
    visit = visits(driver)[0]
    phone = browser = browser_of(driver)
    answer = post(phone, f"/driver/api/visits/{visit.pk}/arrive")
    assert (answer.status_code, answer.json()["code"]) == (422, "acknowledge_first")
    assert answer.json()["unread"] == [alice.public_id]
    page = browser.post(f"/driver/visits/{visit.pk}/arrive")
    assert page.status_code == 422
    assert "There is something new for this stop." in page.content.decode()
    visit.refresh_from_db()
    assert visit.state == "planned"
    browser.post(f"/driver/deliveries/{alice.public_id}/acknowledge", {"version": version})
    assert post(phone, f"/driver/api/visits/{visit.pk}/arrive").json()["state"] == "arrived"


@pytest.mark.covers("I3")
def test_a_shop_may_leave_it_to_its_drivers() -> None:
    (alice,), driver = one_van_day(("Alice",))
    leave(driver)
    instruct(alice, "Bell is broken")
    Policy.objects.update(ask_for_acknowledgement=False)
    assert post(phone_of(driver), f"/driver/api/visits/{visits(driver)[0].pk}/arrive").status_code == 200


@pytest.mark.covers("N26", "G5")
def test_a_customer_who_moves_to_tomorrow_is_announced_until_the_driver_confirms(
    now: FrozenClock, drain: Callable[..., int]
) -> None:
    deliveries, driver = one_van_day(("Alice", "Bob", "Charlie", "Alice", "Bob", "Charlie"))
    world.shift("van-1", day=world.TODAY.replace(day=11))
    phone = browser = browser_of(driver)
    post(phone, "/driver/api/depart")
    moved = next(one for one in reversed(deliveries) if one.pk == visits(driver)[-1].drops.get().delivery_id)
    moved.refresh_from_db()
    tomorrow = world.hours(8, 18, world.TODAY.replace(day=11))
    change_window(delivery=moved, window=tomorrow, revision=moved.revision, actor="shopper")
    drain()
    (notice,) = phone.get("/driver/api/route").json()["notices"]
    assert notice["kind"] == "other_day"
    assert "Bring the parcel back to the depot." in browser.get("/driver/").content.decode()
    now.advance(minutes=4)
    drain()
    assert Event.objects.filter(kind="drivers.notice_unread", delivery_id=moved.pk).count() == 1
    assert "driver_unread" in {entry.code for entry in timeline(moved.pk, staff=True)}
    assert "driver_unread" not in {entry.code for entry in timeline(moved.pk)}
    assert browser.post(f"/driver/notices/{notice['id']}/read").status_code == 303
    assert phone.get("/driver/api/route").json()["notices"] == []
    now.advance(minutes=10)
    drain()
    assert Event.objects.filter(kind="drivers.notice_unread").count() == 1


@pytest.mark.covers("N26")
def test_instructions_that_stay_unread_are_told_to_the_dispatcher(now: FrozenClock, drain: Callable[..., int]) -> None:
    (alice, bob), driver = one_van_day(("Alice", "Bob"))
    leave(driver)
    instruct(alice, "Ring twice")
    version = instruct(bob, "Beware of the dog")
    drain()
    post(phone_of(driver), f"/driver/api/deliveries/{bob.public_id}/acknowledge", {"version": version})
    now.advance(minutes=4)
    drain()
    assert list(Event.objects.filter(kind="drivers.notice_unread").values_list("delivery_id", flat=True)) == [alice.pk]


def test_before_the_van_leaves_nobody_is_disturbed(drain: Callable[..., int]) -> None:
    (alice,), _driver = one_van_day(("Alice",))
    instruct(alice, "Ring twice")
    tomorrow = world.hours(8, 18, world.TODAY.replace(day=11))
    world.shift("van-1", day=world.TODAY.replace(day=11))
    alice.refresh_from_db()
    change_window(delivery=alice, window=tomorrow, revision=alice.revision, actor="shopper")
    drain()
    assert not Notice.objects.exists()


def test_another_drivers_notice_does_not_exist() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    leave(driver)
    assert post(phone_of(driver), "/driver/api/notices/999999/read").status_code == 404
