"""A closed road: nobody is promised a place inside, whom nobody reaches is told, and the rest of the day goes on."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.models import Delivery, Parcel
from apps.events.models import Event
from apps.routing import services
from apps.routing.handlers import fill_day
from apps.routing.models import Closure, Incident, Route, Visit
from apps.routing.planner.check import Code, violations
from apps.routing.planner.travel import UNREACHABLE
from apps.routing.selectors import remaining_visits, van_of
from apps.routing.services import change_plan
from apps.routing.services.roll_forward import roll_forward
from apps.routing.snapshot import take
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O11")]


def load(*deliveries: Delivery) -> None:
    for parcel in Parcel.objects.filter(delivery__in=deliveries):
        services.load(barcode=parcel.barcode, vehicle=van_of(parcel.delivery_id)[1].code, actor="clerk:1")


def close(point: tuple[float, float], start: float = 0, end: float = 20) -> Closure:
    hours = world.hours(start, end)
    return services.close_road(
        depot=world.depot(),
        name="Fire",
        point=point,
        radius_metres=150,
        begins=max(clock.now(), hours.earliest),
        ends=hours.latest,
    )


def test_a_stop_on_board_inside_is_not_delivered_and_the_others_keep_their_times() -> None:
    deliveries = world.planned_day(vans=1)
    load(*deliveries)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    first, cut_off, last = remaining_visits(route.pk)
    shown = last.eta_latest
    close(cut_off.place.point)
    roll_forward(route_id=route.pk)
    last.refresh_from_db()
    assert last.eta_latest <= shown + timedelta(minutes=20)
    away = cut_off.drops.get().delivery
    assert (away.state, services.failed_today(away.pk)) == ("failed", cut_off)
    reasons = Event.objects.filter(delivery_id=away.pk, kind="delivery.state_changed", payload__to="failed")
    assert reasons.get().payload["reason"] == "carrier_road_closed"
    services.improve_plan(plan_id=route.plan_id, reason="road_closed")
    for visit in (first, last):
        services.arrive(visit=visit, actor="driver:1")
        services.complete(visit=visit, actor="driver:1")
    route.refresh_from_db()
    assert route.finished_at is not None


def test_what_lies_at_the_depot_goes_by_bicycle_and_comes_back_to_the_van_when_the_road_opens() -> None:
    alice, bob, _charlie = world.planned_day(vans=1)
    plan = Route.objects.get().plan
    services.publish(plan=plan)
    closure = close(alice.place.point)
    fill_day({"plan": plan.pk})
    assert van_of(alice.pk) is None
    assert van_of(bob.pk)[1].code == "van-1"
    assert Event.objects.filter(kind="routing.stop_unserved", delivery_id=alice.pk).count() == 1
    with pytest.raises(Refused, match="closed"):
        services.propose(delivery=alice, place=alice.place, window=alice.window)
    bike = world.shift("bike-1", kind="cargo_bike")
    fill_day({"plan": plan.pk})
    assert van_of(alice.pk)[1].code == "bike-1"
    assert violations((now := take(depot=world.depot(), day=world.TODAY)).problem, now.standing) == []
    services.mark_sick(shift=bike, actor="agent:1")
    services.open_road(closure=closure)
    fill_day({"plan": plan.pk})
    assert van_of(alice.pk)[1].code == "van-1"


def test_a_road_counts_for_its_hours_only() -> None:
    alice, *_ = world.planned_day(vans=1)
    close(alice.place.point, 17, 18)
    neighbour = world.delivery("Alice", world.hours(9, 12))
    assert services.propose(delivery=neighbour, place=neighbour.place, window=neighbour.window)
    with pytest.raises(Refused, match="closed"):
        services.propose(delivery=neighbour, place=neighbour.place, window=world.hours(17, 17.9))
    assert van_of(alice.pk) is not None


def test_a_stop_that_opens_again_is_driven_to_last() -> None:
    deliveries = world.planned_day(vans=1)
    load(*deliveries)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    first, second, _third = remaining_visits(route.pk)
    close(second.place.point, 0, 12)
    roll_forward(route_id=route.pk)
    *_, last = remaining_visits(route.pk)
    assert last == second
    assert last.planned_arrival >= world.hours(12, 13).earliest
    assert remaining_visits(route.pk)[0] == first


def test_a_place_no_matrix_knows_gets_no_yes_inside_and_a_later_time_behind(monkeypatch) -> None:
    world.planned_day(("Bob",), vans=1)
    # As on roads, where new places are asked for one by one.
    monkeypatch.setattr(change_plan, "take", lambda places=(), **which: take(**which))
    alice, charlie = world.delivery("Alice"), world.delivery("Charlie")
    free = services.propose(delivery=charlie, place=charlie.place, window=charlie.window).arrival
    close(alice.place.point)
    with pytest.raises(Refused, match="closed"):
        services.propose(delivery=alice, place=alice.place, window=alice.window)
    services.close_road(
        depot=world.depot(),
        name="Flood",
        point=(47.1245, 9.5243),
        radius_metres=400,
        begins=clock.now(),
        ends=world.hours(0, 20).latest,
    )
    assert services.propose(delivery=charlie, place=charlie.place, window=charlie.window).arrival > free


def test_a_row_with_an_absurd_time_does_not_take_the_depot_day_with_it() -> None:
    world.planned_day(vans=1)
    absurd = clock.now() + timedelta(days=1200)
    Visit.objects.update(eta_latest=absurd, planned_arrival=absurd)
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    services.arrive(visit=remaining_visits(route.pk)[0], actor="driver:1")
    assert all(visit.eta_latest < world.hours(0, 24).latest for visit in remaining_visits(route.pk))
    assert not Incident.objects.exists()


def test_a_stop_that_no_road_leads_to_any_more_may_stay_but_no_new_one_may_come() -> None:
    world.planned_day(vans=1)
    now = take(depot=world.depot(), day=world.TODAY)
    cut_off = now.problem.stop[now.standing.routes[0].stops[1]].location
    travel = now.problem.travel["car"]
    seconds = travel.seconds.copy()
    seconds[cut_off, :] = seconds[:, cut_off] = UNREACHABLE
    seconds[cut_off, cut_off] = 0
    problem = now.problem.replace(travel={"car": type(travel)(seconds, travel.metres, travel.exact)})
    assert violations(problem, now.standing, standing=now.standing) == []
    assert Code.UNREACHABLE in {one.code for one in violations(problem, now.standing)}
