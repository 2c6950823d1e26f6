"""The tracking link over HTTP: what it answers, to whom, and what it never does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from apps.deliveries.models import Delivery, Link, Proof, StepUp
from apps.deliveries.services import make_link, revoke_link, rotate_link, token_of
from apps.deliveries.states import State
from apps.events.models import Event
from apps.tracking.models import PageSnapshot
from apps.tracking.selectors import page_document, page_texts
from tests import world
from tests.tracking.roads import on_route

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    from django.core.cache import cache

    cache.clear()


def tracked(**kind: Any) -> tuple[Delivery, str]:
    made = world.delivery(**kind)
    return made, token_of(make_link(delivery=made))


def verified(client: Client, token: str) -> None:
    from apps.deliveries import access as gate

    access = gate.open_link(token)
    step_up = gate.request_code(access=access, channel="sms")
    answer = client.post(f"/t/{token}/verify", {"code": gate.issue_code(step_up_id=step_up.pk)})
    assert answer.status_code == 302


@pytest.mark.covers("T1", "T21")
def test_every_dead_link_gets_the_same_answer(client: Client) -> None:
    """Unknown, mangled, expired, revoked and rotated tokens cannot be told apart, at any address below them."""
    made, good = tracked()
    expired, revoked, rotated = (make_link(delivery=made) for _ in range(3))
    old = token_of(rotated)
    rotate_link(link=rotated, actor="agent:1")
    revoke_link(link=revoked, actor="agent:1")
    Link.objects.filter(pk=expired.pk).update(expires_at=world.MORNING - timedelta(days=1))
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    dead = [
        token_of(expired),
        token_of(revoked),
        old,
        flipped,
        good[:-1],
        good.upper(),
        "x",
        "%00",
        "ẞ" * 8,
        "a" * 10_000,
    ]
    answers = [
        client.get(f"/t/{token}{tail}", REMOTE_ADDR=f"10.0.0.{number}")
        for number, token in enumerate(dead)
        for tail in ("", "/state", "/dot", "/live", "/verify", "/proof/1")
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = {answer.content for answer in answers}
    assert len(bodies) == 1
    assert client.get(f"/t/{good}").status_code == 200


@pytest.mark.covers("T1")
def test_guessing_is_throttled_by_address_and_by_token(client: Client) -> None:
    codes = [client.get(f"/t/{number:032d}").status_code for number in range(40)]
    assert set(codes) == {404, 429}
    _, token = tracked()
    assert client.get(f"/t/{token}", REMOTE_ADDR="10.0.0.9").status_code == 200


def test_the_page_keeps_its_secret_and_sets_no_cookie(client: Client) -> None:
    _, token = tracked()
    answer = client.get(f"/t/{token}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert not answer.cookies
    assert "Alpenkorb" in answer.content.decode()


@pytest.mark.covers("T28")
def test_opened_means_that_a_person_looked(client: Client, now: Any) -> None:
    """Previews and prefetches leave no trace; people once a minute at most."""
    made, token = tracked()
    client.head(f"/t/{token}")
    client.get(f"/t/{token}", headers={"Sec-Purpose": "prefetch"})
    client.get(f"/t/{token}", headers={"User-Agent": "WhatsApp/2.23"})
    assert made.links.get().first_opened_at is None
    client.get(f"/t/{token}")
    first = made.links.get()
    assert first.first_opened_at == first.last_opened_at == now.instant
    now.advance(seconds=30)
    client.get(f"/t/{token}")
    assert made.links.get().last_opened_at == first.last_opened_at
    now.advance(seconds=31)
    client.get(f"/t/{token}")
    assert made.links.get().last_opened_at == now.instant
    assert made.links.get().first_opened_at == first.first_opened_at


def test_reading_changes_nothing(client: Client) -> None:
    """Five link scanners on every address: the delivery's row and its history are as they were."""
    made, token = tracked()
    client.get(f"/t/{token}")
    before = Delivery.objects.filter(pk=made.pk).values().get()
    for _ in range(5):
        for tail in ("", "/state", "/dot", "/live", "/verify"):
            client.get(f"/t/{token}{tail}")
            client.head(f"/t/{token}{tail}")
    assert Delivery.objects.filter(pk=made.pk).values().get() == before
    assert not Event.objects.exists()
    assert not StepUp.objects.exists()


def test_polling_with_the_version_at_hand_gets_304(client: Client) -> None:
    made, token = tracked()
    page = client.get(f"/t/{token}/state").json()
    assert page["version"] == made.page_version
    assert client.get(f"/t/{token}/state?v={page['version']}").status_code == 304
    etag = client.get(f"/t/{token}/state")["ETag"]
    assert client.get(f"/t/{token}/state", headers={"If-None-Match": etag}).status_code == 304
    Delivery.objects.filter(pk=made.pk).update(state=State.PLANNED, page_version=2)
    assert client.get(f"/t/{token}/state?v={page['version']}").json()["status"] == "planned"


