"""The commands an operator types."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.routing import roads, services
from apps.routing.models import DayPlan, Visit
from tests import world
from tests.planner import travel_world

pytestmark = pytest.mark.django_db


def test_plan_day_says_what_it_made():
    world.shift("van-1")
    world.delivery("Alice")
    world.delivery("Bob", world.hours(20, 21))
    said = StringIO()
    call_command("plan_day", depot="schaan", day="2026-03-10", seconds=0.0, publish=True, stdout=said)
    assert "1 visits on 1 routes, 1 without one, travel times by straight_line." in said.getvalue()
    assert DayPlan.objects.get().stage == "published"


@pytest.mark.parametrize(("depot", "day"), [("nowhere", "2026-03-10"), ("schaan", "tomorrow")])
def test_plan_day_names_what_it_does_not_understand(depot, day):
    world.depot()
    with pytest.raises(CommandError):
        call_command("plan_day", depot=depot, day=day)


@pytest.mark.planner
def test_a_damaged_matrix_is_made_anew(settings, tmp_path):
    settings.ROADS_DIR, settings.MATRIX_DIR = travel_world.country().parent, tmp_path
    roads.forget()
    world.planned_day()
    services.prepare(depot=world.depot(), day=world.TODAY)
    file = tmp_path / "schaan" / "2026-03-10" / "car.matrix"
    file.unlink()
    file.write_bytes(b"nonsense")
    said = StringIO()
    call_command("prepare_matrices", days=1, stdout=said)
    assert "is made anew" in said.getvalue()
    assert "schaan 2026-03-10: 4 places, by roads" in said.getvalue()
    roads.forget()
    assert Visit.objects.count() == 3
