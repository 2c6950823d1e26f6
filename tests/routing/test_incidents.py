"""What goes otherwise than planned, and what the plan does about it by itself: one scenario per trigger."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput, Terms
from apps.deliveries.models import Delivery, Parcel
from apps.events.models import Event, Reaction
from apps.redirection.services import move_to_point, store_at_point
from apps.rescheduling.services import create_delivery
from apps.routing import services
from apps.routing.handlers import fill_day, watch_day_of
from apps.routing.models import Incident, Route, Visit
from apps.routing.selectors import remaining_visits, van_of
from apps.routing.snapshot import take
from tests import world
from tests.redirection.points import point, schaan

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O11")]


def load_all() -> None:
    for parcel in Parcel.objects.filter(delivery__drops__is_open=True):
        van = van_of(parcel.delivery_id)
        if van is not None:
            services.load(barcode=parcel.barcode, vehicle=van[1].code, actor="clerk:1")


def van_code(delivery: Delivery) -> str | None:
    found = van_of(delivery.pk)
    return found[1].code if found else None


def replans_asked() -> list[str]:
    waiting = Reaction.objects.filter(handler__endswith=".replan", state="waiting")
    return [reaction.payload["reason"] for reaction in waiting]


@pytest.fixture
def one_van_out() -> Route:
    """Three deliveries on one published van that has left."""
    world.planned_day(vans=1)
    services.publish(plan=Route.objects.get().plan)
    load_all()
    services.depart(route=Route.objects.get(), actor="driver:1")
    Reaction.objects.filter(handler__endswith=".replan").delete()
    return Route.objects.get()


@pytest.mark.covers("P5")
def test_a_sick_driver_hands_the_stops_to_another_van() -> None:
    alice, bob, charlie = world.planned_day(vans=1)
    load_all()
    route = Route.objects.get()
    world.shift("van-2")
    services.mark_sick(shift=route.shift, actor="agent:1")
    fill_day({"plan": route.plan_id})
    assert [van_code(one) for one in (alice, bob, charlie)] == ["van-2"] * 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {"arrived"}
    # The clerk scans them onto the other van; the sick driver's takes nothing any more.
    services.load(barcode=alice.parcels.get().barcode, vehicle="van-2", actor="clerk:1")
    with pytest.raises(Refused, match="off the road"):
        services.depart(route=route, actor="driver:1")
    incident = Incident.objects.get()
    assert (incident.kind, incident.figures["stops"]) == ("sick_driver", 3)


def test_a_sick_driver_without_another_van_leaves_stops_listed_and_told() -> None:
    alice, *_ = world.planned_day(vans=1)
    route = Route.objects.get()
    services.publish(plan=route.plan)
    services.mark_sick(shift=route.shift, actor="agent:1")
    fill_day({"plan": route.plan_id})
    assert {visit.unserved_reason for visit in Visit.objects.filter(route=None)} == {"no_vehicle"}
    assert Event.objects.filter(kind="routing.stop_unserved", delivery_id=alice.pk).exists()


def test_a_breakdown_tells_whom_it_strands_and_gives_away_what_lies_at_the_depot(one_van_out: Route) -> None:
    first = remaining_visits(one_van_out.pk)[0]
    services.arrive(visit=first, actor="driver:1")
    services.complete(visit=first, actor="driver:1")
    late_order = world.put_in_plan(world.delivery("Bob", world.hours(13, 17), offset=0.001)) if _second_van() else None
    stranded = [visit.drops.get().delivery for visit in remaining_visits(one_van_out.pk)]
    assert services.break_down(shift=one_van_out.shift, actor="agent:1") == 2
    fill_day({"plan": one_van_out.plan_id})
    for delivery in stranded:
        delivery.refresh_from_db()
        assert delivery.state == "failed"
    assert late_order is not None
    assert van_code(late_order) == "van-2"
    incident = Incident.objects.get(kind="breakdown")
    assert incident.figures["on_board"] == sorted(delivery.pk for delivery in stranded)
    told = Event.objects.filter(kind="delivery.state_changed", payload__reason="carrier_vehicle_issue")
    assert set(told.values_list("delivery_id", flat=True)) == {delivery.pk for delivery in stranded}
    with pytest.raises(Refused):
        services.break_down(shift=one_van_out.shift, actor="agent:1")


def _second_van() -> bool:
    return bool(world.shift("van-2"))


def test_a_failed_stop_lets_the_planner_look_at_the_rest(one_van_out: Route) -> None:
    first = remaining_visits(one_van_out.pk)[0]
    services.arrive(visit=first, actor="driver:1")
    services.fail(visit=first, reason="consignee_not_home", actor="driver:1")
    services.fail(visit=first, reason="consignee_not_home", actor="driver:1")
    assert list(Incident.objects.values_list("kind", "visit")) == [("failed_stop", first.pk)]
    assert replans_asked() == ["failed_stop"]


def test_a_van_that_stands_too_long_is_noticed_once(one_van_out: Route) -> None:
    first = remaining_visits(one_van_out.pk)[0]
    services.arrive(visit=first, actor="driver:1")
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        watch_day_of({"plan": one_van_out.plan_id})
    assert not Incident.objects.exists()
    for minutes in (20, 24):
        with clock.frozen(clock.now() + timedelta(minutes=minutes)):
            watch_day_of({"plan": one_van_out.plan_id})
    assert list(Incident.objects.filter(kind="long_stop").values_list("visit", flat=True)) == [first.pk]
    assert replans_asked() == ["long_stop"]
    assert Reaction.objects.filter(handler__endswith=".watch_day_of", state="waiting").count() == 1


def test_a_van_that_came_early_and_waits_for_the_window_stands_for_a_reason() -> None:
    world.shift("van-1")
    world.put_in_plan(world.delivery("Alice", world.hours(12, 14)))
    route = Route.objects.get()
    load_all()
    services.depart(route=route, actor="driver:1")
    services.arrive(visit=remaining_visits(route.pk)[0], actor="driver:1")
    with clock.frozen(world.hours(11.9, 12).earliest):
        watch_day_of({"plan": route.plan_id})
    assert not Incident.objects.filter(kind="long_stop").exists()
    with clock.frozen(world.hours(12.3, 13).earliest):
        watch_day_of({"plan": route.plan_id})
    assert Incident.objects.filter(kind="long_stop").exists()


def test_a_van_that_runs_late_is_noticed_again_when_it_is_much_later() -> None:
    delivery = world.put_in_plan(world.delivery("Bob", world.hours(8, 9)) if world.shift("van-1") else None)
    route = Route.objects.get()
    load_all()
    services.depart(route=route, actor="driver:1")
    ends = delivery.window_latest
    for minutes, incidents in ((5, 0), (20, 1), (30, 1), (60, 2)):
        with clock.frozen(ends + timedelta(minutes=minutes)):
            watch_day_of({"plan": route.plan_id})
        assert Incident.objects.filter(kind="late_van").count() == incidents, minutes


def test_an_urgent_order_for_today_is_looked_at_across_vans() -> None:
    world.planned_day(vans=2)
    for priority in (5, 9):
        create_delivery(
            merchant=world.merchant(),
            reference=f"U-{priority}",
            recipient=ContactInput("Ute Urgent", "+4237910000"),
            buyer=None,
            place=PlaceInput("Landstrasse", "9490", "Vaduz", 47.1412, 9.5216, house_number="14"),
            window=world.hours(10, 14),
            parcels=[ParcelInput(500, 200, 100, 50)],
            terms=Terms(priority=priority),
            actor="merchant:1",
        )
    assert Incident.objects.get().kind == "urgent"


def test_a_closed_road_is_driven_around_and_what_lies_inside_is_not_reached() -> None:
    alice, _bob, charlie = world.planned_day(vans=1)
    depot, day = world.depot(), world.TODAY
    # Between Vaduz and Triesen: the way to Charlie leads through, the way to Alice does not.
    between = (47.1245, 9.5243)
    free = take(depot=depot, day=day).problem
    closure = services.close_road(
        depot=depot, name="Flood", point=between, radius_metres=400, begins=clock.now(), ends=world.hours(0, 20).latest
    )
    closed = take(depot=depot, day=day).problem
    at = {stop.id: stop.location for stop in closed.stops}
    start = closed.vehicles[0].start
    to = {one.pk: at[f"v{Visit.objects.get(drops__delivery=one).pk}"] for one in (alice, charlie)}
    assert closed.seconds("car", start, to[charlie.pk]) > free.seconds("car", start, to[charlie.pk])
    assert closed.seconds("car", start, to[alice.pk]) == free.seconds("car", start, to[alice.pk])
    assert Incident.objects.get().kind == "road_closed"
    services.open_road(closure=closure)
    assert take(depot=depot, day=day).problem.seconds("car", start, to[charlie.pk]) == free.seconds(
        "car", start, to[charlie.pk]
    )
    services.close_road(
        depot=depot,
        name="Fire",
        point=alice.place.point,
        radius_metres=150,
        begins=clock.now(),
        ends=world.hours(0, 20).latest,
    )
    assert van_of(alice.pk) is None
    assert take(depot=depot, day=day).problem.stop[f"v{Visit.objects.get(drops__delivery=alice).pk}"].windows == ()


@pytest.mark.parametrize("has_other", [True, False])
def test_a_full_point_sends_the_van_on_to_the_next_one_or_the_parcel_back(drain, has_other: bool) -> None:
    world.shift()
    full = point(opening_hours="Mo-Fr 07:00-19:00")
    other = schaan(opening_hours="Mo-Fr 07:00-19:00") if has_other else None
    bob = world.put_in_plan(world.delivery("Bob"))
    moved = move_to_point(delivery=bob, point=full, revision=bob.revision, actor="agent:1", day=world.TODAY)
    route = Route.objects.get()
    load_all()
    services.depart(route=route, actor="driver:1")
    visit = remaining_visits(route.pk)[0]
    services.arrive(visit=visit, actor="driver:1")
    services.fail(visit=visit, reason="carrier_capacity_exceeded", actor="driver:1")
    drain()
    moved.refresh_from_db()
    incident = Incident.objects.get(kind="point_full")
    assert incident.figures == {"delivery": moved.pk, "brought_on": has_other}
    if other is None:
        assert moved.state == "failed"
        return
    assert (moved.state, moved.place.name, van_code(moved)) == ("out", other.name, "van-1")
    following = remaining_visits(route.pk)[0]
    done = services.complete(visit=following, actor="driver:1")
    assert store_at_point(delivery_ids=done, actor="driver:1") == [moved.pk]
