"""A delivery that is in the plan from its first second."""

import pytest

from apps.core.errors import InvalidInput, Refused
from apps.deliveries.models import Delivery
from apps.deliveries.services import ContactInput, ParcelInput, PlaceInput
from apps.rescheduling.services import cancel_delivery, create_delivery
from apps.routing.models import Visit
from tests import world

pytestmark = pytest.mark.django_db
VADUZ = PlaceInput(street="Landstrasse", postcode="9490", town="Vaduz", latitude=47.1410, longitude=9.5215)


def order(window=None, place=VADUZ, parcels=1, reference="B-1"):
    return create_delivery(
        merchant=world.merchant(),
        reference=reference,
        recipient=ContactInput(name="Dora Muster", phone="+4237910099"),
        buyer=None,
        place=place,
        window=window,
        parcels=[ParcelInput(1000, 300, 200, 100)] * parcels,
        actor="merchant:1",
    )


def test_an_order_with_a_window_is_planned_in_it():
    world.shift("van-1")
    made = order(world.hours(10, 12))
    visit = Visit.objects.get(drops__delivery=made)
    assert made.state == "planned"
    assert made.window.contains(visit.planned_arrival)
    assert visit.place == made.place


def test_an_order_without_a_window_gets_the_first_day_with_room():
    world.shift("van-1", start=7, end=8.6)
    world.shift("van-1", world.TODAY.replace(day=12))
    made = order()
    assert Visit.objects.get(drops__delivery=made).plan.day == world.TODAY.replace(day=12)


def test_what_no_plan_holds_is_refused_with_true_alternatives_and_nothing_is_written():
    world.shift("van-1", start=8, end=12)
    with pytest.raises(Refused) as refused:
        order(world.hours(16, 18))
    assert refused.value.message == "No van has room for it at that time."
    assert [offer.window for offer in refused.value.alternatives] == [world.hours(10, 12), world.hours(8, 10)]
    assert not Delivery.objects.exists()


def test_too_much_for_every_van_is_refused():
    vehicle = world.shift("van-1").vehicle
    vehicle.capacity_pieces = 3
    vehicle.save()
    with pytest.raises(Refused) as refused:
        order(world.hours(10, 12), parcels=4)
    assert refused.value.code == "capacity"


def test_nobody_drives_at_all():
    world.depot()
    with pytest.raises(Refused) as refused:
        order()
    assert refused.value.code == "no_vehicle"


def test_a_place_that_is_no_place_is_not_asked_of_the_plan():
    world.shift("van-1")
    nowhere = PlaceInput(street="x", postcode="1", town="y", latitude=float("nan"), longitude=9.5)
    with pytest.raises(InvalidInput):
        order(world.hours(10, 12), place=nowhere)


@pytest.mark.covers("A14")
def test_parcels_for_one_pickup_point_are_one_stop():
    world.shift("van-1")
    point = PlaceInput(
        street="Städtle",
        postcode="9490",
        town="Vaduz",
        latitude=47.1385,
        longitude=9.5225,
        kind="pickup_point",
        opening_hours="Mo-Fr 09:00-12:00,13:30-18:00",
        merge_key="point:vaduz",
    )
    made = [order(world.hours(8, 18), place=point, reference=f"B-{n}") for n in range(12)]
    visit = Visit.objects.get()
    assert visit.drops.count() == 12
    assert visit.service_seconds == 120 + 11 * 20
    assert world.hours(9, 12).contains(visit.planned_arrival) or world.hours(13.5, 18).contains(visit.planned_arrival)
    cancel_delivery(delivery=made[3], reason="not_needed", revision=1, actor="merchant:1")
    visit.refresh_from_db()
    assert (visit.drops.count(), visit.service_seconds) == (11, 120 + 10 * 20)
