"""What the roster and the orders say reaches the plan: returns, needs, barred zones, breaks, range, a second wave."""

from datetime import date, timedelta

import pytest

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.models import Delivery, Parcel
from apps.fleet.models import Shift, Vehicle
from apps.routing import services
from apps.routing.models import Route, Visit
from apps.routing.planner.check import violations
from apps.routing.selectors import breaks_ahead, remaining_visits, van_of
from apps.routing.services.write_routes import claim, write
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db
LUNCH = {"earliest": 41_400, "latest": 48_600, "seconds": 1_800}


def build() -> None:
    services.build_day(depot=world.depot(), day=world.TODAY)


def load(*deliveries: Delivery) -> None:
    for parcel in Parcel.objects.filter(delivery__in=deliveries):
        services.load(barcode=parcel.barcode, vehicle=van_of(parcel.delivery_id)[1].code, actor="clerk:1")


@pytest.mark.covers("O19")
def test_a_return_is_collected_on_the_way_and_comes_back_with_the_van() -> None:
    world.shift("van-1")
    alice, bob = world.delivery("Alice"), world.delivery("Bob")
    Delivery.objects.filter(pk=bob.pk).update(kind=Delivery.Kind.RETURN)
    build()
    load(alice)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    # Nothing of it was scanned this morning, and it is still on the round.
    assert [visit.drops.get().delivery_id for visit in remaining_visits(route.pk)] in (
        [alice.pk, bob.pk],
        [bob.pk, alice.pk],
    )
    for visit in remaining_visits(route.pk):
        services.arrive(visit=visit, actor="driver:1")
        services.complete(visit=visit, actor="driver:1")
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {alice.pk: "delivered", bob.pk: "returning"}


@pytest.mark.covers("O19")
def test_what_was_collected_takes_room_until_the_van_is_back() -> None:
    world.shift("van-1")
    Vehicle.objects.update(capacity_pieces=1)
    alice, bob, charlie = world.delivery("Alice"), world.delivery("Bob"), world.delivery("Charlie")
    Delivery.objects.filter(pk__in=[bob.pk, charlie.pk]).update(kind=Delivery.Kind.RETURN)
    build()
    # One piece fits: out with Alice's, home with one return; the other has no room.
    assert Visit.objects.get(route=None).unserved_reason == "capacity"
    assert (
        violations(
            take(depot=world.depot(), day=world.TODAY).problem, take(depot=world.depot(), day=world.TODAY).standing
        )
        == []
    )
    assert van_of(alice.pk) is not None


@pytest.mark.covers("O1", "O14", "G14")
def test_needs_bars_and_priorities_decide_who_goes_where() -> None:
    diesel, electric = world.shift("van-1").vehicle, world.shift("van-2", kind="electric_van").vehicle
    Vehicle.objects.filter(pk=diesel.pk).update(barred_postcodes="9490", skills=["two_person"])
    Vehicle.objects.filter(pk=electric.pk).update(skills=["cold"], max_stops=1)
    alice, bob, heavy = world.delivery("Alice"), world.delivery("Alice", offset=0.001), world.delivery("Bob")
    Delivery.objects.filter(pk=bob.pk).update(priority=9)
    Delivery.objects.filter(pk=heavy.pk).update(needs=["two_person"])
    build()
    assert van_of(heavy.pk)[1] == diesel
    # Vaduz is closed to the diesel van and the other one may make one stop: the one that must not be left out.
    assert (van_of(bob.pk)[1], van_of(alice.pk)) == (electric, None)
    assert Visit.objects.get(drops__delivery=alice).unserved_reason in ("zone", "max_stops")


