"""The document of a page: what each tier may know, and that few queries make it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from apps.deliveries.models import AccessCode, CollectionCode, Proof
from apps.deliveries.states import State
from apps.instructions.models import Instruction
from apps.routing.models import Drop, Visit
from apps.tracking import state
from apps.tracking.rules import coarse_point
from tests import world
from tests.tracking.roads import on_route

pytestmark = pytest.mark.django_db

KEYS = {
    "rating", "problem", "dispute", "thread", "calendar", "blocks",
    "version", "tier", "id", "merchant", "zone", "status", "late", "late_for", "window", "eta", "eta_reason",
    "stops_away", "distance_metres", "order", "door_code", "driver_note", "place",
    "destination", "van", "actions", "timeline", "parcels", "instruction", "collection", "proof", "failure", "help",
    "ended",    "view_only",
}  # fmt: skip


def laden(state_: State = State.OUT) -> Any:
    """A delivery with everything on it that a stranger must not see."""
    made = world.delivery("Alice", state=state_)
    Instruction.objects.create(
        delivery=made, safe_place="garage", note="Ring at Muster, 079 123", saved_at=world.MORNING
    )
    AccessCode.objects.create(delivery=made, code="4711#", saved_at=world.MORNING)
    CollectionCode.objects.create(delivery=made, code="123456", made_at=world.MORNING)
    Proof.objects.create(
        delivery=made, kind="photo", image="proofs/x.jpg", received_by="Alice Muster", left_at="porch",
        taken_at=world.MORNING,
    )  # fmt: skip
    return made


@pytest.mark.covers("T2")
@pytest.mark.parametrize("status", [State.CREATED, State.OUT, State.AT_POINT, State.DELIVERED])
def test_the_bare_link_learns_no_street_phone_mail_name_code_or_exact_spot(status: State) -> None:
    """The schema test of the anonymous document: nothing personal is in it anywhere, in any state."""
    made = laden(status)
    page = state.build(made.pk, "link")
    assert set(page) == KEYS
    text = json.dumps(page, ensure_ascii=False)
    for secret in ("Landstrasse", "9490", made.recipient.phone, made.recipient.email, "Muster", "4711", "123456",
                   "47.141", "9.5215", "garage", "porch", "079 123"):  # fmt: skip
        assert secret not in text
    assert page["destination"]["exact"] is False
    assert page["place"] == {"kind": "address", "name": None, "town": "Vaduz", "street": None, "opening_hours": None}
    assert page["proof"] is None or (page["proof"]["photo"], page["proof"]["received_by"]) == (None, None)


@pytest.mark.covers("T2", "T12")
def test_verified_eyes_see_the_street_the_spot_the_photo_and_the_codes() -> None:
    made = laden(State.DELIVERED)
    page = state.build(made.pk, "verified")
    assert page["place"]["street"] == "Landstrasse 12"
    assert (page["destination"]["lat"], page["destination"]["exact"]) == (made.place.latitude, True)
    assert (page["proof"]["received_by"], page["proof"]["left_at"]) == ("Alice Muster", "porch")
    assert page["instruction"]["note"].startswith("Ring at")
    waiting = laden(State.AT_POINT)
    assert state.build(waiting.pk, "verified")["collection"]["code"] == "123456"


def test_neighbours_share_one_coarse_spot_within_the_stated_radius() -> None:
    from apps.core.geo import distance_metres

    for north in range(40):
        door = (47.1410 + north * 0.0007, 9.5215 + north * 0.0003)
        assert distance_metres(door, coarse_point(*door)) <= 500
    assert coarse_point(47.14101, 9.52151) == coarse_point(47.14102, 9.52152)


def test_forty_pages_cost_as_many_queries_as_one(django_assert_max_num_queries: Any) -> None:
    ids = [world.delivery("Bob", offset=number / 10_000, state=State.OUT).pk for number in range(40)]
    on_route(ids)
    with django_assert_max_num_queries(12):
        pages = state.build_many(ids)
    assert [pages[pk]["link"]["stops_away"] for pk in ids] == list(range(40))


@pytest.mark.covers("T8")
def test_stops_away_counts_merged_drops_once_and_skips_cancelled_ones() -> None:
    first, merged, cancelled, mine = (world.delivery("Bob", state=State.OUT).pk for _ in range(4))
    visits = on_route([first, cancelled, mine])
    Drop.objects.create(visit=visits[0], delivery_id=merged)
    assert state.build(mine, "link")["stops_away"] == 2
    Drop.objects.filter(delivery_id=cancelled).update(is_open=False)
    assert state.build(mine, "link")["stops_away"] == 1


def actions(delivery_id: int) -> dict[str, str | None]:
    return {action["code"]: action["reason"] for action in state.build(delivery_id, "link")["actions"]}


def test_changes_close_by_route_state_and_by_the_clock(now: Any) -> None:
    ids = [world.delivery("Bob", state=State.OUT).pk for _ in range(6)]
    on_route(ids)
    Visit.objects.filter(drops__delivery=ids[0]).update(state=Visit.State.ARRIVED)
    assert actions(ids[0])["instructions"] == "next_stop"
    assert actions(ids[1]) == {"time": "frozen", "place": "cutoff", "instructions": None, "cancel": "frozen"}
    assert actions(ids[5])["cancel"] == "loaded"
    assert actions(ids[5])["time"] is None
    now.advance(minutes=50)
    assert actions(ids[5])["time"] == "cutoff"


def test_late_is_a_flag_once_the_arrival_is_past_what_was_told(now: Any) -> None:
    made = world.delivery("Bob", window=world.hours(8, 9), state=State.OUT)
    on_route([made.pk], first=world.MORNING + timedelta(minutes=20))
    assert state.build(made.pk, "link")["late"] is False
    now.advance(minutes=31)
    page = state.build(made.pk, "link")
    assert page["late"] is True
    assert page["late_for"] == page["window"]


def test_a_share_link_shows_the_same_and_changes_nothing() -> None:
    page = state.view_only(state.build(world.delivery().pk, "link"))
    assert page["view_only"]
    assert {(action["open"], action["reason"]) for action in page["actions"]} == {(False, "view_only")}
