"""A driver's break, by the page's own button and by the app: nobody sees the van until it is over."""

import pytest

from apps.fleet.models import Shift
from apps.tracking.dots import HIDDEN
from apps.tracking.selectors import dot_document
from tests import world
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, post, visits
from tests.tracking.roads import put_van

pytestmark = [pytest.mark.django_db, pytest.mark.covers("T5")]


def test_the_van_is_on_no_map_until_the_break_is_over() -> None:
    (alice, *_), driver = one_van_day()
    browser = browser_of(driver)
    leave(driver)
    put_van("van-1", 47.15, 9.515, at=world.MORNING)
    alice.refresh_from_db()
    assert dot_document(alice)["visible"]
    assert "Take a break" in browser.get("/driver/").content.decode()
    browser.post("/driver/break", {"begins": "1"})
    assert dot_document(alice) == HIDDEN
    assert "End the break" in browser.get("/driver/").content.decode()
    browser.post("/driver/break", {"begins": "0"})
    assert dot_document(alice)["visible"]


def test_arriving_somewhere_ends_it() -> None:
    _deliveries, driver = one_van_day()
    phone = phone_of(driver)
    leave(driver)
    assert [post(phone, "/driver/api/break", {"begins": True}).json()["again"] for _ in range(2)] == [False, True]
    assert Shift.objects.get().break_began_at
    post(phone, f"/driver/api/visits/{visits(driver)[0].pk}/arrive")
    assert Shift.objects.get().break_began_at is None
