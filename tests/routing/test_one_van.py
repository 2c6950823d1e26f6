"""What one van has on board, for whom it makes one stop, and where the goods are when it could not hand them over."""

import pytest

from apps.core.errors import Refused
from apps.deliveries.models import Delivery, Parcel, Place
from apps.events.models import Reaction
from apps.fleet.models import Depot, Driver, Shift, Vehicle
from apps.routing import services
from apps.routing.models import Drop, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.selectors import remaining_visits, van_of
from apps.routing.services.write_routes import claim, write
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db


def build() -> None:
    services.build_day(depot=world.depot(), day=world.TODAY)


def load(*deliveries: Delivery) -> None:
    for parcel in Parcel.objects.filter(delivery__in=deliveries):
        services.load(barcode=parcel.barcode, vehicle=van_of(parcel.delivery_id)[1].code, actor="clerk:1")


def make_return(*deliveries: Delivery) -> None:
    for delivery in deliveries:
        delivery.kind = Delivery.Kind.RETURN
        delivery.save(update_fields=["kind"])


@pytest.mark.covers("O8")
def test_deliveries_to_one_point_are_one_stop_only_where_one_van_can_make_it() -> None:
    world.shift("van-1")
    Vehicle.objects.update(skills=["cold"])
    early, noon, _late = (world.delivery("Alice", world.hours(*hours)) for hours in ((9, 11), (10, 12), (14, 16)))
    cold, back = world.delivery("Alice", world.hours(9, 11)), world.delivery("Alice", world.hours(9, 11))
    Delivery.objects.filter(pk=cold.pk).update(needs=["cold"])
    make_return(back)
    Place.objects.update(merge_key="point:x", kind=Place.Kind.LOCKER)
    build()
    at = {drop.delivery_id: drop.visit_id for drop in Drop.objects.all()}
    assert at[early.pk] == at[noon.pk]
    assert len(set(at.values())) == 4
    assert not Visit.objects.filter(route=None).values_list("pk", "unserved_reason", "drops__delivery")


@pytest.mark.covers("O19")
def test_a_delivery_and_a_return_at_one_stop_leave_one_piece_and_take_one_along() -> None:
    world.shift("van-1")
    Vehicle.objects.update(capacity_pieces=1)
    first, back, another = world.delivery("Alice"), world.delivery("Alice"), world.delivery("Charlie")
    make_return(back, another)
    Place.objects.filter(pk__in=[first.place_id, back.place_id]).update(merge_key="point:x")
    for one in (first, back):
        one.refresh_from_db()
        world.put_in_plan(one)
    (stop,) = take(depot=world.depot(), day=world.TODAY).problem.stops
    assert (stop.brings.pieces, stop.takes.pieces) == (1, 1)
    with pytest.raises(Refused, match="full"):
        services.propose(delivery=another, place=another.place, window=another.window)


@pytest.mark.covers("O19", "O2")
def test_what_was_collected_leaves_the_van_at_its_next_call_at_the_depot() -> None:
    world.shift("van-1")
    Vehicle.objects.update(reload_seconds=900, capacity_pieces=2)
    alice, back = world.delivery("Alice", world.hours(9, 12)), world.delivery("Bob", world.hours(9, 12))
    later = [world.delivery("Bob", world.hours(13, 17), offset=0.001 * number) for number in (1, 2)]
    make_return(back)
    build()
    snapshot, van = take(depot=world.depot(), day=world.TODAY), str(Shift.objects.get().pk)
    stops = [f"v{Visit.objects.get(drops__delivery=one).pk}" for one in (alice, back, *later)]
    calls = [stop.id for stop in snapshot.problem.stops if stop.is_reload]
    bare = snapshot.timetable.tables[van].route.replace(stops=(*stops[:2], calls[0], *stops[2:]), breaks=())
    write(snapshot, snapshot.timetable.with_route(bare), claim(snapshot, [van]))
    route = Route.objects.get()
    load(alice)
    services.depart(route=route, actor="driver:1")
    one, two, *_rest = remaining_visits(route.pk)
    for visit in (one, two):
        services.complete(visit=visit, actor="driver:1")
    now = take(depot=world.depot(), day=world.TODAY)
    assert now.problem.vehicles[0].capacity.pieces == 2
    assert violations(now.problem, now.standing) == []


