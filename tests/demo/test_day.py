"""The demo's fleet and a small day of it: the bicycle of the micro depot comes back for its second load."""

from random import Random

import pytest
from django.test import Client

from apps.demo import cast, stage
from apps.demo import day as days
from apps.demo.models import DemoKey
from apps.demo.orders import orders
from apps.drivers.loading import vans_today
from apps.fleet.models import Depot
from apps.routing import services as routing
from apps.routing.models import Visit
from tests import world
from tests.demo.test_front_door import demo_tables
from tests.drivers.phones import browser_of

__all__ = ["demo_tables"]
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.demo.urls"), pytest.mark.covers("O2")]


def test_the_bicycle_of_the_micro_depot_is_loaded_there_and_comes_back_for_more() -> None:
    bicycle = [van for van in cast.VEHICLES if van.at_micro_depot]
    main = stage.set_fleet([world.TODAY], bicycle)
    micro = Depot.objects.get(kind=Depot.Kind.MICRO)
    micro.full_clean()
    assert (micro.plans_with, micro.has_stock, micro.postcodes) == (main, True, "9490")
    assert micro.cutoff_time is not None
    for name in range(16):  # it holds 14
        world.delivery("Alice", world.hours(9, 16), offset=0.0005 * name)
    plan = routing.build_day(depot=main, day=world.TODAY)
    assert not Visit.objects.filter(route=None).exists()
    call = Visit.objects.get(kind=Visit.Kind.RELOAD)
    assert call.place.name == micro.name
    days.send_out(plan)
    (van,) = vans_today(micro)
    assert van.departed_at is not None
    assert (van.missing, van.later) == ([], 16 - van.loaded)
    assert vans_today(main) == []
    stops = browser_of(plan.routes.get().shift.driver).get("/driver/api/route").json()["stops"]
    (back,) = [stop for stop in stops if stop["kind"] == "depot"]
    assert (back["lat"], back["lon"], len(back["to_load"])) == (micro.latitude, micro.longitude, van.later)
    front = Client().get("/").content.decode()
    assert front.count("/depot/") >= 2
    assert DemoKey.objects.filter(kind=DemoKey.Kind.CLERK).count() == 2


@pytest.mark.covers("O19")
def test_some_orders_of_the_day_are_collected_at_a_shop() -> None:
    drawn = orders(Random(1), 200, list(range(2_000)), 20)
    ours = [order for order in drawn if order.from_shop]
    assert 0 < len(ours) < 20
    made = days.create(world.merchant("lumen", "Lumen & Faden"), ours[0], world.TODAY)
    assert made.collect_from is not None
    assert made.collect_from.name == "Lumen Schaan"


@pytest.mark.covers("O1")
def test_some_people_of_the_day_would_like_a_part_of_it_best() -> None:
    drawn = orders(Random(1), 200, list(range(2_000)), 20)
    ours = [order for order in drawn if order.preferred is not None]
    assert 5 < len(ours) < 50
    made = days.create(world.merchant("lumen", "Lumen & Faden"), ours[0], world.TODAY)
    assert made.preferred is not None
    assert made.window.holds(made.preferred)
