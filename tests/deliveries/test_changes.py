"""Changes are conditional on what the person saw, states on the one table."""

import itertools
import threading

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.core.errors import Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import selectors, services
from apps.deliveries.models import AccessCode, Attempt, CollectionCode, Delivery, Place, Promise, Proof
from apps.deliveries.services import PlaceInput
from apps.deliveries.states import ENDED, TRANSITIONS, State
from apps.events.models import Event
from tests import world

POST_OFFICE = PlaceInput(
    "Äulestrasse", "9490", "Vaduz", 47.139, 9.522, kind="pickup_point", name="Post Vaduz", merge_key="point:post-vaduz"
)


@pytest.mark.django_db
def test_a_stale_form_changes_nothing() -> None:
    delivery = world.delivery()
    services.change_window(delivery=delivery, window=world.hours(14, 16), revision=1, actor="agent:1")
    with pytest.raises(Stale, match="Someone changed this a moment ago"):
        services.change_window(delivery=delivery, window=world.hours(9, 11), revision=1, actor="shopper")
    with pytest.raises(Stale):
        services.change_place(
            delivery=delivery, place=POST_OFFICE, window=world.hours(9, 11), revision=1, actor="shopper"
        )
    delivery.refresh_from_db()
    assert delivery.window == world.hours(14, 16)
    assert Place.objects.count() == 1
    assert (delivery.revision, delivery.page_version, delivery.change_count) == (2, 2, 0)
    assert Event.objects.filter(kind="delivery.window_changed").count() == 1


@pytest.mark.django_db
def test_a_new_window_tells_from_and_to() -> None:
    delivery = world.delivery(window=world.hours(9, 11))
    changed = services.change_window(delivery=delivery, window=world.hours(14, 16), revision=1, actor="shopper")
    assert changed.change_count == 1
    event = Event.objects.get(kind="delivery.window_changed")
    assert event.payload == {
        "from": ["2026-03-10T08:00:00+00:00", "2026-03-10T10:00:00+00:00"],
        "to": ["2026-03-10T13:00:00+00:00", "2026-03-10T15:00:00+00:00"],
    }


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted({*ENDED, State.AT_POINT, State.RETURNING}))
def test_what_is_over_cannot_be_changed(state: State) -> None:
    delivery = world.delivery(state=state)
    with pytest.raises(Refused) as error:
        services.change_window(delivery=delivery, window=world.hours(9, 11), revision=1, actor="shopper")
    assert error.value.code == ("ended" if state in ENDED else "too_late")


@pytest.mark.django_db
@pytest.mark.covers("A6")
def test_a_redirect_keeps_the_delivery_and_kills_its_codes() -> None:
    delivery = world.delivery(window=world.hours(9, 11))
    home = delivery.home
    services.start_attempt(delivery_id=delivery.pk, place_id=home.pk)
    services.save_access_code(delivery_id=delivery.pk, code="4711#")
    CollectionCode.objects.create(delivery=delivery, code="123456", made_at=world.MORNING)
    changed = services.change_place(
        delivery=delivery, place=POST_OFFICE, window=world.hours(9, 18), revision=1, actor="shopper"
    )
    assert (changed.home, changed.place.merge_key, changed.revision) == (home, "point:post-vaduz", 2)
    assert not AccessCode.objects.exists()
    assert not CollectionCode.objects.exists()
    attempts = Attempt.objects.order_by("number").values_list("number", "place", "outcome")
    assert list(attempts) == [(1, home.pk, "redirected"), (2, changed.place_id, "")]
    payload = Event.objects.get(kind="delivery.place_changed").payload
    assert payload == {
        "from_kind": "address",
        "to_kind": "pickup_point",
        "point": "post-vaduz",
        "home": False,
        "revision": 2,
    }
    back = services.change_place(delivery=changed, place=home, window=changed.window, revision=2, actor="shopper")
    assert back.place == home
    assert [entry.code for entry in selectors.timeline(delivery.pk)] == [
        "place_changed_home", "window_changed", "place_changed_point",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_cancellation_is_conditional_and_told() -> None:
    delivery = world.delivery(state=State.PLANNED)
    with pytest.raises(Stale):
        services.cancel_delivery(delivery=delivery, reason="changed_mind", revision=7, actor="shopper")
    services.cancel_delivery(delivery=delivery, reason="changed_mind", revision=1, actor="shopper")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.ended_at is not None) == ("cancelled", True)
    assert Event.objects.filter(kind="delivery.cancelled").count() == 1
    with pytest.raises(Refused):
        services.cancel_delivery(delivery=world.delivery(state=State.OUT), reason="x", revision=1, actor="shopper")


