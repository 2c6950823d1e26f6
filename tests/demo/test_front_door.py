"""The demo's start page leads to every face, with links that work."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from apps.deliveries import services as deliveries
from apps.demo.models import DemoKey, PhoneMessage
from apps.routing import services as routing
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.demo.urls")]


@pytest.fixture(scope="session", autouse=True)
def demo_tables(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """The demo app is not installed in the suite; its tables are made by hand."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        there = connection.introspection.table_names()
        with connection.schema_editor() as editor:
            for model in (DemoKey, PhoneMessage):
                if model._meta.db_table not in there:
                    editor.create_model(model)


def test_the_front_door_shows_pages_worth_opening(drain: Callable[..., int]) -> None:
    world.shift("van-1")
    for name in ("Alice", "Bob", "Charlie"):
        deliveries.make_link(delivery=world.delivery(name))
    plan = routing.build_day(depot=world.depot(), day=world.TODAY)
    routing.publish(plan=plan)
    routing.depart(route=plan.routes.get(), actor="driver:1")
    drain()
    page = Client().get("/").content.decode()
    assert "3 deliveries and 1 vans" in re.sub(r"\s+", " ", page)
    assert "/demo/phone" in page
    links = re.findall(r'href="(/t/[^"]+)"', page)
    assert links
    assert Client().get(links[0]).status_code == 200
