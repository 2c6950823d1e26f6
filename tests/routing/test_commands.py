"""The commands an operator types."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import Refused
from apps.routing import roads, services
from apps.routing.models import DayPlan, Replan, Visit
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


@pytest.mark.planner
@pytest.mark.covers("O7", "K12")
def test_replan_says_what_would_change_and_then_changes_it_and_keeps_a_record():
    for number in range(8):
        world.planned_day(("Alice" if number % 2 else "Bob",), vans=1)
    rows = list(Visit.objects.order_by("place__latitude"))
    zigzag = [visit for pair in zip(rows[:4], reversed(rows[4:]), strict=True) for visit in pair]
    for number, visit in enumerate(zigzag, start=1):
        Visit.objects.filter(pk=visit.pk).update(sequence=number, eta_earliest=None, eta_latest=None)
    before = list(Visit.objects.order_by("sequence").values_list("pk", flat=True))
    said = StringIO()
    wish = {"depot": "schaan", "day": "2026-03-10", "mode": "one_van", "policy": "thrifty", "seconds": 0.5}
    call_command("replan", **wish, dry_run=True, stdout=said)
    assert "one_van, thrifty: dry_run (better)" in said.getvalue()
    # Who would be moved, when to, and by what.
    told = {int(line.split()[1].rstrip(":")): line for line in said.getvalue().splitlines() if line.startswith("visit")}
    assert told
    assert set(told) <= set(before)
    assert all("van-1" in line and " min, " in line for line in told.values())
    assert list(Visit.objects.order_by("sequence").values_list("pk", flat=True)) == before
    assert not Replan.objects.exists()
    call_command("replan", **wish, stdout=said)
    assert list(Visit.objects.order_by("sequence").values_list("pk", flat=True)) != before
    record = Replan.objects.get()
    assert (record.reason, record.mode, record.policy, record.outcome) == ("command", "one_van", "thrifty", "applied")
    assert record.cost_after < record.cost_before
    assert record.reordered > 0


class Terminal(StringIO):
    """Somebody watches; perhaps they lose patience."""

    def __init__(self, impatient: bool = False) -> None:
        super().__init__()
        self.impatient = impatient

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.impatient and text.startswith("\r["):
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.planner
def test_a_long_search_shows_how_far_it_is_and_ctrl_c_leaves_the_plan():
    for number in range(8):
        world.planned_day(("Alice" if number % 2 else "Bob",), vans=2)
    before = list(Visit.objects.order_by("pk").values_list("pk", "route", "sequence", "planned_arrival"))
    wish = {"depot": "schaan", "day": "2026-03-10", "seconds": 1.5}
    with pytest.raises(CommandError, match="Cancelled"):
        call_command("plan_day", **wish, stdout=StringIO(), stderr=Terminal(impatient=True))
    assert list(Visit.objects.order_by("pk").values_list("pk", "route", "sequence", "planned_arrival")) == before
    watched = Terminal()
    call_command("plan_day", **wish, stdout=StringIO(), stderr=watched)
    assert "[#" in watched.getvalue()
    assert "%" in watched.getvalue()


@pytest.mark.covers("O10")
def test_a_draft_can_be_built_anew_and_rolled_back():
    planned = world.planned_day(vans=1)
    before = list(Visit.objects.order_by("sequence").values_list("pk", flat=True))
    plan = DayPlan.objects.get()
    with pytest.raises(Refused):
        services.roll_back(plan=plan)
    late = world.delivery("Bob", offset=0.004)
    services.build_day(depot=world.depot(), day=world.TODAY)
    Visit.objects.filter(drops__delivery=planned[0]).update(sequence=9)
    services.roll_back(plan=plan)
    order = list(Visit.objects.order_by("sequence").values_list("pk", flat=True))
    assert [pk for pk in order if pk in before] == before
    assert Visit.objects.get(drops__delivery=late).route is not None
    services.publish(plan=plan)
    with pytest.raises(Refused):
        services.roll_back(plan=plan)
