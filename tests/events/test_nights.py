"""Each night what is old is forgotten, by everybody who keeps such rows, and the next night is arranged."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.core import clock
from apps.events import nights
from apps.events.models import Event, Reaction
from apps.fleet.models import PositionSample
from apps.notifications.models import Message, SendAttempt
from apps.tracking.models import PageChange
from tests import world
from tests.conftest import FrozenClock

pytestmark = pytest.mark.django_db
Drain = Callable[..., int]


def reaction(state: str, days: int) -> int:
    wall = clock.wall() - timedelta(days=days)
    row = Reaction.objects.create(
        handler="apps.events.handlers.on_night_begun", state=state, due_at=wall, next_try_at=wall, created_at=wall,
        done_at=wall,
    )  # fmt: skip
    return row.pk


def attempt(state: str, days: int) -> int:
    delivery, wall = world.delivery("Alice"), clock.wall() - timedelta(days=days)
    message = Message.objects.create(
        delivery=delivery, recipient=delivery.recipient, trigger="failed", state=state, language="en",
        dedupe_key=f"{state}{days}", created_at=clock.now(),
    )  # fmt: skip
    row = SendAttempt.objects.create(
        message=message, number=1, public_id=f"{state}{days}", channel="sms", started_at=wall, updated_at=wall
    )
    return row.pk


def test_the_night_takes_what_is_old_and_leaves_the_rest(drain: Drain, now: FrozenClock) -> None:
    nights.wind()
    nights.wind()
    van = world.shift().vehicle
    for hours in (0, 8 * 24):
        moment = now.instant - timedelta(hours=hours)
        PositionSample.objects.create(vehicle=van, latitude=47.1, longitude=9.5, at=moment)
        PageChange.objects.create(delivery_id=1, version=1, made_at=moment)
    fact = Event.objects.create(kind="delivery.created", at=now.instant - timedelta(days=900))
    old = {reaction("done", 8), reaction("cancelled", 8)}
    kept = {reaction("done", 6), reaction("parked", 8)}
    stays, waits, _goes = attempt("sent", 80), attempt("waiting", 100), attempt("sent", 100)
    drain()
    assert PositionSample.objects.count() == 2, "not before the night"
    now.set(now.at("03:00", days=1))
    drain()
    assert PositionSample.objects.count() == 1
    assert PageChange.objects.filter(delivery_id=1, made_at__lt=now.instant - timedelta(hours=24)).count() == 0
    assert set(SendAttempt.objects.values_list("pk", flat=True)) == {stays, waits}
    left = set(Reaction.objects.values_list("pk", flat=True))
    assert kept <= left
    assert not old & left
    assert Event.objects.filter(pk=fact.pk).exists()
    coming = Reaction.objects.get(handler="apps.events.handlers.on_night", state="waiting")
    assert now.instant < coming.due_at <= now.instant + timedelta(days=1)
