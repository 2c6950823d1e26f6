"""A tracking link opens one delivery; everything that is not one gets the same answer."""

import pytest

from apps.core.errors import NotFound, Throttled
from apps.deliveries import access, services
from apps.deliveries.models import Link
from apps.deliveries.states import State
from apps.events.models import Event
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def link() -> Link:
    return services.make_link(delivery=world.delivery("Alice"))


def answer(token: str, address: str = "") -> tuple[str, str]:
    with pytest.raises(NotFound) as error:
        access.open_link(token, address=address)
    return error.value.code, error.value.message


@pytest.mark.covers("T1")
def test_the_token_is_derived_and_never_stored(link: Link) -> None:
    token = services.token_of(link)
    assert len(token) == 32
    stored = {str(value) for value in Link.objects.values().get().values()}
    assert not any(token in value for value in stored)
    opened = access.open_link(token)
    assert (opened.delivery, opened.tier, opened.view_only) == (link.delivery, "link", False)
    assert services.tracking_path(link) == f"/t/{token}"


@pytest.mark.covers("T1")
def test_every_token_that_opens_nothing_gets_the_same_answer(link: Link, now) -> None:
    token = services.token_of(link)
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    mangled = [
        "", "x", flipped, token[:-1], token + "A", token.upper(), token.lower(), token + "=", " " + token, "\0",
        token + "\0",        "\ud800", "ｔ" + token[1:], "a" * 10_240, "../" + token, "%00", "' OR 1=1 --", "🙂" * 40,
    ]  # fmt: skip
    answers = {answer(bad) for bad in mangled if bad != token}

    revoked = services.make_link(delivery=link.delivery)
    services.revoke_link(link=revoked, actor="agent:1")
    answers.add(answer(services.token_of(revoked)))

    rotated = services.make_link(delivery=link.delivery)
    old = services.token_of(rotated)
    services.rotate_link(link=rotated, actor="agent:1")
    assert access.open_link(services.token_of(rotated)).link == rotated
    answers.add(answer(old))

    for state in (State.PLANNED, State.OUT, State.DELIVERED):
        services.move_state(delivery_id=link.delivery_id, to=state, actor="system")
    assert access.open_link(token)
    now.advance(days=31)
    answers.add(answer(token))
    assert len(answers) == 1


@pytest.mark.covers("T1")
@pytest.mark.usefixtures("still_wall")
def test_guessing_from_one_address_is_slowed_down_and_others_are_not(link: Link) -> None:
    for guess in range(access.MISSES_PER_ADDRESS):
        answer(f"{guess:032d}", address="203.0.113.7")
    with pytest.raises(Throttled) as error:
        access.open_link(f"{99:032d}", address="203.0.113.7")
    assert 0 < error.value.details["retry_after_seconds"] <= access.WINDOW_SECONDS
    with pytest.raises(Throttled):
        access.open_link(services.token_of(link), address="203.0.113.7")
    assert access.open_link(services.token_of(link), address="203.0.113.8")


@pytest.mark.covers("T1")
@pytest.mark.usefixtures("still_wall")
def test_one_token_cannot_be_hammered(link: Link) -> None:
    token = services.token_of(link)
    for _open in range(access.OPENS_PER_TOKEN):
        access.open_link(token)
    with pytest.raises(Throttled):
        access.open_link(token)


@pytest.mark.covers("T22")
def test_a_view_only_link_says_so(link: Link) -> None:
    shared = services.make_link(delivery=link.delivery, kind=Link.Kind.VIEW)
    assert access.open_link(services.token_of(shared)).view_only


def test_opening_is_noted_once_a_minute(link: Link, now) -> None:
    services.note_opened(link=link)
    link.refresh_from_db()
    first = link.first_opened_at
    now.advance(seconds=30)
    services.note_opened(link=link)
    now.advance(seconds=40)
    services.note_opened(link=link)
    link.refresh_from_db()
    assert link.first_opened_at == first
    assert (link.last_opened_at - first).total_seconds() == 70


def test_the_events_of_links_hold_no_token(link: Link) -> None:
    services.rotate_link(link=link, actor="agent:1")
    services.revoke_link(link=link, actor="agent:1")
    services.revoke_link(link=link, actor="agent:1")
    assert [event.payload for event in Event.objects.filter(kind="delivery.link_rotated")] == [{"link": link.pk}] * 2
