"""A day's plan becomes the day's by itself in the morning, with what came in since it was built."""

from datetime import timedelta

import pytest

from apps.routing import services
from apps.routing.models import DayPlan, Visit
from tests import world

pytestmark = pytest.mark.django_db
TOMORROW = world.TODAY + timedelta(days=1)


def test_a_draft_is_published_at_six_with_what_came_in_since(now, drain) -> None:
    world.shift("van-1", day=TOMORROW)
    world.delivery("Alice", window=world.hours(9, 18, TOMORROW))
    plan = services.build_day(depot=world.depot(), day=TOMORROW)
    late_comer = world.delivery("Bob", window=world.hours(9, 18, TOMORROW))
    drain()
    plan.refresh_from_db()
    assert plan.stage == DayPlan.Stage.DRAFT
    now.set(world.hours(6, 7, TOMORROW).earliest)
    drain(planner=True)
    plan.refresh_from_db()
    assert plan.stage == DayPlan.Stage.PUBLISHED
    assert Visit.objects.get(drops__delivery=late_comer).route is not None
