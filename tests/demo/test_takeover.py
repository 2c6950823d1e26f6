"""A visitor drives a van: the simulator lets go of it, it drives on when told to, and is given back where it stands."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client

from apps.demo.models import DemoKey
from apps.demo.simulator import Van
from apps.demo.wheel import Wheel, let_go, take_back
from apps.fleet.models import Driver
from apps.fleet.services import issue_driver_token
from apps.routing.planner.travel import Point
from tests.conftest import FrozenClock
from tests.demo.test_front_door import demo_tables
from tests.demo.test_simulator import MORNING, Phone, Road
from tests.drivers.phones import one_van_day, visits

__all__ = ["demo_tables"]


def test_a_van_in_a_visitors_hands_drives_to_the_next_stop_and_does_nothing_there() -> None:
    phone = Phone()
    phone.departed = True
    van = Van(phone, Road(), Random(3))  # type: ignore[arg-type]
    let_go(van)
    wheel = Wheel(van)
    wheel.tick(MORNING, None)
    assert phone.said == []
    for minute in range(20):
        wheel.tick(MORNING + timedelta(minutes=minute), MORNING)
    assert [said for said, _at in phone.said] == ["position"] * 11
    assert van.place == Point(47.2, 9.52)
    take_back(van)
    for minute in range(20, 150):
        van.tick(MORNING + timedelta(minutes=minute))
    assert phone.when("complete")


def seat() -> tuple[DemoKey, Driver, Client]:
    _deliveries, driver = one_van_day(("Alice", "Bob"))
    token = issue_driver_token(driver=driver)
    key = DemoKey.objects.create(kind=DemoKey.Kind.DRIVER, name=driver.name, reference=driver.pk, secret=token)
    return key, driver, Client()


@pytest.mark.django_db
@pytest.mark.urls("tests.demo.urls")
def test_from_the_start_page_into_the_seat_and_out_again(
    demo_tables: None, drain: Callable[..., int], now: FrozenClock, settings: Any
) -> None:
    processors = settings.TEMPLATES[0]["OPTIONS"]["context_processors"]
    if "apps.demo.wheel.controls" not in processors:
        template = {
            **settings.TEMPLATES[0],
            "OPTIONS": {"context_processors": [*processors, "apps.demo.wheel.controls"]},
        }
        settings.TEMPLATES = [template]
    key, driver, visitor = seat()
    assert visitor.post(f"/demo/vans/{key.pk}/take", follow=True).status_code == 200
    key.refresh_from_db()
    assert key.taken_at == now.instant
    page = visitor.get("/driver/").content.decode()
    assert "Demo: you drive this van" in page
    assert "Drive on" not in page, "it stands at the depot still"
    visitor.post("/driver/depart")
    assert "Drive on" in visitor.get("/driver/").content.decode()
    now.advance(minutes=1)
    assert visitor.post("/driver/demo/on").status_code == 303
    key.refresh_from_db()
    assert key.drive_on_at == now.instant
    visit = visits(driver)[0]
    visitor.post(f"/driver/visits/{visit.pk}/arrive")
    visitor.post(f"/driver/visits/{visit.pk}/complete", {"received_by": "Anna"})
    visit.refresh_from_db()
    assert visit.state == "done"
    assert visitor.post("/driver/demo/back").status_code == 302
    key.refresh_from_db()
    assert (key.taken_at, key.drive_on_at) == (None, None)
    assert "Demo: you drive" not in visitor.get("/driver/").content.decode()
    assert visitor.post("/driver/demo/on").status_code == 404
    assert Client().post("/driver/demo/on").status_code == 404
    drain()
    start = Client().get("/").content.decode()
    assert f"/demo/vans/{key.pk}/take" in start
    assert "1 stop left" in start


@pytest.mark.django_db
@pytest.mark.urls("tests.demo.urls")
def test_only_vans_can_be_taken(demo_tables: None) -> None:
    key = DemoKey.objects.create(kind=DemoKey.Kind.MERCHANT, name="x", secret="s" * 30)
    assert Client().post(f"/demo/vans/{key.pk}/take").status_code == 404
    assert Client().get(f"/demo/vans/{key.pk}/take").status_code == 405