@pytest.mark.covers("O19")
def test_what_was_collected_takes_room_beside_what_is_still_to_come() -> None:
    world.shift("van-1")
    Vehicle.objects.update(capacity_pieces=2)
    back, alice = world.delivery("Bob", world.hours(8, 10)), world.delivery("Alice", world.hours(11, 13))
    more = [world.delivery("Charlie", world.hours(14, 17), offset=0.001 * number) for number in (1, 2)]
    make_return(back, *more)
    world.put_in_plan(back)
    world.put_in_plan(alice)
    load(alice)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    services.complete(visit=remaining_visits(route.pk)[0], actor="driver:1")
    world.put_in_plan(more[0])
    with pytest.raises(Refused, match="full"):
        services.propose(delivery=more[1], place=more[1].place, window=more[1].window)


@pytest.mark.covers("P5")
def test_a_sick_driver_before_departure_puts_back_only_what_was_on_the_van() -> None:
    alice, bob, charlie = world.planned_day(vans=1)
    make_return(charlie)
    load(alice)
    services.mark_sick(shift=Route.objects.get().shift, actor="agent:1")
    assert dict(Delivery.objects.values_list("pk", "state")) == {
        alice.pk: "arrived",
        bob.pk: "planned",
        charlie.pk: "planned",
    }
    parcel = alice.parcels.get()
    assert (parcel.loaded_at, parcel.arrived_at is None) == (None, False)


@pytest.mark.covers("O2")
def test_the_next_try_is_asked_of_the_depot_that_has_the_goods() -> None:
    world.shift("van-1")
    far = Depot.objects.create(
        code="balzers", name="Balzers", street="x", town="Balzers", latitude=47.07, longitude=9.50
    )
    van = Vehicle.objects.create(
        depot=far,
        code="far-1",
        kind="diesel_van",
        profile="car",
        capacity_grams=800_000,
        capacity_cubic_centimetres=8_000_000,
        capacity_pieces=100,
    )
    day = world.hours(8, 18)
    driver = Driver.objects.create(name="Zita")
    Shift.objects.create(driver=driver, vehicle=van, day=world.TODAY, starts_at=day.earliest, ends_at=day.latest)
    bob = world.delivery("Bob")
    plan = services.ensure_plan(depot=far, day=world.TODAY)
    visit = Visit.objects.create(plan=plan, place=bob.place, service_seconds=60)
    Drop.objects.create(visit=visit, delivery=bob)
    services.build_day(depot=far, day=world.TODAY)
    load(bob)
    visit.refresh_from_db()
    services.depart(route=visit.route, actor="driver:1")
    services.fail(visit=visit, reason="consignee_not_home", actor="driver:1")
    bob.refresh_from_db()
    assert services.subject_of(bob).depot == far


@pytest.mark.covers("O11")
def test_a_van_that_goes_out_again_is_watched_again_and_a_sick_driver_does_not() -> None:
    (alice,) = world.planned_day(("Alice",), vans=1)
    load(alice)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    services.fail(visit=remaining_visits(route.pk)[0], reason="consignee_not_home", actor="driver:1")
    Reaction.objects.all().delete()
    alice.refresh_from_db()
    failed = services.failed_today(alice.pk)
    services.bring_on(delivery=alice, failed=failed, place=alice.place, window=world.hours(9, 18), write=lambda: alice)
    waiting = " ".join(Reaction.objects.values_list("handler", flat=True))
    assert "roll_on" in waiting
    assert "watch_day_of" in waiting
    services.fail(visit=remaining_visits(route.pk)[0], reason="consignee_not_home", actor="driver:1")
    Shift.objects.update(sick_at=world.MORNING)
    assert services.failed_today(alice.pk) is None
