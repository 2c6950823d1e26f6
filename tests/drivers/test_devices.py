"""Whose phone it is: sign-in links, revoked phones, other people's stops, forged forms."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from apps.fleet.models import DepotDevice
from apps.fleet.services import issue_driver_token, revoke_depot_device, revoke_driver_token
from apps.routing.models import Visit
from tests import world
from tests.drivers.phones import browser_of, clerk_browser, leave, one_van_day, phone_of, post, visits

pytestmark = pytest.mark.django_db


def test_the_sign_in_link_leaves_a_cookie_no_script_reads() -> None:
    _deliveries, driver = one_van_day()
    answer = Client().get(f"/driver/enter/{issue_driver_token(driver=driver)}")
    cookie = answer.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/driver/")
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("token", ["x", "a" * 32, "%00" * 12, "ü" * 20, "a" * 5000, "../admin"])
def test_a_link_that_is_nobodys_is_the_usual_404(token: str) -> None:
    for face in ("driver", "depot"):
        answer = Client().get(f"/{face}/enter/{token}")
        assert answer.status_code == 404
        assert "device" not in answer.cookies


def test_guessing_links_is_slowed_down() -> None:
    _deliveries, driver = one_van_day()
    guesser = Client(REMOTE_ADDR="192.0.2.9")
    for guess in range(25):
        guesser.get(f"/driver/enter/{'g' * 30}{guess}")
    assert guesser.get(f"/driver/enter/{issue_driver_token(driver=driver)}").status_code == 404
    assert Client().get(f"/driver/enter/{issue_driver_token(driver=driver)}").status_code == 302


@pytest.mark.covers("GS41")
def test_a_lost_phone_is_dead_at_once() -> None:
    """Page, interface and positions of a revoked phone stop with the next tap."""
    _deliveries, driver = one_van_day()
    phone = phone_of(driver)
    token = phone.defaults["HTTP_AUTHORIZATION"]
    browser = Client()
    browser.get(f"/driver/enter/{token.split()[1]}")
    assert phone.get("/driver/api/route").status_code == 200
    assert browser.get("/driver/").status_code == 200
    revoke_driver_token(driver=driver)
    assert phone.get("/driver/api/route").status_code == 401
    assert post(phone, "/driver/api/positions", {"positions": []}).status_code == 401
    assert browser.get("/driver/").status_code == 401
    assert browser.post("/driver/depart").status_code == 401


def test_a_lost_scanner_is_dead_at_once() -> None:
    one_van_day()
    browser = clerk_browser()
    assert browser.get("/depot/").status_code == 200
    revoke_depot_device(device=DepotDevice.objects.get())
    assert browser.get("/depot/").status_code == 401


@pytest.mark.parametrize("path", ["/driver/", "/depot/"])
def test_without_a_phone_the_page_only_says_how_to_get_one(path: str) -> None:
    world.planned_day(("Alice",))
    answer = Client().get(path)
    assert answer.status_code == 401
    assert "Alice" not in answer.content.decode()


@pytest.mark.covers("GS41")
@pytest.mark.parametrize("step", ["arrive", "complete", "fail"])
def test_another_drivers_stop_does_not_exist_for_me(step: str) -> None:
    _mine, driver = one_van_day(("Alice",))
    foreign = world.put_in_plan(_delivery_for_other_van())
    visit = Visit.objects.get(drops__delivery=foreign)
    assert visit.route is not None
    assert visit.route.shift.driver_id != driver.pk
    leave(driver)
    leave(visit.route.shift.driver)
    body = {"reason": "consignee_not_home"}
    answer = post(phone_of(driver), f"/driver/api/visits/{visit.pk}/{step}", body)
    missing = post(phone_of(driver), f"/driver/api/visits/{10**9}/{step}", body)
    assert answer.status_code == missing.status_code == 404
    assert answer.json()["detail"] == missing.json()["detail"]
    visit.refresh_from_db()
    assert visit.state == "planned"


def _delivery_for_other_van() -> object:
    """A day on which only the second van works: its own plan."""
    from apps.fleet.models import Shift
    from apps.routing.models import Route

    world.shift("van-2")
    made = world.delivery("Bob")
    taken = Route.objects.get(shift__vehicle__code="van-1")
    Shift.objects.filter(pk=taken.shift_id).update(ends_at=taken.shift.starts_at)
    return made


@pytest.mark.parametrize("step", ["acknowledge", "code"])
def test_another_drivers_delivery_does_not_exist_for_me(step: str) -> None:
    (alice, *_rest), _driver = one_van_day()
    world.shift("van-9")
    from apps.fleet.models import Driver

    other = Driver.objects.get(name="Driver of van-9")
    answer = post(phone_of(other), f"/driver/api/deliveries/{alice.public_id}/{step}", {"version": 1})
    assert answer.status_code == 404


def test_a_forged_form_on_another_site_does_nothing() -> None:
    """The cookie travels with it, the CSRF token does not."""
    _deliveries, driver = one_van_day()
    leave(driver)
    browser, visit = browser_of(driver, csrf=True), visits(driver)[0]
    assert browser.post(f"/driver/visits/{visit.pk}/arrive").status_code == 403
    answer = post(browser, f"/driver/api/visits/{visit.pk}/arrive")
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"
    visit.refresh_from_db()
    assert visit.state == "planned"


def test_a_driver_without_a_shift_is_told_so() -> None:
    _deliveries, driver = one_van_day()
    day = timedelta(days=1)
    driver.shifts.update(day="2026-03-09", starts_at=F("starts_at") - day, ends_at=F("ends_at") - day)
    assert phone_of(driver).get("/driver/api/route").json()["stops"] == []
    answer = post(phone_of(driver), "/driver/api/depart")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_shift")
    assert "not on today" in browser_of(driver).get("/driver/").content.decode()
