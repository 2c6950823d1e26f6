"""Pushed state == fetched state after every service call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from apps.deliveries import services
from apps.deliveries.models import Delivery
from apps.deliveries.states import State
from apps.tracking.models import PageChange
from tests import world
from tests.tracking.roads import on_route
from tests.tracking.verify_change import COMMITS, Watchers, verify_change

pytestmark = [pytest.mark.django_db(transaction=COMMITS), pytest.mark.covers("T3")]
Drain = Callable[..., int]


@pytest.fixture(autouse=True)
def steady_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers of the verified tier have no cookie to show."""
    monkeypatch.setattr("apps.tracking.tail._still_verified", lambda box: True)


def moves_to(state: State) -> Callable[[Delivery], Any]:
    return lambda made: services.move_state(delivery_id=made.pk, to=state, actor="system", reason="")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.CREATED, State.PLANNED),
        (State.PLANNED, State.ARRIVED),
        (State.ARRIVED, State.LOADED),
        (State.LOADED, State.OUT),
        (State.OUT, State.DELIVERED),
        (State.OUT, State.FAILED),
        (State.OUT, State.AT_POINT),
        (State.AT_POINT, State.COLLECTED),
        (State.FAILED, State.RETURNING),
        (State.RETURNING, State.RETURNED),
        (State.PLANNED, State.CANCELLED),
    ],
)
def test_every_step_of_a_delivery(drain: Drain, before: State, after: State) -> None:
    made = world.delivery(state=before)
    with verify_change(drain, made):
        assert moves_to(after)(made)


def test_a_promise_a_proof_a_code_a_contact_and_a_link(drain: Drain, now: Any) -> None:
    made = world.delivery(state=State.OUT)
    with verify_change(drain, made, moves=[]):
        services.open_promise(delivery_id=made.pk, window=world.hours(9, 10))
    with verify_change(drain, made):
        services.move_state(delivery_id=made.pk, to=State.AT_POINT, actor="driver:1")
        services.set_collection(delivery_id=made.pk, until=now.instant + timedelta(days=3))
    with verify_change(drain, made, moves=[]):
        services.make_link(delivery=made)


def test_what_nobody_announced_still_gets_a_version_of_its_own(drain: Drain) -> None:
    """A page whose content moved without its version is given one, or polling pages would never learn."""
    from apps.tracking.services import refresh

    made = world.delivery(state=State.OUT)
    refresh([made.pk])
    watchers = Watchers([made])
    before = watchers.shown[made.pk, "link"]["version"]
    Delivery.objects.filter(pk=made.pk).update(window_latest=world.hours(8, 19).latest)
    assert refresh([made.pk]) == [made.pk]
    watchers.receive()
    assert watchers.shown[made.pk, "link"]["version"] == before + 1
    assert refresh([made.pk]) == []


def test_time_alone_closes_a_change_on_the_open_page(drain: Drain, now: Any) -> None:
    """No event happens when a cut-off passes; the page's one timer sees to it."""
    ids = [world.delivery("Bob", state=State.OUT).pk for _ in range(6)]
    on_route(ids)
    made = Delivery.objects.get(pk=ids[5])
    watchers = Watchers([made])
    assert _is_open(watchers, made, "time")
    for _minute in range(42):
        now.advance(minutes=1)
        drain()
    watchers.receive()
    assert not _is_open(watchers, made, "time")
    assert PageChange.objects.filter(delivery_id=made.pk).count() < 6


def _is_open(watchers: Watchers, made: Delivery, code: str) -> bool:
    return next(action["open"] for action in watchers.shown[made.pk, "link"]["actions"] if action["code"] == code)


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_pushed_to_nobody(drain: Drain) -> None:
    made = world.delivery(state=State.PLANNED)
    with verify_change(drain, made, moves=[]) as watchers, pytest.raises(ZeroDivisionError):
        _change_and_fail(made)
    assert not watchers.pushes


def _change_and_fail(made: Delivery) -> None:
    with transaction.atomic():
        services.change_window(delivery=made, window=world.hours(14, 16), revision=made.revision, actor="shopper")
        raise ZeroDivisionError
