"""Several people at once: every yes is in the plan, every no was true."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from apps.core.errors import DoorstepError, Refused
from apps.deliveries.models import Delivery
from apps.rescheduling.services import change_window
from apps.routing.models import DayPlan, Drop, Visit
from apps.routing.planner.check import violations
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Runs the calls in threads that start together; what each returned or, for our own errors, raised."""
    ready, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        ready.wait()
        try:
            answers[number] = calls[number]()
        except DoorstepError as error:
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def choose(delivery: Delivery, start: float, end: float) -> Callable[[], Delivery]:
    window = world.hours(start, end)
    return lambda: change_window(delivery=delivery, window=window, revision=delivery.revision, actor="shopper")


@pytest.mark.covers("R2", "O8")
def test_two_shoppers_race_for_the_same_room_and_both_answers_are_true():
    world.shift("van-1")
    filled = world.put_in_plan(world.delivery("Bob", world.hours(14, 16)))
    Delivery.objects.filter(pk=filled.pk).update(service_seconds=5200)
    racers = []
    for offset in (0.0, 0.001):
        made = world.delivery("Bob", world.hours(8, 12), offset=offset)
        Delivery.objects.filter(pk=made.pk).update(service_seconds=1500)
        made.refresh_from_db()
        racers.append(world.put_in_plan(made))
    for racer in racers:
        racer.refresh_from_db()
    answers = at_once([choose(racer, 14, 16) for racer in racers])
    yes = [answer for answer in answers if isinstance(answer, Delivery)]
    assert answers
    assert all(isinstance(answer, Delivery | Refused) for answer in answers), answers
    assert yes, "one of them fits"
    for answer in yes:
        visit = Visit.objects.get(drops__delivery=answer)
        assert world.hours(14, 16).contains(visit.planned_arrival)
    for answer in answers:
        if isinstance(answer, Refused):
            assert all(offer.feasible for offer in answer.alternatives)
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


def test_many_changes_of_one_route_at_once_lose_nothing():
    world.shift("van-1")
    deliveries = [world.put_in_plan(world.delivery("Bob", world.hours(8, 18), offset=n * 0.0009)) for n in range(8)]
    answers = at_once([choose(delivery, 10 + n % 4, 14 + n % 4) for n, delivery in enumerate(deliveries)])
    for number, answer in enumerate(answers):
        delivery = Delivery.objects.get(pk=deliveries[number].pk)
        visit = Visit.objects.get(drops__delivery=delivery)
        if isinstance(answer, Delivery):
            assert delivery.window == world.hours(10 + number % 4, 14 + number % 4)
        else:
            assert isinstance(answer, Refused)
            assert answer.code != "plan_busy"
            assert delivery.window == world.hours(8, 18)
        assert delivery.window.contains(visit.planned_arrival)
    order = list(Visit.objects.order_by("sequence").values_list("sequence", flat=True))
    assert order == list(range(1, 9))
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


def test_two_tabs_of_one_shopper_change_it_once():
    alice, *_ = world.planned_day()
    answers = at_once([choose(alice, 12, 14), choose(alice, 14, 16)])
    kept = [answer for answer in answers if isinstance(answer, Delivery)]
    assert len(kept) == 1
    alice.refresh_from_db()
    assert alice.window == kept[0].window
    assert Drop.objects.filter(delivery=alice).count() == 1


def test_the_first_two_into_an_empty_day_make_one_plan():
    first, second = world.delivery("Alice", world.hours(10, 12)), world.delivery("Bob", world.hours(10, 12))
    world.shift("van-1")
    at_once([lambda: world.put_in_plan(first), lambda: world.put_in_plan(second)])
    assert DayPlan.objects.count() == 1
    assert Drop.objects.count() == 2
    assert sorted(Visit.objects.values_list("sequence", flat=True)) == [1, 2]