@pytest.mark.covers("O3")
def test_the_noon_break_stands_in_the_plan_and_moves_what_comes_after_it() -> None:
    world.shift("van-1")
    Shift.objects.update(breaks=[LUNCH])
    early, late = world.delivery("Alice", world.hours(10, 11)), world.delivery("Bob", world.hours(12, 14))
    build()
    route = Route.objects.get()
    (rest,) = breaks_ahead(route)
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []
    load(early, late)
    services.depart(route=route, actor="driver:1")
    first, second = remaining_visits(route.pk)
    with clock.frozen(world.hours(10, 11).earliest):
        services.complete(visit=first, actor="driver:1")
    second.refresh_from_db()
    route.refresh_from_db()
    if rest.before == second.pk:
        assert second.planned_arrival >= rest.earliest + timedelta(seconds=rest.seconds)
    with clock.frozen(world.hours(13, 14).earliest):
        services.arrive(visit=second, actor="driver:1")
    route.refresh_from_db()
    assert [one.before for one in breaks_ahead(route)] in ([], [None])


@pytest.mark.covers("O3")
def test_a_break_that_is_due_is_not_forgotten_by_the_next_look_at_the_clock() -> None:
    world.shift("van-1")
    Shift.objects.update(breaks=[{"earliest": 40_800, "latest": 41_400, "seconds": 1_800}])
    deliveries = world.delivery("Alice", world.hours(10, 12)), world.delivery("Bob", world.hours(11.5, 15))
    build()
    snapshot, van = take(depot=world.depot(), day=world.TODAY), str(Shift.objects.get().pk)
    bare = snapshot.timetable.tables[van].route.replace(breaks=(1,))
    write(snapshot, snapshot.timetable.with_route(bare), claim(snapshot, [van]))
    load(*deliveries)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    first, second = remaining_visits(route.pk)
    with clock.frozen(world.hours(11.3, 12).earliest):
        services.complete(visit=first, actor="driver:1")
    for hour in (11.35, 11.4, 11.45):
        with clock.frozen(world.hours(hour, 12).earliest):
            services.roll_forward(route_id=route.pk)
        second.refresh_from_db()
        route.refresh_from_db()
        assert second.planned_arrival >= world.hours(11.33 + 0.5, 13).earliest, hour
        assert [one.before for one in breaks_ahead(route)] == [second.pk]
    with clock.frozen(world.hours(12, 13).earliest):
        services.arrive(visit=second, actor="driver:1")
    route.refresh_from_db()
    # Nothing is ahead any more, and the drive is known to have been interrupted.
    assert (breaks_ahead(route), [row["before"] for row in route.breaks]) == ([], [second.pk])


@pytest.mark.covers("O1")
def test_a_carrier_that_is_late_says_so() -> None:
    world.shift("carrier-1", kind="carrier")
    Vehicle.objects.update(cost_per_stop=1_450)
    deliveries = world.delivery("Alice", world.hours(9, 11)), world.delivery("Bob", world.hours(12, 14))
    build()
    load(*deliveries)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    now = world.hours(16, 17).earliest
    with clock.frozen(now):
        services.roll_forward(route_id=route.pk)
        assert services.watch_day(plan=route.plan) == 1
    assert all(visit.planned_arrival >= now for visit in remaining_visits(route.pk))


@pytest.mark.covers("O13", "G14")
def test_a_van_under_way_has_only_the_range_it_has_left() -> None:
    world.planned_day(("Alice", "Bob"), vans=1)
    Vehicle.objects.update(range_metres=60_000)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    whole = take(depot=world.depot(), day=world.TODAY).problem.vehicles[0]
    services.complete(visit=remaining_visits(route.pk)[0], actor="driver:1")
    left = take(depot=world.depot(), day=world.TODAY).problem.vehicles[0]
    assert (whole.range_metres, whole.range_left_metres) == (60_000, 60_000)
    assert 0 < left.range_left_metres < 60_000
    Vehicle.objects.update(range_metres=100)
    build()
    far = world.delivery("Charlie")
    with pytest.raises(Refused) as refused:
        services.propose(delivery=far, place=far.place, window=far.window)
    assert refused.value.code in ("range", "left_depot")


