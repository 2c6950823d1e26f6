"""What a re-plan would change: worked out aside, shown whole, applied exactly or not at all."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.core import clock
from apps.deliveries import events as delivery_events
from apps.events.services import emit
from apps.fleet.models import Depot, Shift
from apps.routing import services
from apps.routing.models import DayPlan, PlanPreview, Replan, Visit
from apps.routing.services.improve_plan import job_of, look_at
from apps.routing.snapshot import take
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.planner, pytest.mark.covers("O10")]


@pytest.fixture
def agent(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    return client


@pytest.fixture
def zigzag() -> list[int]:
    """One van that drives to and fro: its visits in driving order."""
    for number in range(8):
        world.planned_day(("Alice" if number % 2 else "Bob",), vans=1)
    rows = list(Visit.objects.order_by("place__latitude"))
    order = [visit for pair in zip(rows[:4], reversed(rows[4:]), strict=True) for visit in pair]
    for number, visit in enumerate(order, start=1):
        Visit.objects.filter(pk=visit.pk).update(sequence=number, eta_earliest=None, eta_latest=None)
    return [visit.pk for visit in order]


def standing() -> list[int]:
    return list(Visit.objects.order_by("sequence").values_list("pk", flat=True))


def press(agent, **fields) -> str:
    """The page that follows."""
    url = reverse("admin:routing_dayplan_act", args=[DayPlan.objects.get().pk])
    return agent.post(url, fields, follow=True).content.decode()


def page_of(agent) -> str:
    return agent.get(reverse("admin:routing_dayplan_change", args=[DayPlan.objects.get().pk])).content.decode()


def test_what_was_shown_becomes_the_plan_and_nothing_before_that(agent, zigzag, drain, now):
    services.publish(plan=DayPlan.objects.get())
    assert "<progress" in press(agent, do="try", mode="one_van", policy="thrifty")
    drain(planner=True)
    preview = PlanPreview.objects.get()
    status = agent.get(reverse("admin:routing_preview_status", args=[preview.pk])).json()
    assert status == {"state": "ready", "percent": 100}
    assert standing() == zigzag
    page = page_of(agent)
    (row,) = preview.content["vans"]
    moved = {visit["visit"] for visit in preview.content["moves"]}
    table = page[page.index("plan-diff__moves") :].partition("</table>")[0]
    # Stop by stop, both plans drawn, and what it is worth.
    assert table.count("<tr>") == 1 + len(moved) > 1
    assert page.count('class="gantt-diff is-before') == page.count('class="gantt-diff is-after') - 1 == 8 + 1
    assert "No promise at risk" in page
    assert re.search(r"CO₂e</th><td>\d", page)
    assert "DEFRA" in page
    tracks = agent.get(reverse("admin:routing_preview_tracks", args=[preview.pk])).json()["tracks"]
    assert [track["dashed"] for track in tracks] == [True, False]
    began = clock.now()
    now.advance(minutes=2)
    meanwhile = Visit.objects.get(pk=zigzag[0]).drops.get().delivery
    emit(delivery_events.WINDOW_CHANGED, delivery_id=meanwhile.pk)
    now.advance(minutes=2)
    press(agent, do="apply", preview=preview.pk)
    assert [f"v{pk}" for pk in standing()] == [stop for stop, *_times in row["after"]] != [f"v{pk}" for pk in zigzag]
    record = Replan.objects.latest("pk")
    assert (record.reason, record.outcome, record.detail) == ("dispatcher", "applied", "as_shown")
    assert record.cost_after < record.cost_before
    # What was changed after the search began is for the next one to look at.
    assert record.started_at <= began
    plan = DayPlan.objects.select_related("depot").get()
    snapshot = take(depot=plan.depot, day=plan.day)
    assert job_of(snapshot, look_at(plan, services.ByHand())).changed == (f"v{zigzag[0]}",)
    # Twice is once.
    assert "Please look again" in press(agent, do="apply", preview=preview.pk)


def test_a_plan_that_moved_meanwhile_is_looked_at_again(agent, zigzag, drain):
    press(agent, do="try", mode="one_van", policy="thrifty")
    drain(planner=True)
    preview = PlanPreview.objects.get()
    world.put_in_plan(world.delivery("Alice", offset=0.006))
    before = standing()
    assert re.search(r'value="apply" disabled', page_of(agent))
    assert "The plan has changed since this was worked out" in press(agent, do="apply", preview=preview.pk)
    assert standing() == before
    # Asked again, then too old, then dropped.
    press(agent, do="try", mode="one_van", policy="thrifty")
    drain(planner=True)
    newest = PlanPreview.objects.latest("pk")
    assert PlanPreview.objects.get(pk=preview.pk).state == "dropped"
    PlanPreview.objects.filter(pk=newest.pk).update(expires_at=clock.wall() - timedelta(seconds=1))
    assert "too long ago" in press(agent, do="apply", preview=newest.pk)
    assert "stands as it was" in press(agent, do="drop", preview=newest.pk)
    assert standing() == before
    assert 'id="diff"' not in page_of(agent)


def test_another_draft_is_seen_before_it_replaces_the_standing_one(agent, zigzag, monkeypatch):
    monkeypatch.setattr("apps.routing.services.try_plan.BUILD_SECONDS", 0.5)
    world.shift("van-2")
    Shift.objects.update(starts_at=world.hours(8, 18).earliest)
    Depot.objects.update(overlap_seconds=60, balance_percent=10)
    press(agent, do="try_build")
    services.work_out(preview_id=PlanPreview.objects.get().pk)
    preview = PlanPreview.objects.get()
    assert preview.state == "ready"
    assert standing() == zigzag
    after = {row["code"]: [stop for stop, *_times in row["after"]] for row in preview.content["vans"]}
    press(agent, do="apply", preview=preview.pk)
    for code, stops in after.items():
        rows = Visit.objects.filter(route__shift__vehicle__code=code).order_by("sequence")
        assert [f"v{pk}" for pk in rows.values_list("pk", flat=True)] == stops
    record = Replan.objects.latest("pk")
    after, before = preview.content["after"], preview.content["before"]
    assert (record.overlap_before, record.overlap_after) == (before["overlap"], after["overlap"])
    assert (record.spread_before, record.spread_after) == (before["spread"], after["spread"])
    # And back.
    press(agent, do="back")
    assert standing() == zigzag
    services.publish(plan=DayPlan.objects.get())
    assert "published already" in press(agent, do="try_build")
