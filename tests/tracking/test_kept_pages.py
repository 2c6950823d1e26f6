"""A page that is opened again comes from memory, and is never older, wider or more alive than a rendered one."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.deliveries import access
from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link, move_state, revoke_link, rotate_link, token_of
from apps.deliveries.states import State
from apps.tracking import entry, page_row
from apps.tracking.page_html import MOST_BYTES, shelf
from tests import world
from tests.tracking.test_page import verified

pytestmark = [pytest.mark.django_db, pytest.mark.covers("T1")]


@pytest.fixture(autouse=True)
def empty_shelf() -> None:
    from django.core.cache import cache

    cache.clear()
    shelf.clear()


@pytest.fixture
def opened(client: Client) -> tuple[Delivery, str]:
    """A delivery whose page has been rendered a moment ago."""
    made = world.delivery()
    token = token_of(make_link(delivery=made))
    assert client.get(f"/t/{token}").status_code == 200
    return made, token


def kept(client: Client, path: str, **more: Any) -> tuple[Any, int]:
    """The answer, and how many queries it cost."""
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path, **more)
    return answer, len(seen)


def test_it_is_the_same_answer_for_one_query(client: Client, opened: tuple[Delivery, str]) -> None:
    path = f"/t/{opened[1]}"
    shelf.clear()
    rendered = client.get(path)
    again, queries = kept(client, path)
    assert queries == 1
    assert again.content == rendered.content
    assert dict(again.headers) == dict(rendered.headers)
    assert not again.cookies


@pytest.mark.covers("T1", "T22")
@pytest.mark.parametrize("kind", [Link.Kind.FULL, Link.Kind.VIEW])
def test_a_first_opening_reads_two_rows_and_shows_what_the_gate_shows(client: Client, kind: str) -> None:
    """In every state, word for word; one more write notes that somebody looked."""
    for state in State:
        token = token_of(make_link(delivery=world.delivery(state=state), kind=kind))
        client.get(f"/t/{token}")
        Link.objects.update(last_opened_at=None)
        shelf.clear()
        first, queries = kept(client, f"/t/{token}")
        shelf.clear()
        client.cookies[access.VERIFIED_COOKIE] = "of-somebody-else"
        through_the_gate = client.get(f"/t/{token}")
        del client.cookies[access.VERIFIED_COOKIE]
        assert first.content == through_the_gate.content, state
        assert dict(first.headers) == dict(through_the_gate.headers)
        assert queries <= 3 or state == State.FAILED


def test_a_dead_link_opens_nothing_that_is_kept(client: Client, opened: tuple[Delivery, str], now: Any) -> None:
    made, token = opened
    link = Link.objects.get(delivery=made)
    Link.objects.update(expires_at=now.instant - timedelta(seconds=1))
    assert client.get(f"/t/{token}").status_code == 404
    Link.objects.update(expires_at=now.instant + timedelta(days=1))
    assert client.get(f"/t/{token}").status_code == 200
    rotate_link(link=link, actor="agent:1")
    assert client.get(f"/t/{token}").status_code == 404
    fresh = token_of(Link.objects.get())
    assert client.get(f"/t/{fresh}").status_code == 200
    revoke_link(link=Link.objects.get(), actor="agent:1")
    assert client.get(f"/t/{fresh}").status_code == 404


def test_a_change_shows_at_once(client: Client, opened: tuple[Delivery, str]) -> None:
    made, token = opened
    move_state(delivery_id=made.pk, to=State.CANCELLED, actor="agent:1")
    assert "This delivery is cancelled" in client.get(f"/t/{token}").content.decode()


def test_every_language_has_its_own(client: Client, opened: tuple[Delivery, str]) -> None:
    path = f"/t/{opened[1]}"
    german = client.get(path, headers={"Accept-Language": "de"}).content.decode()
    assert 'lang="de"' in german
    assert 'lang="en"' in client.get(path).content.decode()
    again, queries = kept(client, path, headers={"Accept-Language": "de"})
    assert (again.content.decode(), queries) == (german, 1)


def test_what_is_verified_is_never_kept(client: Client, opened: tuple[Delivery, str]) -> None:
    path = f"/t/{opened[1]}"
    verified(client, opened[1])
    assert "Landstrasse 12" in client.get(path).content.decode()
    assert "Landstrasse 12" not in Client().get(path).content.decode()
    assert "Landstrasse 12" in client.get(path).content.decode()


def test_words_about_the_day_do_not_outlive_it(client: Client, opened: tuple[Delivery, str], now: Any) -> None:
    path = f"/t/{opened[1]}"
    assert "Arriving today," in client.get(path).content.decode()
    now.advance(days=-1)
    assert "Arriving tomorrow," in client.get(path).content.decode()


@pytest.mark.covers("T28")
def test_a_look_at_a_kept_page_is_a_look(client: Client, opened: tuple[Delivery, str], now: Any) -> None:
    path = f"/t/{opened[1]}"
    now.advance(seconds=59)
    assert kept(client, path)[1] == 1
    first = Link.objects.get()
    assert first.last_opened_at == first.first_opened_at == now.instant - timedelta(seconds=59)
    now.advance(seconds=2)
    client.get(path, headers={"User-Agent": "WhatsApp/2.23"})
    assert Link.objects.get().last_opened_at == first.last_opened_at
    client.get(path)
    assert Link.objects.get().last_opened_at == now.instant


def test_opening_too_often_is_throttled_as_ever(
    client: Client, opened: tuple[Delivery, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.deliveries.access.OPENS_PER_TOKEN", 5)
    codes = [client.get(f"/t/{opened[1]}").status_code for _ in range(12)]
    assert codes == [200] * 4 + [429] * 8, "the fixture opened it once"


@pytest.mark.django_db(transaction=True)
def test_sockets_and_pages_of_a_link_are_counted_together(
    client: Client, opened: tuple[Delivery, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One counter for all doors: nobody gets 300 at each."""
    monkeypatch.setattr(access, "OPENS_PER_TOKEN", 6)
    path = f"/t/{opened[1]}"
    assert [client.get(f"{path}{tail}").status_code for tail in ("", "/state", "/dot")] == [200] * 3
    entries = [async_to_sync(entry.entry_of)(opened[1], address="", cookie="") for _socket in range(3)]
    assert [found is not None for found in entries] == [True, True, False]
    assert [client.get(f"{path}{tail}").status_code for tail in ("", "/state", "/dot")] == [429] * 3
    assert page_row.plain_page(opened[1], -1) is None


def test_memory_is_bounded(now: Any) -> None:
    page = b"x" * 1_000_000
    for number in range(MOST_BYTES // len(page) + 20):
        shelf.put((str(number), 1, "en"), page, now.instant)
    assert shelf.get(("0", 1, "en"), now.instant) is None
    kept_now = sum(shelf.get((str(number), 1, "en"), now.instant) is not None for number in range(100))
    assert kept_now == MOST_BYTES // len(page)