@pytest.mark.covers("O2")
def test_a_second_wave_is_planned_loaded_when_the_van_is_back_and_goes_out_with_it() -> None:
    world.shift("van-1")
    Vehicle.objects.update(reload_seconds=900, capacity_pieces=1)
    alice, bob = world.delivery("Alice", world.hours(9, 11)), world.delivery("Bob", world.hours(12, 16))
    build()
    reload = Visit.objects.get(kind=Visit.Kind.RELOAD)
    again = take(depot=world.depot(), day=world.TODAY)
    assert violations(again.problem, again.standing) == []

    route = Route.objects.get()
    load(alice)
    services.depart(route=route, actor="driver:1")
    states = dict(Delivery.objects.values_list("pk", "state"))
    # Bob's lies at the depot still, and yet the van that has left will bring it.
    assert (states[alice.pk], states[bob.pk]) == ("out", "planned")
    assert van_of(bob.pk)[1].code == "van-1"
    with pytest.raises(Refused):
        load(bob)
    services.complete(visit=remaining_visits(route.pk)[0], actor="driver:1")
    services.arrive(visit=reload, actor="driver:1")
    load(bob)
    services.complete(visit=reload, actor="driver:1")
    bob.refresh_from_db()
    assert bob.state == "out"
    services.complete(visit=remaining_visits(route.pk)[0], actor="driver:1")
    bob.refresh_from_db()
    assert bob.state == "delivered"


@pytest.mark.covers("O2", "O5")
def test_an_urgent_order_is_fetched_by_the_van_that_has_left() -> None:
    world.shift("van-1")
    Vehicle.objects.update(reload_seconds=900)
    alice = world.delivery("Alice", world.hours(9, 11))
    build()
    load(alice)
    services.depart(route=Route.objects.get(), actor="driver:1")
    bob = world.delivery("Bob", world.hours(12, 16))
    services.change_in_plan(delivery=bob, place=bob.place, window=bob.window, write=lambda: bob)
    kinds = [visit.kind for visit in remaining_visits(Route.objects.get().pk)]
    assert kinds == ["stop", "reload", "stop"]
    after = take(depot=world.depot(), day=world.TODAY)
    assert violations(after.problem, after.standing) == []
    # Whoever builds the day meanwhile (what came in late) lets the call stand.
    build()
    assert Visit.objects.filter(kind=Visit.Kind.RELOAD).count() == 1


@pytest.mark.covers("O1")
def test_a_carrier_takes_what_own_vans_cannot_and_its_customers_see_the_agreed_window() -> None:
    van = world.shift("van-1").vehicle
    carrier = world.shift("carrier-1", kind="carrier").vehicle
    Vehicle.objects.filter(pk=van.pk).update(barred_postcodes="9495", cost_per_kilometre=60)
    Vehicle.objects.filter(pk=carrier.pk).update(cost_per_stop=1_450)
    bob, charlie = world.delivery("Bob"), world.delivery("Charlie", world.hours(10, 12))
    build()
    assert (van_of(bob.pk)[1], van_of(charlie.pk)[1]) == (van, carrier)
    visit = Visit.objects.get(drops__delivery=charlie)
    window = world.hours(10, 12)
    assert window.earliest <= visit.eta_earliest < visit.eta_latest <= window.latest


@pytest.mark.covers("O3")
def test_a_break_stands_by_the_drivers_clock_on_the_day_it_changes() -> None:
    """On 29 March the clock in Vaduz goes from two to three: noon is eleven hours after midnight."""
    sunday = date(2026, 3, 29)
    shift = world.shift("van-1", day=sunday)
    Shift.objects.filter(pk=shift.pk).update(breaks=[{"earliest": 43_200, "latest": 46_800, "seconds": 1800}])
    (rest,) = take(depot=world.depot(), day=sunday).problem.vehicles[0].breaks
    assert (rest.earliest, rest.latest, rest.seconds) == (39_600, 43_200, 1800)