def test_a_prepared_page_is_one_row(client: Client, django_assert_max_num_queries: Any) -> None:
    _, token = tracked()
    client.get(f"/t/{token}")
    with django_assert_max_num_queries(2):
        client.get(f"/t/{token}")


@pytest.mark.covers("T2")
def test_the_code_from_the_contact_opens_the_second_tier_for_this_link_only(client: Client) -> None:
    _, token = tracked(state=State.OUT)
    _, other_token = tracked(name="Bob")
    verified(client, token)
    cookie = client.cookies["doorstep_verified"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", f"/t/{token}")
    assert client.get(f"/t/{token}/state").json()["place"]["street"] == "Landstrasse 12"
    assert Client().get(f"/t/{token}/state").json()["place"]["street"] is None
    stolen = Client(headers={"Cookie": f"doorstep_verified={cookie.value}"})
    assert stolen.get(f"/t/{other_token}/state").json()["tier"] == "link"


def test_a_verified_page_lies_encrypted_in_its_row(client: Client) -> None:
    _, token = tracked()
    client.get(f"/t/{token}")
    rows = dict(PageSnapshot.objects.values_list("tier", "document"))
    assert "Landstrasse" not in rows["verified"]
    assert rows["link"].startswith("{")


def test_a_retired_key_costs_a_page_nothing_but_its_row(client: Client) -> None:
    made, token = tracked()
    client.get(f"/t/{token}")
    PageSnapshot.objects.filter(tier="verified").update(document="gAAAAAB-not-made-by-any-key")
    assert page_document(made, "verified")["place"]["street"] == "Landstrasse 12"
    PageSnapshot.objects.filter(tier="verified").update(document="gAAAAAB-not-made-by-any-key")
    assert set(page_texts([made.pk])[made.pk]) == {"link", "verified"}


def test_a_wrong_code_is_told_in_words_and_never_verifies(client: Client) -> None:
    _, token = tracked()
    answer = client.post(f"/t/{token}/verify", {"code": "000000"})
    assert answer.status_code == 422
    assert "doorstep_verified" not in answer.cookies
    assert client.post(f"/t/{token}/verify", {"channel": "carrier pigeon"}).status_code == 422
    assert client.post(f"/t/{token}/verify", {"channel": "sms", "next": "https://evil.example"})["Location"].endswith(
        "next=page"
    )


def test_a_forged_form_is_refused() -> None:
    _, token = tracked()
    assert Client(enforce_csrf_checks=True).post(f"/t/{token}/verify", {"channel": "sms"}).status_code == 403
    assert not StepUp.objects.exists()


@pytest.mark.covers("T12")
def test_the_photo_exists_for_verified_eyes_of_this_delivery_only(client: Client) -> None:
    made, token = tracked(state=State.DELIVERED)
    _, other_token = tracked(name="Bob")
    photo = Proof.objects.create(delivery=made, kind="photo", taken_at=world.MORNING)
    photo.image.save("door.jpg", ContentFile(b"\xff\xd8\xff\xe0 a door"))
    assert "/proof/" not in client.get(f"/t/{token}").content.decode()
    verified(client, token)
    signed = client.get(f"/t/{token}").content.decode().partition("/proof/")[2].partition('"')[0]
    answer = client.get(f"/t/{token}/proof/{signed}")
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"
    verified(client, other_token)
    assert client.get(f"/t/{other_token}/proof/{signed}").status_code == 404


@pytest.mark.covers("T22")
def test_a_share_link_shows_and_changes_nothing(client: Client) -> None:
    made = world.delivery(state=State.OUT)
    token = token_of(make_link(delivery=made, kind=Link.Kind.VIEW))
    page = client.get(f"/t/{token}/state").json()
    assert page["view_only"]
    assert not any(action["open"] for action in page["actions"])
    assert client.get(f"/t/{token}").status_code == 200
    assert client.get(f"/t/{token}/verify").status_code == 404


def test_tiles_are_served_as_they_lie(client: Client, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "9/1").mkdir(parents=True)
    (tmp_path / "9/1/2.pbf").write_bytes(b"\x1f\x8b tile")
    settings.TILES_DIR = tmp_path
    answer = client.get("/tiles/9/1/2.pbf")
    assert (answer["Content-Encoding"], answer.content) == ("gzip", b"\x1f\x8b tile")
    assert "max-age" in answer["Cache-Control"]
    assert client.get("/tiles/9/1/3.pbf").status_code == 204
    assert client.get("/tiles/9/..%2f..%2fetc/3.pbf").status_code == 404


def test_forty_stops_of_a_van_do_not_show_in_a_neighbours_page(client: Client) -> None:
    """Nothing in the document names, counts or places anybody else but the number of stops before this one."""
    mine, token = tracked(name="Alice", state=State.OUT)
    others = [world.delivery("Bob", state=State.OUT).pk for _ in range(3)]
    on_route([*others, mine.pk])
    text = client.get(f"/t/{token}/state").content.decode()
    assert "Schaan" not in text
    assert "Feldkircher" not in text
