"""One message per fact, whatever the workers do: handlers repeated, late, in any order, cut off in between."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core.time_windows import TimeWindow
from apps.deliveries import services
from apps.deliveries.models import Promise
from apps.deliveries.states import State
from apps.events.models import Event, Reaction
from apps.notifications import handlers
from apps.notifications.models import Message
from tests import world
from tests.conftest import FrozenClock
from tests.notifications.people import alice, announce, visit_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wire")]

HANDLERS = {
    "delivery.created": handlers.on_created,
    "delivery.window_changed": handlers.on_changed,
    "delivery.state_changed": handlers.on_state_changed,
    "delivery.cancelled": handlers.on_cancelled,
    "routing.eta_changed": handlers.on_eta_changed,
    "routing.next_stop": handlers.on_next_stop,
}


def payload_of(event: Event) -> dict[str, Any]:
    return {"event": event.pk, "kind": event.kind, "delivery": event.delivery_id, "plan": None, **event.payload}


@pytest.mark.covers("N19", "N5")
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_interleaving_of_retries_tells_each_fact_once(data: st.DataObject, now: FrozenClock) -> None:
    """Alice orders, changes twice, the van leaves, is late, comes next, delivers. Handlers run as workers please."""
    delivery = alice()
    events: list[Event] = [announce("delivery.created", delivery)]
    steps: list[Callable[[], None]] = []

    def change(start: int) -> None:
        delivery.refresh_from_db()
        services.change_window(
            delivery=delivery, window=world.hours(start, start + 3), revision=delivery.revision, actor="shopper"
        )

    def move(to: State) -> None:
        services.move_state(delivery_id=delivery.pk, to=to, actor="system")

    def arrive_at(clock: str) -> None:
        visit_at(delivery, now.at(clock))
        announce("routing.eta_changed", delivery, deliveries=[delivery.pk])

    steps = [
        lambda: change(10),
        lambda: change(13),
        lambda: move(State.PLANNED),
        lambda: arrive_at("14:20"),
        lambda: move(State.OUT),
        lambda: arrive_at("16:30"),
        lambda: announce("routing.next_stop", delivery) and None,
        lambda: move(State.DELIVERED),
    ]
    seen: set[int] = set()
    pending: list[Event] = list(events)
    while True:
        newly = Event.objects.filter(delivery_id=delivery.pk, kind__in=HANDLERS).exclude(pk__in=seen).order_by("pk")
        fresh = list(newly)
        seen |= {event.pk for event in fresh}
        pending += [event for event in fresh if event not in pending]
        if steps and (not pending or data.draw(st.booleans(), label="next step")):
            steps.pop(0)()
            continue
        if not pending:
            break
        event = pending[data.draw(st.integers(0, len(pending) - 1), label="which")]
        HANDLERS[event.kind](payload_of(event))
        if not data.draw(st.booleans(), label="again"):
            pending.remove(event)
    told = list(Message.objects.filter(delivery=delivery).values_list("trigger", "promise_version"))
    assert len(told) == len(set(told))
    count = {trigger: [row[0] for row in told].count(trigger) for trigger, _version in told}
    assert count.get("confirmed", 0) <= 1
    assert count.get("out_today", 0) <= 1
    assert count.get("next_stop", 0) <= 1
    assert count.get("delivered", 0) == 1
    assert count.get("changed", 0) <= 3  # two by Alice, one by the late van
    versions = list(Promise.objects.filter(delivery=delivery).order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))


def test_the_same_handler_twice_writes_nothing_more(now: FrozenClock) -> None:
    """Repeats after everything else has moved on: no handler opens a promise for what is long told."""
    delivery = alice()
    created = announce("delivery.created", delivery)
    handlers.on_created(payload_of(created))
    services.change_window(delivery=delivery, window=world.hours(13, 16), revision=delivery.revision, actor="shopper")
    changed = Event.objects.get(kind="delivery.window_changed")
    handlers.on_changed(payload_of(changed))
    visit_at(delivery, now.at("14:20"))
    services.move_state(delivery_id=delivery.pk, to=State.PLANNED, actor="system")
    services.move_state(delivery_id=delivery.pk, to=State.OUT, actor="system")
    out = Event.objects.filter(kind="delivery.state_changed").latest("pk")
    handlers.on_state_changed(payload_of(out))
    before = (Message.objects.count(), Promise.objects.count())
    visit_at(delivery, now.at("14:40"))
    for handler, event in (
        (handlers.on_created, created),
        (handlers.on_changed, changed),
        (handlers.on_changed, changed),
    ):
        handler(payload_of(event))
    handlers.on_state_changed(payload_of(out))
    assert (Message.objects.count(), Promise.objects.count()) == before
    promise = Promise.objects.get(delivery=delivery, closed_at=None)
    assert TimeWindow(promise.earliest, promise.latest).contains(now.at("14:20"))


def test_one_waiting_reaction_sends_one_message() -> None:
    delivery = alice()
    created = announce("delivery.created", delivery)
    for _run in range(3):
        handlers.on_created(payload_of(created))
    assert Reaction.objects.filter(handler="apps.notifications.handlers.send_message").count() == 1
