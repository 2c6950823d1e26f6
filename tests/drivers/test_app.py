"""The page as an app: what it may keep, for how long, and what a phone that was taken away is told."""

import pytest
from django.test import Client

from apps.fleet.services import revoke_driver_token
from apps.routing.models import Route
from tests.conftest import FrozenClock
from tests.drivers.phones import browser_of, clerk_phone, leave, one_van_day, post, visits

pytestmark = [pytest.mark.django_db]


def test_it_can_be_installed() -> None:
    described = Client().get("/driver/app.webmanifest").json()
    assert (described["scope"], described["start_url"], described["display"]) == ("/driver/", "/driver/", "standalone")
    assert {icon["sizes"] for icon in described["icons"]} == {"192x192", "512x512"}
    worker = Client().get("/driver/worker.js")
    assert worker["Content-Type"] == "text/javascript"
    assert '"/driver/shell"' in worker.content.decode()


def test_the_empty_page_knows_nobody() -> None:
    one_van_day(("Alice",))
    page = Client().get("/driver/shell").content.decode()
    assert "data-shell" in page
    for secret in ("Alice", "Landstrasse", "van-1"):
        assert secret not in page


@pytest.mark.covers("D8")
def test_what_is_held_ends_with_the_shift(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice", "Bob", "Charlie", "Alice"))
    phone = browser_of(driver)
    held = post(phone, "/driver/api/hold").json()
    assert (held["over"], len(held["stops"]), held["codes"]) == (False, 3, {})
    assert held["lasts_seconds"] == (18 - 8.5 + 1) * 3600
    assert "I am here" not in held["stops"][0]["html"]["planned"], "the van has not left"
    leave(driver)
    first = post(phone, "/driver/api/hold").json()["stops"][0]
    assert "I am here" in first["html"]["planned"]
    assert "It does not work out" in first["html"]["arrived"]
    now.set(now.at("19:01"))
    assert post(phone, "/driver/api/hold").json() == {"over": True}


@pytest.mark.covers("D8")
def test_a_round_that_is_over_leaves_nothing_to_hold() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = browser_of(driver)
    leave(driver)
    post(phone, f"/driver/api/visits/{visits(driver)[0].pk}/complete", {"received_by": "Anna"})
    assert Route.objects.get().finished_at is not None
    assert post(phone, "/driver/api/hold").json() == {"over": True}
    for path in ("/driver/", "/driver/shell"):
        assert "csrfmiddlewaretoken" in phone.get(path).content.decode(), "what waits can still be sent"


@pytest.mark.covers("GS41")
def test_a_phone_that_was_taken_away_is_told_to_forget() -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = browser_of(driver)
    revoke_driver_token(driver=driver)
    answer = phone.get("/driver/")
    assert (answer.status_code, answer["Clear-Site-Data"]) == (401, '"cache"')
    assert post(phone, "/driver/api/hold").status_code == 401
    assert post(phone, "/driver/api/events", {"events": []}).status_code == 401
    assert "Clear-Site-Data" not in Client().get("/driver/").headers


@pytest.mark.covers("P1")
def test_the_driver_hears_of_missing_parcels_before_leaving() -> None:
    deliveries, driver = one_van_day()
    browser, clerk = browser_of(driver), clerk_phone()
    assert "not loaded" not in browser.get("/driver/").content.decode(), "this depot does not scan"
    post(clerk, "/depot/scan", {"barcode": deliveries[0].parcels.get().barcode, "vehicle": "van-1"})
    page = browser.get("/driver/").content.decode()
    assert "2 parcels are not loaded" in page
    assert "stay behind" in page
