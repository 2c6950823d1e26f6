"""A page handed on: a link of its own that looks, ends by itself, and reaches nothing that writes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.core.encryption import sha256_hex
from apps.core.sealed_ids import sealed_id
from apps.deliveries.models import Delivery, Link, StepUp
from apps.deliveries.services import make_link, revoke_link, rotate_link, shares_of, token_of
from apps.deliveries.states import State
from apps.events.models import Event
from apps.feedback.models import ProblemReport, Rating
from apps.instructions.models import Instruction
from apps.tracking.urls import urlpatterns
from tests import world
from tests.conftest import FrozenClock
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def alice() -> Delivery:
    return world.planned_day(("Alice", "Bob"))[0]


@pytest.fixture
def full(alice: Delivery) -> Link:
    return make_link(delivery=alice)


def shared_by(full: Link, **typed: str) -> tuple[Shopper, str]:
    """(the sharer's browser on the share page, the token that was made)"""
    shopper = Shopper(token_of(full)).follow("/share$").send(**typed)
    return shopper, token_of(Link.objects.filter(kind=Link.Kind.VIEW).latest("pk"))


@pytest.mark.covers("T22", "G19", "T20")
def test_a_link_is_made_listed_and_stopped(full: Link, now: FrozenClock) -> None:
    shopper, token = shared_by(full, label="Grandma")
    assert "The link for Grandma" in shopper.text
    assert "Works until: Tue 17 March, 08:30" in shopper.text
    grandma = Shopper(token)
    assert (grandma.status, "only the recipient can change" in grandma.text) == (200, True)
    assert "opened" in shopper.open(f"{shopper.page_address}/share").text
    # The first form makes, the second stops the first of the list.
    shopper.send(1)
    assert shares_of(full) == []
    assert Client().get(f"/t/{token}").status_code == 404


@pytest.mark.covers("T22", "G19")
def test_it_ends_by_itself_and_never_after_the_link_it_came_from(full: Link, now: FrozenClock) -> None:
    _shopper, day = shared_by(full, days="1")
    _shopper, week = shared_by(full)
    now.advance(hours=25)
    assert [Client().get(f"/t/{token}").status_code for token in (day, week)] == [404, 200]
    Link.objects.filter(pk=full.pk).update(expires_at=now.at("12:00", days=1))
    full.refresh_from_db()
    _shopper, short = shared_by(full)
    assert Link.objects.get(token_sha256=sha256_hex(short)).expires_at == full.expires_at


@pytest.mark.covers("T22", "T21")
@pytest.mark.parametrize("end", [rotate_link, revoke_link])
def test_who_replaces_a_leaked_link_stops_what_was_made_from_it(full: Link, end: Callable[..., Any]) -> None:
    _shopper, token = shared_by(full)
    end(link=full, actor="agent:1")
    assert Client().get(f"/t/{token}").status_code == 404


@pytest.mark.covers("T22", "G19", "GS1")
@pytest.mark.parametrize("state", [State.PLANNED, State.DELIVERED])
def test_a_share_reaches_no_address_that_writes(full: Link, alice: Delivery, state: State) -> None:
    """Every address below /t/<token> is tried, with what would be a change; those that come later too."""
    _shopper, token = shared_by(full)
    Delivery.objects.filter(pk=alice.pk).update(state=state)
    others = make_link(delivery=alice, kind=Link.Kind.VIEW)
    tried = {"stars": "5", "kind": "damaged", "text": "x", "safe_place": "porch", "note": "x", "confirm": "1"}
    tried |= {
        "channel": "sms",
        "reason": "other",
        "revision": "1",
        "stop": sealed_id("share", others.pk),
        "label": "x",
        "days": "1",
    }
    window = world.hours(14, 16)
    tried |= {"code": "123456"}
    tried["window"] = f"{int(window.earliest.timestamp())}-{int(window.latest.timestamp())}"
    before = snapshot(alice)
    statuses = {}
    client = Client()
    for tail in tails():
        without = {"/share": "stop", "/verify": "channel"}.get(tail)
        data = {name: value for name, value in tried.items() if name != without}
        statuses[tail] = client.post(f"/t/{token}{tail}", data).status_code
    assert set(statuses.values()) == {404, 405}
    assert client.post(f"/t/{token}/share", {"stop": sealed_id("share", others.pk)}).status_code == 404
    assert len(statuses) >= 14
    assert snapshot(alice) == before


@pytest.mark.covers("T22")
def test_the_same_attempts_of_the_full_link_do_write(full: Link, alice: Delivery) -> None:
    """The control of the test above."""
    before = snapshot(alice)
    client = Client()
    client.post(f"/t/{token_of(full)}/instructions", {"note": "x", "revision": str(alice.revision)})
    client.post(f"/t/{token_of(full)}/share", {"label": "x"})
    assert snapshot(alice) != before


def tails() -> list[str]:
    routes = [str(row.pattern) for row in urlpatterns if str(row.pattern).startswith("t/<str:token>")]
    return [re.sub(r"<int:\w+>", "1", route.removeprefix("t/<str:token>")) for route in routes]


def snapshot(delivery: Delivery) -> tuple[Any, ...]:
    return (
        Delivery.objects.filter(pk=delivery.pk).values("revision", "window_earliest", "place", "state").get(),
        [model.objects.count() for model in (Event, StepUp, Instruction, Rating, ProblemReport, Link)],
        list(Link.objects.order_by("pk").values_list("revoked_at", flat=True)),
    )


@pytest.mark.covers("T22", "GS1")
def test_who_shares_and_stops_for_ever_is_told_to_wait(full: Link) -> None:
    client, address = Client(), f"/t/{token_of(full)}/share"
    codes = []
    for _number in range(32):
        codes.append(client.post(address, {"label": "x"}).status_code)
        client.post(address, {"stop": sealed_id("share", Link.objects.latest("pk").pk)})
    assert codes == [302] * 30 + [429] * 2
    assert Link.objects.filter(kind=Link.Kind.VIEW).count() == 30


@pytest.mark.covers("T22")
def test_ten_at_a_time_and_only_ones_own_are_stopped(full: Link, alice: Delivery) -> None:
    for _number in range(10):
        shared_by(full)
    shopper, _token = shared_by(full)
    assert shopper.status == 422
    assert len(shares_of(full)) == 10
    foreign = make_link(delivery=alice, kind=Link.Kind.VIEW)
    answer = Client().post(f"/t/{token_of(full)}/share", {"stop": sealed_id("share", foreign.pk)})
    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None
