"""The main job: a shopper chooses another time, and the answer is true."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.core.errors import NotAllowed, Refused, Stale
from apps.deliveries.models import Delivery
from apps.deliveries.services import open_promise
from apps.events.models import Event
from apps.rescheduling.services import cancel_delivery, change_window, hold_window, offer_windows
from apps.routing.models import DayPlan, Drop, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.snapshot import take
from tests import world
from tests.redirection.points import verified

pytestmark = pytest.mark.django_db
TOMORROW = date(2026, 3, 11)


def plan_holds(day: date = world.TODAY) -> None:
    snapshot = take(depot=world.depot(), day=day)
    assert violations(snapshot.problem, snapshot.standing) == []


@pytest.mark.covers("R1")
def test_offers_are_what_the_plan_can_hold_today_and_on_days_with_a_roster():
    alice, *_ = world.planned_day()
    world.shift("van-1", TOMORROW)
    offers = offer_windows(delivery=alice)
    assert {offer.day for offer in offers} == {world.TODAY, TOMORROW}
    assert all(offer.window.width == timedelta(hours=2) for offer in offers)
    for offer in offers:
        assert offer.feasible == (offer.arrival is not None)
        if offer.feasible:
            assert offer.window.contains(offer.arrival)
    assert DayPlan.objects.filter(day=TOMORROW).count() == 0


@pytest.mark.covers("R1", "O8")
def test_every_offered_window_is_accepted_and_the_plan_holds_it():
    alice, *_ = world.planned_day()
    world.shift("van-1", TOMORROW)
    for offer in [offer for offer in offer_windows(delivery=alice) if offer.feasible][:5]:
        Delivery.objects.filter(pk=alice.pk).update(change_count=0)
        alice.refresh_from_db()
        changed = change_window(delivery=alice, window=offer.window, revision=alice.revision, actor="shopper")
        assert changed.window == offer.window
        visit = Visit.objects.get(drops__delivery=alice)
        assert visit.plan.day == offer.day
        assert offer.window.contains(visit.planned_arrival)
        plan_holds(offer.day)


def test_another_day_leaves_todays_route_and_enters_tomorrows():
    alice, bob, _ = world.planned_day(vans=1)
    world.shift("van-1", TOMORROW)
    change_window(delivery=alice, window=world.hours(10, 12, TOMORROW), revision=alice.revision, actor="shopper")
    assert Drop.objects.get(delivery=alice).visit.plan.day == TOMORROW
    assert Visit.objects.filter(plan__day=world.TODAY).count() == 2
    assert list(
        Visit.objects.filter(plan__day=world.TODAY).order_by("sequence").values_list("sequence", flat=True)
    ) == [
        1,
        2,
    ]
    assert Drop.objects.get(delivery=bob).visit.plan.day == world.TODAY


def test_a_stale_form_changes_nothing():
    alice, *_ = world.planned_day()
    change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    with pytest.raises(Stale) as stale:
        change_window(delivery=alice, window=world.hours(16, 18), revision=1, actor="shopper")
    assert stale.value.message == "Someone changed this a moment ago."
    alice.refresh_from_db()
    assert alice.window == world.hours(14, 16)


@pytest.mark.covers("R4")
@pytest.mark.parametrize(
    ("start", "end", "days", "code"),
    [
        (6.0, 8.4, 0, "in_the_past"),
        (8.0, 8.7, 0, "too_soon"),
        (14.0, 14.2, 0, "too_narrow"),
        (14.0, 15.0, 0, "too_narrow"),
        (14.0, 16.0, 3, "too_far_ahead"),
        (5.0, 10.0, 1, "outside_hours"),
        (20.0, 22.0, 0, "outside_hours"),
        (14.0, 40.0, 0, "several_days"),
    ],
)
def test_windows_nobody_may_choose_are_refused_in_words_with_alternatives(start, end, days, code):
    alice, *_ = world.planned_day()
    window = world.hours(start, end, world.TODAY + timedelta(days=days))
    with pytest.raises(Refused) as refused:
        change_window(delivery=alice, window=window, revision=alice.revision, actor="shopper")
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert refused.value.alternatives
    assert all(offer.feasible and offer.as_json()["feasible"] for offer in refused.value.alternatives)


@pytest.mark.covers("O8")
def test_a_promise_to_somebody_else_is_never_broken_and_the_alternatives_are_true():
    world.shift("van-1")
    everybody = [world.put_in_plan(world.delivery("Bob", world.hours(9, 11), offset=n * 0.0005)) for n in range(30)]
    for bob in everybody:
        visit = Visit.objects.get(drops__delivery=bob)
        arrival = visit.planned_arrival
        around = type(bob.window)(arrival - timedelta(minutes=2), arrival + timedelta(minutes=2))
        open_promise(delivery_id=bob.pk, window=around)
    charlie = world.put_in_plan(world.delivery("Charlie", world.hours(14, 16)))
    with pytest.raises(Refused) as refused:
        change_window(delivery=charlie, window=world.hours(8, 10), revision=charlie.revision, actor="shopper")
    assert refused.value.code == "others"
    assert refused.value.alternatives
    best = refused.value.alternatives[0]
    changed = change_window(delivery=charlie, window=best.window, revision=charlie.revision, actor="shopper")
    assert changed.window == best.window
    plan_holds()


@pytest.mark.covers("R5")
def test_the_shops_limit_of_changes_binds_shoppers_but_not_staff():
    alice, *_ = world.planned_day()
    Delivery.objects.filter(pk=alice.pk).update(change_count=5)
    with pytest.raises(Refused) as refused:
        change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    assert refused.value.code == "change_limit"
    changed = change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="agent:1")
    assert changed.window == world.hours(14, 16)


def test_choosing_anew_replaces_the_promise_at_once():
    alice, *_ = world.planned_day()
    open_promise(delivery_id=alice.pk, window=world.hours(9, 10))
    alice.refresh_from_db()
    change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    promise = alice.promises.get(closed_at=None)
    assert (promise.version, promise.earliest) == (2, world.hours(14, 16).earliest)


@pytest.mark.covers("I9")
def test_shortly_before_arrival_it_is_too_late(now):
    alice, *_ = world.planned_day(("Alice",), vans=1)
    Route.objects.update(departed_at=now.instant)
    with pytest.raises(Refused) as refused:
        change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    assert refused.value.code == "too_late"


@pytest.mark.covers("R2")
def test_a_held_window_is_taken_until_the_hold_expires(now, drain):
    world.shift("van-1", start=8, end=10)
    first = world.put_in_plan(world.delivery("Alice", world.hours(8, 10)))
    first.service_seconds = 2000
    first.save()
    second = world.delivery("Bob", world.hours(8, 10))
    second.service_seconds = 2000
    second.save()
    held = hold_window(delivery=second, window=world.hours(8, 10))
    third = world.delivery("Charlie", world.hours(8, 10))
    third.service_seconds = 2000
    third.save()
    with pytest.raises(Refused):
        world.put_in_plan(third)
    now.advance(minutes=11)
    drain()
    assert not Visit.objects.filter(pk=held.pk).exists()
    third.service_seconds = 500
    third.save()
    world.put_in_plan(third)
    plan_holds()


def test_a_hold_becomes_the_change(drain, now):
    alice, *_ = world.planned_day()
    hold_window(delivery=alice, window=world.hours(14, 16))
    assert Drop.objects.filter(delivery=alice).count() == 2
    change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    assert Drop.objects.get(delivery=alice).is_hold is False
    now.advance(minutes=11)
    drain()
    assert Drop.objects.filter(delivery=alice).count() == 1


@pytest.mark.covers("R13")
def test_a_cancelled_delivery_leaves_its_route():
    alice, *_ = world.planned_day(vans=1)
    with pytest.raises(NotAllowed) as refused:
        cancel_delivery(delivery=alice, reason="not_needed", revision=alice.revision, actor="shopper")
    assert refused.value.code == "step_up_required"
    link_alone = replace(verified(alice), tier="link")
    with pytest.raises(NotAllowed):
        cancel_delivery(
            delivery=alice, reason="not_needed", revision=alice.revision, actor="shopper", access=link_alone
        )
    cancelled = cancel_delivery(
        delivery=alice, reason="not_needed", revision=alice.revision, actor="shopper", access=verified(alice)
    )
    assert cancelled.state == "cancelled"
    assert Visit.objects.count() == 2
    assert Event.objects.filter(kind="delivery.cancelled", delivery_id=alice.pk).count() == 1
    plan_holds()


def test_others_pages_get_a_new_version_when_what_they_show_has_moved():
    alice, *_ = world.planned_day(vans=1)
    versions = dict(Delivery.objects.values_list("pk", "page_version"))
    etas = dict(Visit.objects.values_list("drops__delivery", "eta_earliest"))
    change_window(delivery=alice, window=world.hours(16, 18), revision=alice.revision, actor="shopper")
    moved = {pk for pk, eta in Visit.objects.values_list("drops__delivery", "eta_earliest") if etas[pk] != eta}
    assert moved
    for pk in moved:
        assert Delivery.objects.get(pk=pk).page_version > versions[pk]
    told = set()
    for event in Event.objects.filter(kind="routing.eta_changed"):
        told |= set(event.payload["deliveries"])
    assert moved <= told
