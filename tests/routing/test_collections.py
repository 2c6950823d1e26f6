"""Ship from store: a van collects an order at a shop and brings it the same day, one after the other or not at all."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput, Terms
from apps.deliveries.models import Delivery, Parcel, Place
from apps.events.models import Event
from apps.merchants.models import Policy
from apps.rescheduling import services as rescheduling
from apps.routing import events, services
from apps.routing.models import Drop, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.selectors import remaining_visits
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db

SHOP = PlaceInput(
    street="Landstrasse",
    house_number="60",
    postcode="9490",
    town="Vaduz",
    latitude=47.1380,
    longitude=9.5220,
    kind=Place.Kind.SHOP,
    name="Alpenkorb Vaduz",
    opening_hours="Mo-Fr 10:00-17:00",
)


def order(reference: str = "S-1", window=None, name: str = "Bob", shop: PlaceInput = SHOP) -> Delivery:
    street, number, postcode, town, latitude, longitude = world.SPOTS[name]
    return rescheduling.create_delivery(
        merchant=world.merchant(),
        reference=reference,
        recipient=ContactInput(name, email="bob@example.com"),
        buyer=None,
        place=PlaceInput(street, postcode, town, latitude, longitude, number),
        window=window or world.hours(8, 18),
        parcels=[ParcelInput(2500, 300, 200, 150, barcode=f"{reference}-P")],
        terms=Terms(collect_from=shop),
        actor="merchant:1",
    )


def halves(delivery: Delivery) -> tuple[Visit, Visit]:
    shop = Visit.objects.get(collects=delivery, state__in=Visit.REMAINING)
    return shop, Visit.objects.get(drops__delivery=delivery, drops__is_open=True)


def holds() -> bool:
    snapshot = take(depot=world.depot(), day=world.TODAY)
    return violations(snapshot.problem, snapshot.standing) == []


@pytest.fixture
def on_the_road() -> tuple[Delivery, Route]:
    """Alice's parcel is on the van, Bob's order waits in the shop; the van has left."""
    world.planned_day(("Alice",), vans=1)
    delivery = order()
    for parcel in Parcel.objects.filter(delivery__collect_from=None):
        services.load(barcode=parcel.barcode, vehicle="van-1", actor="clerk:1")
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    return delivery, route


def drive_to(route: Route, kind: str) -> Visit:
    """Everything before the next stop of that kind is done; the van stands there."""
    for visit in remaining_visits(route.pk):
        services.arrive(visit=visit, actor="driver:1")
        if visit.kind == kind:
            return visit
        services.complete(visit=visit, actor="driver:1")
    raise AssertionError(kind)


@pytest.mark.covers("O19")
def test_it_is_collected_while_the_shop_is_open_and_brought_by_the_same_van_later() -> None:
    world.planned_day(("Alice", "Charlie"))
    delivery = order()
    shop, home = halves(delivery)
    assert (shop.kind, shop.place.name, shop.route_id) == ("collect", "Alpenkorb Vaduz", home.route_id)
    assert shop.sequence < home.sequence
    assert shop.planned_arrival >= world.hours(10, 17).earliest
    assert home.planned_arrival > shop.planned_arrival
    assert holds()
    # The shop is not open early enough for a window that ends before it opens.
    with pytest.raises(Refused) as refused:
        order("S-2", world.hours(8, 9.5))
    assert refused.value.code in ("collection", "window")
    assert all(offer.window.latest > world.hours(10, 17).earliest for offer in refused.value.alternatives)


@pytest.mark.covers("O19")
def test_the_drop_waits_for_the_collection_and_the_page_says_what_is_true(on_the_road) -> None:
    delivery, route = on_the_road
    _shop, home = halves(delivery)
    delivery.refresh_from_db()
    assert delivery.state == "planned"
    for act in (services.arrive, services.complete):
        with pytest.raises(Refused, match="Alpenkorb Vaduz"):
            act(visit=home, actor="driver:1")
    services.complete(visit=drive_to(route, "collect"), actor="driver:1")
    delivery.refresh_from_db()
    assert delivery.state == "out"
    assert Parcel.objects.get(delivery=delivery).loaded_at is not None
    assert holds()
    services.complete(visit=drive_to(route, "stop"), actor="driver:1")
    delivery.refresh_from_db()
    if delivery.state != "delivered":
        services.complete(visit=drive_to(route, "stop"), actor="driver:1")
        delivery.refresh_from_db()
    assert delivery.state == "delivered"


@pytest.mark.covers("O19")
def test_what_the_shop_does_not_hand_over_is_not_brought_and_its_people_are_told(on_the_road) -> None:
    delivery, route = on_the_road
    _shop, home = halves(delivery)
    services.fail(visit=drive_to(route, "collect"), reason="not_ready", actor="driver:1")
    home.refresh_from_db()
    assert (home.route, home.unserved_reason) == (None, "collection")
    assert Event.objects.filter(kind=events.STOP_UNSERVED, delivery_id=delivery.pk).count() == 1
    services.build_day(depot=world.depot(), day=world.TODAY)
    home.refresh_from_db()
    assert home.route is None
    # Another day: the shop again, and home from there.
    world.shift("van-1", world.TODAY + timedelta(days=1))
    tomorrow = world.hours(8, 18, world.TODAY + timedelta(days=1))
    services.change_in_plan(delivery=delivery, place=delivery.place, window=tomorrow, write=lambda: delivery)
    shop, home = halves(delivery)
    assert shop.sequence < home.sequence
    assert shop.plan.day == home.plan.day == world.TODAY + timedelta(days=1)


@pytest.mark.covers("O19")
def test_a_change_moves_both_and_a_cancellation_removes_both() -> None:
    world.planned_day(("Alice", "Charlie"))
    delivery = order()
    late = world.hours(15, 17)
    held = services.hold(delivery=delivery, place=delivery.place, window=late, lasts=timedelta(minutes=5))
    assert Visit.objects.filter(collects=delivery).count() == 2
    assert services.release_hold(visit_id=held.pk)
    rescheduling.change_window(delivery=delivery, window=late, revision=delivery.revision, actor="agent:1")
    shop, home = halves(delivery)
    assert shop.sequence < home.sequence
    assert late.earliest <= home.planned_arrival <= late.latest
    assert holds()
    delivery.refresh_from_db()
    rescheduling.cancel_delivery(delivery=delivery, reason="x", revision=delivery.revision, actor="agent:1")
    assert not Visit.objects.filter(collects=delivery).exists()
    assert not Drop.objects.filter(delivery=delivery, is_open=True).exists()


@pytest.mark.covers("O19")
def test_on_the_way_to_the_shop_only_the_second_half_can_still_be_moved(on_the_road) -> None:
    delivery, route = on_the_road
    shop = drive_to(route, "collect")
    late = world.hours(16, 18)
    services.change_in_plan(delivery=delivery, place=delivery.place, window=late, write=lambda: delivery)
    now, home = halves(delivery)
    assert (now.pk, now.state, home.route_id) == (shop.pk, "arrived", route.pk)
    assert home.planned_arrival >= late.earliest
    with pytest.raises(Refused):
        services.release(delivery_id=delivery.pk)


@pytest.mark.covers("O19")
def test_the_freeze_of_a_merchant_covers_the_stop_at_the_shop_as_well(on_the_road) -> None:
    delivery, _route = on_the_road
    shop, home = halves(delivery)
    (first,) = Visit.objects.exclude(pk__in=[shop.pk, home.pk])
    for turn, visit in enumerate((first, shop, home), start=1):
        Visit.objects.filter(pk=visit.pk).update(sequence=turn)
    Policy.objects.update(freeze_stops=2, cutoff_minutes=0)
    (standing,) = take(depot=world.depot(), day=world.TODAY).standing.routes
    assert standing.stops[: standing.frozen] == (f"v{first.pk}", f"v{shop.pk}")
    assert standing.stops[2] == f"v{home.pk}"


@pytest.mark.covers("O19")
def test_a_road_closed_at_the_shop_ends_both_halves(drain) -> None:
    world.planned_day(("Alice",), vans=1)
    delivery = order()
    day = world.hours(7, 20)
    services.close_road(
        depot=world.depot(),
        name="Market",
        point=(SHOP.latitude, SHOP.longitude),
        radius_metres=150,
        begins=day.earliest,
        ends=day.latest,
    )
    drain()
    assert {half.route for half in halves(delivery)} == {None}
    assert holds()


@pytest.mark.covers("O19")
def test_a_day_built_from_nothing_and_a_sick_driver_keep_the_pair_together() -> None:
    world.planned_day(("Alice", "Bob", "Charlie"), vans=2)
    delivery = order(name="Charlie")
    Visit.objects.filter(collects=delivery).delete()
    Drop.objects.filter(delivery=delivery).delete()
    services.build_day(depot=world.depot(), day=world.TODAY, seconds=0.3)
    shop, home = halves(delivery)
    assert (shop.route_id, shop.sequence < home.sequence) == (home.route_id, True)
    services.mark_sick(shift=home.route.shift, actor="agent:1")
    services.build_day(depot=world.depot(), day=world.TODAY)
    shop, home = halves(delivery)
    assert shop.route_id == home.route_id is not None
    assert holds()
    with clock.frozen(world.MORNING), pytest.raises(Refused) as refused:
        services.load(barcode="S-1-P", vehicle=home.route.shift.vehicle.code, actor="clerk:1")
    assert refused.value.code == "at_shop"
