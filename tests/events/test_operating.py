"""What an operator sees of the outbox: health, admin, and a table that cannot be wrong."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.core import clock
from apps.events import registry
from apps.events.checks import check_events_table, is_well_named
from apps.events.models import Reaction
from apps.events.services import PermanentFailure, emit, react
from config import events as table

PARKING = {"on": True}


def park_at_first(payload: dict) -> None:
    if PARKING["on"]:
        raise PermanentFailure("provider_says_no")


@pytest.mark.django_db
def test_health_tells_how_late_due_work_is(client: Client, now) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "oldest_due_seconds": 0.0, "due": 0, "parked": 0}
    react(park_at_first, payload={}, due_at=now.at("12:00"))
    assert client.get("/healthz").json()["due"] == 0

    react(park_at_first, payload={}, due_at=now.at("08:28"))
    Reaction.objects.update(next_try_at=clock.wall() - (now.instant - now.at("08:20")))
    late = client.get("/healthz")
    assert late.status_code == 503
    # Due on the domain's clock for two minutes, free on the wall's for ten: late for two.
    assert late.json() == {"status": "late", "oldest_due_seconds": 120.0, "due": 1, "parked": 0}
    with pytest.raises(CommandError, match="120 s"):
        call_command("health", stdout=StringIO())


@pytest.mark.django_db
def test_health_counts_what_is_parked_without_calling_it_ill(drain: Callable[..., int]) -> None:
    react(park_at_first, payload={})
    drain(failures=True)
    out = StringIO()
    call_command("health", stdout=out)
    assert json.loads(out.getvalue())["parked"] == 1


@pytest.mark.django_db
def test_an_operator_sees_a_parked_reaction_and_runs_it_again(
    admin_client: Client, drain: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table.SUBSCRIBERS, "test.happened", (f"{__name__}.park_at_first",))
    event = emit("test.happened", delivery_id=4711)
    drain(failures=True)
    address = "/admin/events/reaction/"
    listed = admin_client.get(address, {"state__exact": "parked", "q": "4711"}).content.decode()
    assert "park_at_first" in listed
    assert "provider_says_no" in listed

    reaction = Reaction.objects.get()
    monkeypatch.setitem(PARKING, "on", False)
    answer = admin_client.post(address, {"action": "run_again", "_selected_action": [reaction.pk]}, follow=True)
    assert "1 reaction will run again." in answer.content.decode()
    assert drain(failures=True) == 1
    assert Reaction.objects.get().state == "done"

    again = admin_client.post(address, {"action": "run_again", "_selected_action": [reaction.pk]}, follow=True)
    assert "1 reaction will run again." in again.content.decode()
    assert admin_client.get(f"/admin/events/event/{event.pk}/change/").status_code == 200
    assert admin_client.post(f"/admin/events/event/{event.pk}/change/", {"kind": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["delivery.window_changed", "routing.plan_published", "redirection.handed_out"])
def test_good_names(name: str) -> None:
    assert is_well_named(name)


@pytest.mark.parametrize(
    "name", ["delivery", "delivery.change_window", "Delivery.changed", "delivery.changed.twice", ""]
)
def test_bad_names(name: str) -> None:
    assert not is_well_named(name)


def test_the_table_of_this_install_is_right() -> None:
    assert [problem.msg for problem in check_events_table()] == []


@pytest.mark.parametrize(
    ("rows", "lanes", "found"),
    [
        ({"test.changed": ()}, {}, "events.E002"),
        ({"delivery.change": ()}, {}, "events.E001"),
        ({"delivery.created": ("apps.nowhere.handlers.hear",)}, {}, "events.E003"),
        ({"delivery.created": ("apps.core.clock.DEMO_DAY",)}, {}, "events.E004"),
        ({}, {"apps.core.clock.now": "express"}, "events.E005"),
    ],
)
def test_a_wrong_row_is_found(rows: dict, lanes: dict, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, handlers in rows.items():
        monkeypatch.setitem(table.SUBSCRIBERS, kind, handlers)
    for handler, lane in lanes.items():
        monkeypatch.setitem(table.LANES, handler, lane)
    assert found in {problem.id for problem in check_events_table()}


def test_a_kind_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = next(iter(registry.declared_kinds()))
    monkeypatch.delitem(table.SUBSCRIBERS, kind)
    assert "events.W001" in {problem.id for problem in check_events_table()}
