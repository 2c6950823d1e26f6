"""The dispatcher's page of a day: the picture, the map's tracks, the reasons, and the buttons that act."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.events.models import Reaction
from apps.fleet.models import Depot, Shift, Vehicle
from apps.routing import plan_words, services
from apps.routing.models import DayPlan, Replan, Route, Visit
from apps.routing.services.improve_plan import look_at
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    return client


def page_of(agent) -> str:
    return agent.get(reverse("admin:routing_dayplan_change", args=[DayPlan.objects.get().pk])).content.decode()


def press(agent, **fields) -> None:
    url = reverse("admin:routing_dayplan_act", args=[DayPlan.objects.get().pk])
    assert agent.post(url, fields).status_code == 302


@pytest.mark.covers("O15", "O17")
def test_the_day_is_drawn_and_also_told_in_words(agent, django_assert_max_num_queries):
    planned = world.planned_day(vans=2)
    far = world.delivery("Alice", world.hours(20, 21))
    services.build_day(depot=world.depot(), day=world.TODAY)
    with django_assert_max_num_queries(60):
        page = page_of(agent)
    assert page.count('class="gantt-block gantt-service"') == 3 + 1  # and one in the legend
    spoken = re.findall(r'<g role="img" aria-label="([^"]+)"', page)
    assert len(spoken) == 2
    assert any("van-1, Driver of van-1, at the depot" in words for words in spoken)
    for delivery in planned:
        assert delivery.order.reference in page
    assert far.order.reference in page
    # The vans' day ends at six; the customer is there from eight.
    assert plan_words.unserved(Visit.objects.get(route=None).unserved_reason) in page
    assert re.search(r"van-[12] would be \d+ minutes too late|van-[12]: ", page)


def test_the_maps_tracks_are_the_operators_alone(agent, client):
    world.planned_day(vans=1)
    url = reverse("admin:routing_dayplan_tracks", args=[DayPlan.objects.get().pk])
    (track,) = agent.get(url).json()["tracks"]
    assert track["van"] == "van-1"
    assert len(track["line"]) == 5
    client.force_login(get_user_model().objects.create_user("otto", is_staff=True))
    assert client.get(url).status_code == 403


@pytest.mark.covers("O5", "O10", "P5")
def test_the_buttons_publish_replan_and_take_a_van_off_the_road(agent):
    world.planned_day(vans=2)
    press(agent, do="publish")
    assert DayPlan.objects.get().stage == "published"
    press(agent, do="replan", mode="one_van", policy="thrifty")
    asked = Reaction.objects.get(handler__endswith=".replan_by_hand")
    assert (asked.payload["mode"], asked.payload["policy"]) == ("one_van", "thrifty")
    busy, *_ = [route.shift for route in Route.objects.filter(visits__isnull=False).distinct()]
    press(agent, do="sick", shift=busy.pk)
    assert Shift.objects.get(pk=busy.pk).sick_at is not None
    assert "Driver is sick" in page_of(agent)
    press(agent, do="sick", shift=busy.pk)
    press(agent, do="nonsense", shift="x")


@pytest.mark.covers("O3", "O4")
def test_a_depot_that_minds_has_its_drafts_dealt_out_evenly_and_sees_by_how_much(agent):
    """Six doors in each of two towns, and vans that hold eight: one has a town and two doors of the other."""
    depot = world.depot()
    for van in ("van-1", "van-2"):
        Vehicle.objects.filter(pk=world.shift(van).vehicle_id).update(max_stops=8)
    for number in range(6):
        world.delivery("Alice", world.hours(8, 18), offset=number / 2000)
        world.delivery("Charlie", world.hours(8, 18), offset=number / 2000)
    services.build_day(depot=depot, day=world.TODAY)
    plan = DayPlan.objects.get()
    assert not look_at(plan).policy.evens
    Depot.objects.filter(pk=depot.pk).update(overlap_seconds=200, balance_percent=20)
    depot.refresh_from_db()
    services.build_day(depot=depot, day=world.TODAY, seconds=2.0)
    built = Replan.objects.get(reason="build")
    assert built.overlap_after == 0 < built.overlap_before
    assert built.spread_before is not None
    told = "0\u00a0% of neighbouring stops are on different vans"
    assert told in page_of(agent)
    plan.refresh_from_db()
    assert look_at(plan).policy.evens
    # What counts is not dealt out anew, and once a van has left, the rest of a day says nothing about it.
    press(agent, do="publish")
    assert not look_at(DayPlan.objects.get()).policy.evens
    Route.objects.update(departed_at=world.MORNING)
    assert told not in page_of(agent)
