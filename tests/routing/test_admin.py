"""What staff see of the plan and the fleet."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.fleet.services import find_driver, issue_driver_token
from apps.routing.models import DayPlan, Route
from tests import world

pytestmark = pytest.mark.django_db
PLAN = ["routing_dayplan", "routing_route", "routing_visit", "routing_replan"]
FLEET = [f"fleet_{name}" for name in ("depot", "vehicle", "driver", "depotdevice", "shift", "position", "positiondrop")]


@pytest.fixture
def agent(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    return client


@pytest.mark.parametrize("model", [*PLAN, *FLEET])
def test_every_list_opens_and_can_be_searched_in_few_queries(agent, model, django_assert_max_num_queries):
    world.planned_day()
    with django_assert_max_num_queries(20):
        assert agent.get(reverse(f"admin:{model}_changelist"), {"q": "van"}).status_code == 200


def test_a_route_shows_its_stops_in_order_with_links_to_the_deliveries(agent):
    alice, *_ = world.planned_day(vans=1)
    page = agent.get(reverse("admin:routing_route_change", args=[Route.objects.get().pk])).content.decode()
    assert reverse("admin:deliveries_delivery_change", args=[alice.pk]) in page
    assert agent.get(reverse("admin:routing_dayplan_change", args=[DayPlan.objects.get().pk])).status_code == 200


def test_nobody_edits_the_plan_by_hand(agent):
    world.planned_day(vans=1)
    assert agent.get(reverse("admin:routing_route_add")).status_code == 403
    route = Route.objects.get()
    assert agent.post(reverse("admin:routing_route_change", args=[route.pk]), {"revision": 9}).status_code == 403


def test_an_agent_signs_a_lost_phone_out(agent):
    driver = world.shift("van-1").driver
    token = issue_driver_token(driver=driver)
    page = agent.get(reverse("admin:fleet_driver_change", args=[driver.pk])).content.decode()
    assert driver.device_sha256 not in page
    agent.post(reverse("admin:fleet_driver_changelist"), {"action": "sign_out", "_selected_action": [driver.pk]})
    assert find_driver(token) is None