@pytest.mark.django_db
def test_many_move_at_once_and_only_those_that_may() -> None:
    loaded = [world.delivery(name, state=State.LOADED) for name in ("Alice", "Bob")]
    done = world.delivery("Charlie", state=State.DELIVERED)
    ids = [delivery.pk for delivery in (*loaded, done)]
    assert services.move_states(delivery_ids=ids, to=State.OUT, actor="driver:1") == ids[:2]
    assert services.move_states(delivery_ids=ids, to=State.OUT, actor="driver:1") == []
    assert Event.objects.filter(kind="delivery.state_changed").count() == 2
    done.refresh_from_db()
    assert done.state == State.DELIVERED


@pytest.mark.django_db
def test_a_failed_stop_ends_its_attempt_and_the_next_plan_opens_another() -> None:
    delivery = world.delivery(state=State.OUT)
    services.start_attempt(delivery_id=delivery.pk, place_id=delivery.place_id)
    services.move_state(delivery_id=delivery.pk, to=State.FAILED, actor="driver:1", reason="consignee_not_home")
    services.move_state(delivery_id=delivery.pk, to=State.PLANNED, actor="system")
    rows = Attempt.objects.order_by("number").values_list("outcome", "reason_code")
    assert list(rows) == [("failed", "consignee_not_home"), ("", "")]


@pytest.mark.django_db
def test_the_end_forgets_the_door_code_and_times_the_link() -> None:
    delivery = world.delivery(state=State.OUT)
    link = services.make_link(delivery=delivery)
    services.save_access_code(delivery_id=delivery.pk, code="4711#")
    services.move_state(delivery_id=delivery.pk, to=State.DELIVERED, actor="driver:1")
    link.refresh_from_db()
    delivery.refresh_from_db()
    assert not AccessCode.objects.exists()
    assert (link.expires_at - delivery.ended_at).days == delivery.merchant.policy.link_days


@pytest.mark.django_db
def test_promises_are_versions_and_one_is_open() -> None:
    delivery = world.delivery()
    first = services.open_promise(delivery_id=delivery.pk, window=world.hours(9, 11))
    same = services.open_promise(delivery_id=delivery.pk, window=world.hours(9, 11))
    second = services.open_promise(delivery_id=delivery.pk, window=world.hours(10, 12))
    assert (first.pk, second.version) == (same.pk, 2)
    (standing,) = Promise.objects.filter(closed_at=None)
    assert selectors.open_promise_of(delivery.pk) == standing == second
    assert TimeWindow(standing.earliest, standing.latest) == world.hours(10, 12)


@pytest.mark.django_db
def test_the_same_proof_twice_is_one() -> None:
    delivery = world.delivery(state=State.OUT)
    for _retry in range(2):
        services.record_proof(
            delivery=delivery,
            kind=Proof.Kind.PHOTO,
            image=ContentFile(b"jpeg", "../../x.jpg"),
            received_by="Alice",
            point=(47.141, 9.5215),
            taken_at=world.MORNING,
        )
    proof = Proof.objects.get()
    assert proof.image.name.startswith("proofs/")
    assert ".." not in proof.image.name
    assert delivery.public_id not in proof.image.name


class TransitionTable(TestCase):
    """Whatever is asked in whatever order, a delivery only ever walks along the table and the record tells it."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.sampled_from(list(State)), max_size=14))
    def test_only_allowed_steps_are_taken(self, wished: list[State]) -> None:
        delivery = world.delivery()
        walked = [State.CREATED]
        for to in wished:
            moved = services.move_state(delivery_id=delivery.pk, to=to, actor="system")
            assert moved == (to in TRANSITIONS[walked[-1]])
            if moved:
                walked.append(to)
        delivery.refresh_from_db()
        assert delivery.state == walked[-1]
        assert (delivery.ended_at is not None) == any(state in ENDED for state in walked)
        told = Event.objects.filter(kind="delivery.state_changed", delivery_id=delivery.pk).order_by("pk")
        assert [(event.payload["from"], event.payload["to"]) for event in told] == [
            (a.value, b.value) for a, b in itertools.pairwise(walked)
        ]


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_the_same_form_one_wins() -> None:
    delivery = world.delivery()
    outcomes: list[str] = []

    def change(start: int) -> None:
        try:
            mine = Delivery.objects.get(pk=delivery.pk)
            services.change_window(delivery=mine, window=world.hours(start, start + 2), revision=1, actor="shopper")
            outcomes.append("yes")
        except Stale:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=(hour,)) for hour in range(8, 16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale"] * 7 + ["yes"]
    assert Event.objects.filter(kind="delivery.window_changed").count() == 1
