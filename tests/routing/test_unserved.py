"""No window is broken silently: whoever no van brings that day loses the old times, is told once, and may choose."""

from datetime import timedelta

import pytest

from apps.deliveries.models import Delivery
from apps.deliveries.states import State
from apps.events.models import Event, Reaction
from apps.rescheduling.services import change_window
from apps.routing import services
from apps.routing.handlers import publish_day
from apps.routing.models import DayPlan, Drop, Replan, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.selectors import eta_of, visit_of
from tests import world

pytestmark = pytest.mark.django_db
TOMORROW = world.TODAY + timedelta(days=1)


def told(delivery: Delivery) -> list[str]:
    found = Event.objects.filter(kind="routing.stop_unserved", delivery_id=delivery.pk).order_by("pk")
    return [event.payload["reason"] for event in found]


def state_of(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def scan(delivery: Delivery, van: str = "van-1") -> None:
    services.load(barcode=delivery.parcels.get().barcode, vehicle=van, actor="clerk:1")


def test_a_draft_built_anew_keeps_whom_the_standing_plan_serves() -> None:
    alice, *_ = world.planned_day(vans=1)
    # Only by the standing plan, which is late for it already: a cold build would call it hopeless.
    early = world.hours(6, 7)
    Delivery.objects.filter(pk=alice.pk).update(window_earliest=early.earliest, window_latest=early.latest)
    services.build_day(depot=world.depot(), day=world.TODAY, seconds=1)
    assert visit_of(alice.pk).route is not None
    assert Replan.objects.get().outcome == "kept"


def test_who_stays_behind_at_departure_is_told() -> None:
    alice, bob, _charlie = world.planned_day(vans=1)
    scan(alice)
    services.depart(route=Route.objects.get(), actor="driver:1")
    assert told(alice) == []
    assert told(bob) == ["left_depot"]
    assert eta_of(bob.pk) is None


def test_on_the_day_whom_no_van_brings_is_told_once_and_shows_no_old_time(now) -> None:
    world.shift("van-1")
    hopeless = world.put_in_plan(world.delivery("Alice"))
    plan = DayPlan.objects.get()
    late = world.hours(20, 21)
    Delivery.objects.filter(pk=hopeless.pk).update(window_earliest=late.earliest, window_latest=late.latest)
    version = Delivery.objects.get(pk=hopeless.pk).page_version
    services.build_day(depot=world.depot(), day=world.TODAY)
    Visit.objects.filter(drops__delivery=hopeless).update(route=None, unserved_reason=Reason.WINDOW.value)
    services.publish(plan=plan)
    for _again in range(2):
        services.build_day(depot=world.depot(), day=world.TODAY)
    assert len(told(hopeless)) == 1
    visit = visit_of(hopeless.pk)
    assert (visit.route, visit.eta_earliest, visit.planned_arrival) == (None, None, None)
    assert Delivery.objects.get(pk=hopeless.pk).page_version > version


def test_publishing_waits_for_no_matrix(now) -> None:
    world.shift("van-1")
    world.put_in_plan(world.delivery("Alice"))
    publish_day({"plan": DayPlan.objects.get().pk})
    assert DayPlan.objects.get().stage == DayPlan.Stage.PUBLISHED
    assert Reaction.objects.get(handler__endswith="fill_day").lane == "planner"


def test_a_van_that_never_left_lets_its_customers_choose_another_day(now, drain) -> None:
    alice, bob, charlie = world.planned_day(vans=1)
    services.publish(plan=DayPlan.objects.get())
    scan(alice)
    Visit.objects.filter(drops__delivery=charlie).update(route=None)
    now.set(now.at("19:10"))
    drain()
    assert (state_of(alice), state_of(bob)) == (State.ARRIVED, State.PLANNED)
    for delivery in (alice, bob, charlie):
        assert len(told(delivery)) == 1
        assert not Drop.objects.filter(delivery=delivery, is_open=True).exists()
    world.shift("van-1", TOMORROW)
    bob.refresh_from_db()
    window = world.hours(10, 12, TOMORROW)
    assert change_window(delivery=bob, window=window, revision=bob.revision, actor="shopper").window == window


def test_the_agreed_window_again_is_asked_of_the_plan_when_no_van_brings_it() -> None:
    alice, *_ = world.planned_day(vans=2)
    Visit.objects.filter(drops__delivery=alice).update(route=None)
    change_window(delivery=alice, window=alice.window, revision=alice.revision, actor="agent:1")
    assert visit_of(alice.pk).route is not None


def test_a_van_out_long_after_its_shift_is_closed_and_writes_nothing_more(now, drain) -> None:
    deliveries = world.planned_day(vans=1)
    for delivery in deliveries:
        scan(delivery)
    services.depart(route=Route.objects.get(), actor="driver:1")
    for hour in (13, 18, 20):
        now.set(now.at(f"{hour}:30"))
        drain()
    for delivery in deliveries:
        delivery.refresh_from_db()
        assert (delivery.state, delivery.window.earliest.date()) == ("arrived", TOMORROW), "tried again the next day"
        assert delivery.attempts.get(ended_at=None)
    count = Event.objects.filter(kind="routing.eta_changed").count()
    now.set(now.at("23:45"))
    drain()
    assert Event.objects.filter(kind="routing.eta_changed").count() == count


@pytest.mark.parametrize(("day", "hour"), [("2026-03-29", 4), ("2026-10-25", 5)])
def test_the_plan_counts_at_six_by_the_depots_clock_when_the_clocks_change(day: str, hour: int, now) -> None:
    from datetime import date

    depot = world.depot()
    services.ensure_plan(depot=depot, day=date.fromisoformat(day))
    assert Reaction.objects.get(handler__endswith="publish_day").due_at.hour == hour
