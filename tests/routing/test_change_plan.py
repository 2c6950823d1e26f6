"""A change by window: what the page is told is already in the plan."""

import pytest

from apps.core.errors import Refused
from apps.deliveries.models import Delivery
from apps.routing.models import Route, Visit
from apps.routing.planner.check import violations
from apps.routing.services import change_in_plan
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db


def test_a_new_delivery_is_numbered_timed_and_announced():
    alice, bob, charlie = world.planned_day()
    assert {alice.state, bob.state, charlie.state} == {"planned"}
    visits = list(Visit.objects.order_by("route", "sequence"))
    assert len(visits) == 3
    for visit in visits:
        assert visit.route is not None
        assert visit.planned_arrival is not None
        assert visit.eta_earliest <= visit.planned_arrival <= visit.eta_latest
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


def test_another_window_moves_the_stop_and_keeps_the_others_windows():
    alice, _bob, _charlie = world.planned_day()
    late = world.hours(16, 18)

    def write() -> Delivery:
        Delivery.objects.filter(pk=alice.pk).update(window_earliest=late.earliest, window_latest=late.latest)
        alice.refresh_from_db()
        return alice

    change_in_plan(delivery=alice, place=alice.place, window=late, write=write)
    visit = Visit.objects.get(drops__delivery=alice)
    assert late.contains(visit.planned_arrival)
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


def test_a_window_nobody_drives_in_is_refused_and_nothing_is_written():
    alice, *_ = world.planned_day()
    before = list(Route.objects.values_list("pk", "revision"))
    with pytest.raises(Refused) as refused:
        change_in_plan(delivery=alice, place=alice.place, window=world.hours(20, 22), write=lambda: alice)
    assert refused.value.code in ("window", "others")
    assert list(Route.objects.values_list("pk", "revision")) == before
