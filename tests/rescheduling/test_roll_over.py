"""The evening of a day that did not work out: tomorrow's draft has it, and everybody was told."""

from collections.abc import Callable

import pytest

from apps.deliveries.models import Attempt, Delivery, Promise
from apps.deliveries.services import start_attempt
from apps.notifications.models import Message
from apps.routing.models import Drop, Route, Visit
from apps.routing.services import arrive, close_day, complete, depart, fail
from tests import world
from tests.conftest import FrozenClock

pytestmark = [pytest.mark.django_db]
TOMORROW = world.TODAY.replace(day=11)


def day_of(count: int) -> list[Delivery]:
    world.shift("van-1")
    world.shift("van-1", TOMORROW)
    made = []
    for number in range(count):
        delivery = world.delivery(("Alice", "Bob", "Charlie")[number % 3], offset=number * 0.0006)
        start_attempt(delivery_id=delivery.pk, place_id=delivery.place_id)
        made.append(world.put_in_plan(delivery))
    return made


def stop_of(delivery: Delivery) -> Visit:
    return Visit.objects.get(drops__delivery=delivery, drops__is_open=True)


def drop_tomorrow(delivery: Delivery) -> bool:
    drops = Drop.objects.filter(delivery=delivery, is_open=True, is_hold=False, visit__plan__day=TOMORROW)
    return drops.filter(visit__route__isnull=False).exists()


@pytest.mark.covers("P2")
def test_midnight_with_four_undelivered(now: FrozenClock, drain: Callable[..., int]) -> None:
    """Four of five come back: four stand in tomorrow's draft as their second attempt, promises told."""
    made = day_of(5)
    drain()
    route = Route.objects.get()
    depart(route=route, actor="driver:1")
    for delivery in made[:1]:
        complete(visit=stop_of(delivery), actor="driver:1")
    for delivery in made[1:3]:
        fail(visit=stop_of(delivery), reason="consignee_not_home", actor="driver:1")
    drain()
    now.set(now.at("23:59"))
    drain()
    left = made[1:]
    assert all(drop_tomorrow(delivery) for delivery in left)
    assert Visit.objects.filter(plan__day=TOMORROW).first().plan.stage == "draft"  # type: ignore[union-attr]
    for delivery in left:
        delivery.refresh_from_db()
        assert delivery.state == "planned"
        assert delivery.window == world.hours(8, 18, TOMORROW)
        assert list(delivery.attempts.order_by("number").values_list("number", "outcome")) == [(1, "failed"), (2, "")]
        promise = Promise.objects.get(delivery=delivery, closed_at=None)
        assert (promise.earliest, promise.latest) == (delivery.window_earliest, delivery.window_latest)
        assert Message.objects.filter(delivery=delivery, trigger="changed", promise_version=promise.version).exists()
    assert not Drop.objects.filter(delivery__in=made[:1], is_open=True).exists()
    before = list(Visit.objects.order_by("pk").values())
    close_day(plan=route.plan)
    drain()
    assert list(Visit.objects.order_by("pk").values()) == before, "a second evening moves nobody"


@pytest.mark.covers("P2")
def test_what_would_only_fail_again_waits_for_a_word(now: FrozenClock, drain: Callable[..., int]) -> None:
    refused, often, unlucky = day_of(3)
    depart(route=Route.objects.get(), actor="driver:1")
    Attempt.objects.filter(delivery=often).update(number=3)
    fail(visit=stop_of(refused), reason="consignee_refused", actor="driver:1")
    fail(visit=stop_of(often), reason="consignee_not_home", actor="driver:1")
    fail(visit=stop_of(unlucky), reason="carrier_no_parking", actor="driver:1")
    now.set(now.at("23:59"))
    drain()
    states = {row.pk: row.state for row in Delivery.objects.all()}
    assert states == {refused.pk: "failed", often.pk: "failed", unlucky.pk: "planned"}


def test_who_chose_a_day_meanwhile_keeps_it(now: FrozenClock, drain: Callable[..., int]) -> None:
    from apps.rescheduling.services import change_window

    (alice, bob) = day_of(2)
    world.shift("van-1", world.TODAY.replace(day=12))
    depart(route=Route.objects.get(plan__day=world.TODAY), actor="driver:1")
    arrive(visit=stop_of(bob), actor="driver:1")
    fail(visit=stop_of(alice), reason="consignee_not_home", actor="driver:1")
    alice.refresh_from_db()
    later = world.hours(10, 12, world.TODAY.replace(day=12))
    change_window(delivery=alice, window=later, revision=alice.revision, actor="shopper")
    now.set(now.at("23:59"))
    drain()
    alice.refresh_from_db()
    assert alice.window == later


def test_without_a_van_tomorrow_it_is_due_all_the_same(now: FrozenClock, drain: Callable[..., int]) -> None:
    (alice,) = day_of(1)
    depart(route=Route.objects.get(), actor="driver:1")
    fail(visit=stop_of(alice), reason="weather_delay", actor="driver:1")
    from apps.fleet.models import Shift

    Shift.objects.filter(day=TOMORROW).delete()
    now.set(now.at("23:59"))
    drain()
    alice.refresh_from_db()
    assert alice.state in ("arrived", "planned")
    assert alice.window.earliest.date() == TOMORROW
    assert Promise.objects.filter(delivery=alice, closed_at=None, earliest=alice.window_earliest).exists()
