"""The planner improves the plan behind the answer; what was answered stays true whatever becomes of it."""

import os
import signal
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import F

from apps.events.models import Event, Reaction
from apps.rescheduling.services import change_window
from apps.routing import services
from apps.routing.models import Replan, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.planner.worker import PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.services import improve_plan, write_routes
from apps.routing.services.improve_plan import apply
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _one_child():
    yield
    child().close()


def crooked_day() -> int:
    """A plan whose order zigzags: the planner has something to gain."""
    for number in range(12):
        world.planned_day(("Alice" if number % 2 else "Bob",), vans=1)
    route = Route.objects.get()
    visits = list(Visit.objects.order_by("place__latitude"))
    half = len(visits) // 2
    zigzag = [visit for pair in zip(visits[:half], reversed(visits[half:]), strict=True) for visit in pair]
    for number, visit in enumerate(zigzag, start=1):
        Visit.objects.filter(pk=visit.pk).update(sequence=number, eta_earliest=None, eta_latest=None)
    return route.plan_id


@pytest.mark.covers("O16")
def test_many_changes_are_one_waiting_replan():
    alice, *_ = world.planned_day()
    for start in (10, 12, 14, 16):
        alice.refresh_from_db()
        change_window(delivery=alice, window=world.hours(start, start + 2), revision=alice.revision, actor="agent:1")
    assert Reaction.objects.filter(handler__endswith=".replan", state="waiting").count() == 1


@pytest.mark.planner
def test_a_clearly_better_plan_is_applied_and_told():
    plan = crooked_day()
    before = dict(Visit.objects.values_list("pk", "sequence"))
    outcome = improve_plan(plan_id=plan, reason="change")
    assert (outcome.outcome, outcome.detail) == ("applied", "better")
    assert outcome.cost_after < outcome.cost_before
    assert dict(Visit.objects.values_list("pk", "sequence")) != before
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []
    assert Event.objects.filter(kind="routing.eta_changed", plan_id=plan).exists()
    assert improve_plan(plan_id=plan, reason="change") is None


@pytest.mark.planner
def test_a_plan_that_cannot_be_bettered_stays(drain):
    world.planned_day(vans=1)
    before = list(Visit.objects.order_by("pk").values_list("pk", "sequence", "planned_arrival"))
    drain(planner=True)
    assert Replan.objects.get().outcome in ("kept", "infeasible")
    assert list(Visit.objects.order_by("pk").values_list("pk", "sequence", "planned_arrival")) == before


@pytest.mark.planner
def test_after_the_last_miss_the_committed_insertion_stands(monkeypatch):
    plan = crooked_day()
    ask = type(child()).ask

    def slow_ask(self, job, limit_seconds, hear=None):
        # Somebody changes the route while the planner thinks, each time.
        answer = ask(self, job, limit_seconds, hear)
        write_routes.touch(Route.objects.get().pk)
        return answer

    monkeypatch.setattr(type(child()), "ask", slow_ask)
    before = dict(Visit.objects.values_list("pk", "sequence"))
    improve_plan(plan_id=plan, reason="change")
    assert list(Replan.objects.values_list("outcome", flat=True)) == [*["moved_meanwhile"] * 2, "kept"]
    assert dict(Visit.objects.values_list("pk", "sequence")) == before


@pytest.mark.planner
@pytest.mark.covers("O7")
def test_what_a_broken_van_left_goes_elsewhere_although_the_vans_never_stand_still(monkeypatch):
    """Routes move during each long search; the plain insertion behind it is quick enough."""
    plan = crooked_day()
    world.shift("van-2")
    services.build_day(depot=world.depot(), day=world.TODAY)
    waits = Visit.objects.order_by("pk").first()
    Visit.objects.filter(pk=waits.pk).update(route=None, unserved_reason="no_vehicle")
    for route in Route.objects.all():
        write_routes.touch(route.pk)
    Route.objects.update(changes=F("changes") + 1)
    ask = type(child()).ask

    def slow_ask(self, job, limit_seconds, hear=None):
        answer = ask(self, job, limit_seconds, hear)
        if job.mode != "insertion":
            for route in Route.objects.all():
                write_routes.touch(route.pk)
        return answer

    monkeypatch.setattr(type(child()), "ask", slow_ask)
    improve_plan(plan_id=plan, reason="breakdown")
    assert list(Replan.objects.order_by("pk").values_list("outcome", "mode"))[-1] == ("applied", "insertion")
    assert Visit.objects.get(pk=waits.pk).route is not None


@pytest.mark.planner
def test_a_dead_planner_leaves_the_page_true_and_is_asked_again(drain):
    plan = crooked_day()
    before = dict(Visit.objects.values_list("pk", "planned_arrival"))
    child().start()
    os.kill(child().pid, signal.SIGSTOP)
    with pytest.raises(PlannerUnavailable):
        improve_plan(plan_id=plan, reason="change", spare_seconds=0.2)
    assert Replan.objects.get().outcome == "planner_down"
    assert dict(Visit.objects.values_list("pk", "planned_arrival")) == before
    drain(planner=True)
    assert Replan.objects.latest("pk").outcome in ("applied", "kept")


def test_what_came_near_while_the_planner_thought_is_not_reordered(now):
    crooked_day()
    route = Route.objects.get()
    for visit in Visit.objects.all():
        services.load(barcode=visit.drops.get().delivery.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    services.depart(route=route, actor="driver:1")
    snapshot = take(depot=world.depot(), day=world.TODAY)
    standing = snapshot.standing.routes[0]
    assert standing.frozen < len(standing.stops) - 1
    # The first two stops behind the frozen ones change places; by the time it is to be applied the van is near them.
    stops, at = list(standing.stops), standing.frozen
    stops[at], stops[at + 1] = stops[at + 1], stops[at]
    swapped = snapshot.standing.with_route(standing.replace(stops=tuple(stops)))
    now.set(snapshot.instant(snapshot.visits[int(standing.stops[at][1:])].planned) - timedelta(minutes=10))
    result = SimpleNamespace(solution=swapped)
    with pytest.raises(write_routes.RouteMoved):
        apply(snapshot, result)
