"""Whom no van brings reads so on the page and on the phone, and may choose another time there."""

from collections.abc import Callable

import pytest
from django.utils import translation

from apps.notifications.models import Message
from apps.rescheduling.services import change_window
from apps.routing import services
from apps.routing.models import Route
from apps.tracking import state
from apps.tracking.hero_words import hero
from tests import world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "headline"),
    [("en", "We cannot come as agreed"), ("de", "Wir können nicht wie vereinbart kommen")],
)
def test_left_behind_at_the_depot(language: str, headline: str, drain: Callable[..., int]) -> None:
    alice, left, _charlie = world.planned_day(vans=1)
    world.shift("van-2")
    route = Route.objects.get()
    services.publish(plan=route.plan)
    van = route.shift.vehicle.code
    services.load(barcode=alice.parcels.get().barcode, vehicle=van, actor="clerk:1")
    services.depart(route=route, actor="driver:1")
    drain()
    with translation.override(language):
        assert hero(state.build(left.pk, "link"), "Alpenkorb").headline == headline
        assert hero(state.build(alice.pk, "link"), "Alpenkorb").headline != headline
    page = state.build(left.pk, "link")
    assert page["eta"] is None
    assert page["timeline"][0]["code"] == "stop_unserved"
    assert next(action for action in page["actions"] if action["code"] == "time")["open"]
    told = Message.objects.filter(delivery=left, trigger="not_as_agreed")
    assert told.count() == 1
    assert "in the agreed time (today, 08:00–18:00)" in told.get().body
    left.refresh_from_db()
    change_window(delivery=left, window=world.hours(14, 16), revision=left.revision, actor="shopper")
    drain()
    with translation.override(language):
        assert hero(state.build(left.pk, "link"), "Alpenkorb").headline != headline
