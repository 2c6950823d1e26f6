"""A day's plan becomes the day's by itself in the morning, with what came in since it was built."""

from datetime import timedelta

import pytest

from apps.fleet.models import Shift
from apps.routing import services
from apps.routing.models import DayPlan, Replan, Visit
from apps.routing.services.build_day import _filled, put_down_draft
from apps.routing.services.improve_plan import put_down
from apps.routing.services.write_routes import RouteMoved
from apps.routing.snapshot import take
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


@pytest.mark.planner
@pytest.mark.covers("O1")
def test_the_solvers_build_the_draft_in_the_evening_and_again_only_if_it_changed(now, drain) -> None:
    world.shift("van-1", day=TOMORROW)
    made = [world.delivery("Alice", world.hours(8, 18, TOMORROW), offset=0.01 * number) for number in range(6)]
    for one in made:
        world.put_in_plan(one)
    drain(planner=True)
    rows = list(Visit.objects.order_by("place__latitude").values_list("pk", flat=True))
    zigzag = [rows[0], rows[5], rows[1], rows[4], rows[2], rows[3]]
    for number, pk in enumerate(zigzag, start=1):
        Visit.objects.filter(pk=pk).update(sequence=number, eta_earliest=None, eta_latest=None)
    now.set(world.hours(20, 21).earliest)
    drain(planner=True)
    built = Replan.objects.get(reason="build")
    assert (built.outcome, built.cost_after < built.cost_before) == ("applied", True)
    assert list(Visit.objects.order_by("sequence").values_list("pk", flat=True)) in (rows, rows[::-1])
    assert not Visit.objects.filter(route=None).exists()
    assert DayPlan.objects.get().stage == DayPlan.Stage.DRAFT
    now.set(world.hours(5.5, 6, TOMORROW).earliest)
    drain(planner=True)
    assert Replan.objects.filter(reason="build").count() == 1


@pytest.mark.planner
def test_what_came_in_overnight_is_part_of_a_second_search_before_the_plan_counts(now, drain) -> None:
    world.planned_day(("Alice", "Bob"), vans=1, day=TOMORROW)
    now.set(world.hours(20, 21).earliest)
    drain(planner=True)
    late_comer = world.delivery("Charlie", world.hours(9, 18, TOMORROW))
    now.set(world.hours(5.5, 6, TOMORROW).earliest)
    drain(planner=True)
    assert Replan.objects.filter(reason="build").count() == 2
    assert Visit.objects.get(drops__delivery=late_comer).route is not None
    assert DayPlan.objects.get().stage == DayPlan.Stage.DRAFT


def test_a_draft_that_was_searched_meanwhile_takes_nobody_off_a_van() -> None:
    """Who waited for a van as the search began has found one before it ended."""
    _alice, bob = world.planned_day(("Alice", "Bob"))
    plan, visit = DayPlan.objects.get(), Visit.objects.get(drops__delivery=bob)
    Visit.objects.filter(pk=visit.pk).update(route=None, sequence=0, planned_arrival=None, unserved_reason="window")
    seen = take(depot=world.depot(), day=world.TODAY)
    services.build_day(depot=world.depot(), day=world.TODAY)
    visit.refresh_from_db()
    assert visit.route is not None
    elsewhere = _filled(seen.timetable).solution
    for stale in (seen.standing, elsewhere):
        with pytest.raises(RouteMoved):
            put_down_draft(seen, stale, plan)
    with pytest.raises(RouteMoved):
        put_down(seen, elsewhere)
    now = Visit.objects.get(pk=visit.pk)
    assert (now.route, now.planned_arrival) == (visit.route, visit.planned_arrival)


def test_a_draft_whose_breaks_alone_are_other_ones_is_written() -> None:
    world.planned_day(("Alice", "Bob"), vans=1)
    Shift.objects.update(breaks=[{"earliest": 9 * 3600, "latest": 16 * 3600, "seconds": 1800}])
    services.build_day(depot=world.depot(), day=world.TODAY)
    seen = take(depot=world.depot(), day=world.TODAY)
    (route,) = seen.standing.routes
    after = next(place for place in range(3) if (place,) != route.breaks)
    put_down_draft(seen, seen.standing.with_route(route.replace(breaks=(after,))), DayPlan.objects.get())
    now = take(depot=world.depot(), day=world.TODAY)
    assert [(one.stops, one.breaks) for one in now.standing.routes] == [(route.stops, (after,))]
