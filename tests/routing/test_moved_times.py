"""Why a time that has moved did: causes that add up, for staff; nobody's page names another delivery."""

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.deliveries.models import Delivery
from apps.routing import services
from apps.routing.models import DayPlan, EtaChange, Replan, Route, Visit
from apps.routing.services import moved_times
from apps.tracking.selectors import page_document
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O17")]


@pytest.fixture
def desk(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))

    def page(delivery) -> str:
        text = client.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).content.decode()
        return " ".join(re.sub(r"<[^>]+>", " ", text).split())

    return page


def add_up(row: EtaChange) -> bool:
    moved = (row.start_after - row.start_before).total_seconds()
    return sum(seconds for _code, seconds, _visit in row.causes) == moved != 0


def urgent(offset: float = 0.0) -> Delivery:
    """In the plan, at once and for a quarter of an hour: everybody else comes later."""
    made = world.delivery("Bob", world.hours(8.5, 8.9), offset=offset)
    Delivery.objects.filter(pk=made.pk).update(service_seconds=900)
    return world.put_in_plan(Delivery.objects.get(pk=made.pk))


def test_a_stop_that_was_put_in_before_it_is_named_as_the_cause(desk):
    planned = world.planned_day(("Charlie", "Alice", "Alice"), vans=1)
    services.change_in_plan(
        delivery=planned[1], place=planned[1].place, window=world.hours(10, 18), write=lambda: planned[1]
    )
    # Nobody has been told of a draft.
    assert not EtaChange.objects.exists()
    services.publish(plan=DayPlan.objects.get())
    before = dict(Visit.objects.values_list("drops__delivery", "shown_start"))
    secret = urgent()
    rows = list(EtaChange.objects.order_by("pk"))
    assert rows
    for row in rows:
        visit = Visit.objects.get(drops__delivery=row.delivery_id)
        assert (row.start_before, row.start_after) == (before[row.delivery_id], visit.planned_arrival)
        assert add_up(row)
        shares = {(code, cause): seconds for code, seconds, cause in row.causes}
        assert shares["inserted", Visit.objects.get(drops__delivery=secret).pk] >= 900
    page = desk(rows[0].delivery)
    assert "Why did this time move?" in page
    assert "a stop before it is new" in page
    assert secret.order.reference not in page
    told = json.dumps([page_document(rows[0].delivery, tier) for tier in ("link", "verified")], default=str)
    assert "inserted" not in told
    assert secret.order.reference not in told


def test_a_van_that_falls_behind_is_the_cause_and_the_figures_add_up(desk, now, monkeypatch):
    planned = world.planned_day(("Alice", "Bob", "Charlie"), vans=1)
    services.publish(plan=DayPlan.objects.get())
    route = Route.objects.get()
    services.depart(route=route, actor="driver:1")
    first = Visit.objects.order_by("sequence").first()
    services.arrive(visit=first, actor="driver:1")
    EtaChange.objects.all().delete()
    references = dict(Visit.objects.values_list("drops__delivery", "shown_start"))
    now.advance(minutes=75)
    services.roll_forward(route_id=route.pk)
    rows = list(EtaChange.objects.all())
    assert {row.delivery for row in rows} == {d for d in planned if d.pk != first.drops.get().delivery_id}
    for row in rows:
        assert add_up(row)
        assert {code for code, *_rest in row.causes} == {"since_told"}
        assert row.start_before == references[row.delivery_id]
        assert row.shown_before != row.shown_after
    # Looking again at the same moment tells nothing new.
    services.roll_forward(route_id=route.pk)
    assert EtaChange.objects.count() == len(rows)
    assert "how the van&#x27;s day went since that time was told" in desk(rows[0].delivery)
    # One delivery keeps the newest few, and the night forgets what is old.
    monkeypatch.setattr(moved_times, "MOST_PER_DELIVERY", 1)
    now.advance(minutes=75)
    services.roll_forward(route_id=route.pk)
    newer = list(EtaChange.objects.all())
    assert {row.delivery_id for row in newer} == {row.delivery_id for row in rows}
    assert min(row.pk for row in newer) > max(row.pk for row in rows)
    now.advance(days=40)
    assert moved_times.forget_old() == len(rows)


@pytest.mark.planner
def test_a_replan_lists_the_times_it_moved(client, drain):
    for number in range(8):
        world.planned_day(("Alice" if number % 2 else "Charlie",), vans=1)
    rows = list(Visit.objects.order_by("place__latitude"))
    order = [visit for pair in zip(rows[:4], reversed(rows[4:]), strict=True) for visit in pair]
    for number, visit in enumerate(order, start=1):
        Visit.objects.filter(pk=visit.pk).update(sequence=number, eta_earliest=None, eta_latest=None)
    services.publish(plan=DayPlan.objects.get())
    by_hand = services.ByHand("one_van", "thrifty", 0.5)
    outcome = services.improve_plan(plan_id=DayPlan.objects.get().pk, reason="command", by_hand=by_hand)
    assert outcome is not None
    assert outcome.outcome == "applied"
    rows = list(EtaChange.objects.filter(replan=outcome))
    assert rows
    assert all(add_up(row) for row in rows)
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    page = client.get(reverse("admin:routing_replan_change", args=[Replan.objects.get().pk])).content.decode()
    for row in rows:
        assert row.delivery.order.reference in page
