"""A day on the road: loaded, left, at the door, handed over or not, and what everybody's page then says."""

from datetime import timedelta

import pytest

from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Delivery, Parcel
from apps.deliveries.states import State
from apps.events.models import Event
from apps.fleet.services import Fix, record_positions
from apps.rescheduling.services import change_window
from apps.routing import services
from apps.routing.models import Drop, Route, Visit
from apps.routing.selectors import eta_of, remaining_visits, stops_away, van_of
from tests import world

pytestmark = pytest.mark.django_db


def load_all() -> None:
    for parcel in Parcel.objects.filter(delivery__drops__is_open=True):
        van = van_of(parcel.delivery_id)
        if van is not None:
            services.load(barcode=parcel.barcode, vehicle=van[1].code, actor="clerk:1")


@pytest.fixture
def day():
    """Three deliveries on one van that has left, in driving order."""
    world.planned_day(vans=1)
    load_all()
    services.depart(route=Route.objects.get(), actor="driver:1")
    return [visit.drops.get().delivery for visit in remaining_visits(Route.objects.get().pk)]


def state_of(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def test_the_load_scan_names_what_is_wrong_in_words():
    alice, *_ = world.planned_day(vans=2)
    barcode = alice.parcels.get().barcode
    _route, vehicle = van_of(alice.pk)
    other = "van-1" if vehicle.code == "van-2" else "van-2"
    with pytest.raises(NotFound):
        services.load(barcode="nothing", vehicle=vehicle.code, actor="clerk:1")
    with pytest.raises(Refused) as wrong:
        services.load(barcode=barcode, vehicle=other, actor="clerk:1")
    assert wrong.value.message == f"This parcel goes on {vehicle.code}."
    loaded = services.load(barcode=barcode, vehicle=vehicle.code, actor="clerk:1")
    assert (loaded.missing, loaded.again) == (0, False)
    assert services.load(barcode=barcode, vehicle=vehicle.code, actor="clerk:1").again
    assert state_of(alice) == State.LOADED
    tomorrow = world.delivery("Bob")
    with pytest.raises(Refused) as surplus:
        services.load(barcode=tomorrow.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    assert surplus.value.code == "not_today"


@pytest.mark.covers("O9")
def test_a_loaded_parcel_never_changes_vans():
    deliveries = world.planned_day(("Alice", "Bob", "Charlie", "Alice", "Bob"), vans=2)
    load_all()
    vans = {delivery.pk: van_of(delivery.pk)[0].pk for delivery in deliveries}
    for delivery in deliveries:
        delivery.refresh_from_db()
        change_window(delivery=delivery, window=world.hours(14, 16), revision=delivery.revision, actor="shopper")
        assert van_of(delivery.pk)[0].pk == vans[delivery.pk]


def test_departing_sends_everybody_out_and_tells_the_next(day):
    assert [state_of(delivery) for delivery in day] == ["out"] * 3
    assert [stops_away(delivery.pk) for delivery in day] == [0, 1, 2]
    assert list(Event.objects.filter(kind="routing.next_stop").values_list("delivery_id", flat=True)) == [day[0].pk]
    assert services.depart(route=Route.objects.get(), actor="driver:1") is False


def test_what_was_not_scanned_stays_behind_when_others_were():
    alice, bob, _ = world.planned_day(vans=1)
    for delivery in (alice,):
        services.load(barcode=delivery.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    services.depart(route=Route.objects.get(), actor="driver:1")
    assert state_of(alice) == State.OUT
    assert state_of(bob) == State.PLANNED
    left = Visit.objects.get(drops__delivery=bob)
    assert (left.route, left.unserved_reason) == (None, "left_depot")
    assert stops_away(bob.pk) is None


@pytest.mark.covers("T8")
def test_a_stop_done_brings_everybody_nearer(day, now):
    first = Visit.objects.get(drops__delivery=day[0])
    versions = {delivery.pk: Delivery.objects.get(pk=delivery.pk).page_version for delivery in day}
    now.set(first.planned_arrival)
    assert services.arrive(visit=first, actor="driver:1")
    assert not services.arrive(visit=first, actor="driver:1")
    now.advance(minutes=3)
    assert services.complete(visit=first, actor="driver:1") == [day[0].pk]
    assert services.complete(visit=first, actor="driver:1") == []
    assert state_of(day[0]) == State.DELIVERED
    assert [stops_away(delivery.pk) for delivery in day[1:]] == [0, 1]
    for delivery in day[1:]:
        assert Delivery.objects.get(pk=delivery.pk).page_version > versions[delivery.pk]
    told = list(Event.objects.filter(kind="routing.next_stop").values_list("delivery_id", flat=True))
    assert told == [day[0].pk, day[1].pk]


def test_a_failed_stop_keeps_its_reason_and_its_parcel_on_the_van(day, now):
    now.advance(minutes=10)
    visit = Visit.objects.get(drops__delivery=day[0])
    assert services.fail(visit=visit, reason="not_home", actor="driver:1") == [day[0].pk]
    assert state_of(day[0]) == State.FAILED
    event = Event.objects.filter(kind="delivery.state_changed", delivery_id=day[0].pk).latest("pk")
    assert event.payload["reason"] == "not_home"
    assert day[0].parcels.get().loaded_at is not None
    day[0].refresh_from_db()
    with pytest.raises(Refused) as today:
        change_window(delivery=day[0], window=world.hours(14, 16), revision=day[0].revision, actor="shopper")
    assert today.value.code == "on_the_way_back"


@pytest.mark.covers("R12")
def test_a_failed_delivery_is_booked_anew_for_another_day(day, now):
    tomorrow = world.TODAY + timedelta(days=1)
    world.shift("van-1", tomorrow)
    now.advance(minutes=10)
    services.fail(visit=Visit.objects.get(drops__delivery=day[0]), reason="not_home", actor="driver:1")
    day[0].refresh_from_db()
    changed = change_window(
        delivery=day[0], window=world.hours(10, 12, tomorrow), revision=day[0].revision, actor="shopper"
    )
    assert changed.state == State.PLANNED
    assert Drop.objects.get(delivery=day[0], is_open=True).visit.plan.day == tomorrow
    assert changed.attempts.filter(ended_at=None).count() == 1


def test_a_parcel_on_the_road_can_still_get_another_day(day, now):
    tomorrow = world.TODAY + timedelta(days=1)
    world.shift("van-1", tomorrow)
    last = day[2]
    last.refresh_from_db()
    changed = change_window(
        delivery=last, window=world.hours(10, 12, tomorrow), revision=last.revision, actor="shopper"
    )
    assert changed.state == State.PLANNED
    assert [stops_away(delivery.pk) for delivery in day[:2]] == [0, 1]
    with pytest.raises(Refused) as back:
        change_window(delivery=changed, window=world.hours(15, 17), revision=changed.revision, actor="shopper")
    assert back.value.code == "on_the_way_back"
    now.set(world.hours(7, 8, tomorrow).earliest)
    loaded = services.load(barcode=last.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    assert loaded.missing == 0
    assert state_of(last) == State.LOADED


@pytest.mark.covers("I9")
def test_the_next_stops_are_frozen_and_say_so(day):
    for delivery in day[:2]:
        delivery.refresh_from_db()
        with pytest.raises(Refused) as late:
            change_window(delivery=delivery, window=world.hours(15, 17), revision=delivery.revision, actor="shopper")
        assert late.value.code == "too_late"


def test_expected_times_follow_the_vans_position(day, now):
    route = Route.objects.get()
    before = {delivery.pk: eta_of(delivery.pk) for delivery in day}
    now.advance(minutes=30)
    depot = world.depot()
    record_positions(vehicle=route.shift.vehicle, fixes=[Fix(depot.latitude, depot.longitude, now.instant)])
    assert services.roll_forward(route_id=route.pk)
    for delivery in day:
        assert eta_of(delivery.pk).earliest > before[delivery.pk].earliest + timedelta(minutes=15)
        assert eta_of(delivery.pk).latest >= now.instant
    event = Event.objects.filter(kind="routing.eta_changed").latest("pk")
    assert set(event.payload["deliveries"]) == {delivery.pk for delivery in day}


def test_a_small_delay_disturbs_nobody(day, now):
    route = Route.objects.get()
    events = Event.objects.filter(kind="routing.eta_changed").count()
    versions = list(Delivery.objects.values_list("pk", "page_version"))
    now.advance(seconds=60)
    services.roll_forward(route_id=route.pk)
    assert Event.objects.filter(kind="routing.eta_changed").count() == events
    assert list(Delivery.objects.values_list("pk", "page_version")) == versions


def test_a_silent_van_gets_later_by_itself(day, now, drain):
    before = eta_of(day[2].pk)
    for _minute in range(20):
        now.advance(minutes=2)
        drain()
    assert eta_of(day[2].pk).latest > before.latest
    assert eta_of(day[0].pk).latest >= now.instant


def test_a_driver_who_goes_elsewhere_first_is_believed(day, now):
    now.advance(minutes=10)
    services.arrive(visit=Visit.objects.get(drops__delivery=day[2]), actor="driver:1")
    assert [stops_away(delivery.pk) for delivery in (day[2], day[0], day[1])] == [0, 1, 2]


def test_the_last_stop_finishes_the_route(day, now):
    for delivery in day:
        now.advance(minutes=10)
        services.complete(visit=Visit.objects.get(drops__delivery=delivery), actor="driver:1")
    assert Route.objects.get().finished_at == now.instant
    assert [state_of(delivery) for delivery in day] == ["delivered"] * 3


def test_in_the_evening_nobody_waits_any_longer_and_may_choose_another_day(day, now, drain):
    services.complete(visit=Visit.objects.get(drops__delivery=day[0]), actor="driver:1")
    told = Event.objects.filter(kind="routing.next_stop").count()
    now.set(now.at("23:45"))
    drain()
    tomorrow = world.TODAY + timedelta(days=1)
    assert [state_of(delivery) for delivery in day] == ["delivered", "arrived", "arrived"]
    assert Delivery.objects.get(pk=day[2].pk).window.earliest.date() == tomorrow, "tried again the next day"
    assert Event.objects.filter(kind="routing.next_stop").count() == told
    assert Route.objects.get().finished_at is not None
    world.shift("van-1", tomorrow)
    day[1].refresh_from_db()
    window = world.hours(10, 12, tomorrow)
    changed = change_window(delivery=day[1], window=window, revision=day[1].revision, actor="shopper")
    assert changed.window == window


def test_nothing_happens_on_a_van_at_the_depot():
    alice, *_ = world.planned_day(vans=1)
    with pytest.raises(Refused) as refused:
        services.arrive(visit=Visit.objects.get(drops__delivery=alice), actor="driver:1")
    assert refused.value.code == "not_departed"


def test_a_day_is_built_from_what_is_due_and_published_once():
    for number in range(12):
        world.delivery(["Alice", "Bob", "Charlie"][number % 3], offset=number * 0.0007)
    impossible = world.delivery("Alice", world.hours(20, 21))
    world.shift("van-1")
    world.shift("van-2")
    plan = services.build_day(depot=world.depot(), day=world.TODAY)
    assert plan.travel_source == "straight_line"
    assert Visit.objects.filter(route__isnull=False).count() == 12
    left = Visit.objects.get(route=None)
    assert left.drops.get().delivery == impossible
    assert left.unserved_reason in ("window", "others", "not_planned")
    assert Delivery.objects.filter(state="planned").count() == 12
    assert services.publish(plan=plan)
    assert not services.publish(plan=plan)
    late = world.delivery("Bob", offset=0.01)
    order = list(Visit.objects.filter(route__isnull=False).order_by("route", "sequence").values_list("pk", flat=True))
    services.build_day(depot=world.depot(), day=world.TODAY, seconds=5)
    assert Drop.objects.get(delivery=late).visit.route is not None
    after = list(Visit.objects.filter(route__isnull=False).order_by("route", "sequence").values_list("pk", flat=True))
    assert [pk for pk in after if pk in order] == order


def test_waiting_for_a_window_is_no_handing_over(now):
    """A van that stood at the door an hour before its time is not busy there for an hour more."""
    world.planned_day(("Alice", "Bob"), vans=1, window=world.hours(10, 12))
    load_all()
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    now.set(now.at("08:45"))
    first, second = remaining_visits(route.pk)
    services.arrive(visit=first, actor="driver:1")
    now.set(now.at("10:01"))
    services.roll_forward(route_id=route.pk)
    first.refresh_from_db()
    assert now.at("10:00") < first.planned_departure < now.at("10:10")
    assert eta_of(second.drops.get().delivery_id).earliest < now.at("10:20")
