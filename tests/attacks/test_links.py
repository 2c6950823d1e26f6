"""What strangers, forwarders and forgers try with a tracking link over HTTP (attack list 1, 3, 4, 7, 8, 12)."""

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.deliveries import access as gate
from apps.deliveries.models import AccessCode, Delivery, Link, StepUp
from apps.deliveries.services import make_link, token_of
from apps.events.models import Event
from apps.instructions.models import Instruction
from tests import world
from tests.redirection.points import point
from tests.storefront.shop import Shop

pytestmark = pytest.mark.django_db
TAILS = ("", "/state", "/dot", "/live", "/time", "/place", "/instructions", "/cancel", "/verify")
FORMS = ("time", "place", "instructions", "cancel", "verify")


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def alice() -> Delivery:
    return world.planned_day()[0]


@pytest.fixture
def token(alice: Delivery) -> str:
    return token_of(make_link(delivery=alice))


def snapshot(delivery: Delivery) -> tuple[Any, ...]:
    return (
        Delivery.objects.filter(pk=delivery.pk).values().get(),
        list(Instruction.objects.values()),
        list(AccessCode.objects.values("pk")),
        Event.objects.count(),
        StepUp.objects.count(),
    )


@pytest.mark.covers("GS1", "T1")
def test_2000_guesses_from_as_many_addresses_all_look_the_same(client: Client, alice: Delivery) -> None:
    number, reference = alice.pk, alice.order.reference
    sequential = [str(number + step) for step in range(-5, 200)]
    known = [reference, alice.public_id, alice.recipient.phone, alice.recipient.email, alice.place.postcode]
    guesses = [*known, *sequential, *(secrets.token_urlsafe(24) for _ in range(2000 - len(known) - len(sequential)))]
    answers = {}
    for index, guess in enumerate(guesses):
        answer = client.get(f"/t/{guess}/state", REMOTE_ADDR=f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}")
        headers = tuple(sorted((name, value) for name, value in answer.headers.items()))
        answers[answer.status_code, answer.content, headers] = guess
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


@pytest.mark.covers("GS1", "T1")
def test_one_address_may_not_guess_on(client: Client, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [client.get(f"/t/{secrets.token_urlsafe(24)}").status_code for _ in range(40)]
    assert codes[0] == 404
    assert codes[-1] == 429
    # The control: without the limit it goes on.
    cache.clear()
    monkeypatch.setattr(gate, "MISSES_PER_ADDRESS", 10_000)
    assert client.get(f"/t/{secrets.token_urlsafe(24)}").status_code == 404
    assert {client.get(f"/t/{secrets.token_urlsafe(24)}").status_code for _ in range(40)} == {404}


@pytest.mark.covers("GS1")
def test_an_address_made_up_by_the_caller_does_not_help(client: Client) -> None:
    codes = [
        client.get(f"/t/{secrets.token_urlsafe(24)}", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}").status_code
        for number in range(40)
    ]
    assert codes[-1] == 429


@pytest.mark.covers("GS1")
def test_behind_our_proxy_callers_are_told_apart_and_cannot_choose(client: Client, settings: Any) -> None:
    settings.PROXY_HOPS = 1

    def ask(claimed: str, real: str) -> int:
        forwarded = f"{claimed}, {real}"
        return client.get(f"/t/{secrets.token_urlsafe(24)}", HTTP_X_FORWARDED_FOR=forwarded).status_code

    assert [ask(f"198.51.100.{number}", "203.0.113.5") for number in range(40)][-1] == 429
    assert ask("198.51.100.1", "203.0.113.6") == 404


@pytest.mark.covers("GS1")
def test_a_token_opens_nothing_in_the_api_and_a_key_no_page(client: Client, alice: Delivery, token: str) -> None:
    own, other = Shop(alice.merchant), Shop(world.merchant("bergladen", "Bergladen"))
    assert own.get(f"/api/v1/deliveries/{alice.public_id}").status_code == 200
    assert other.get(f"/api/v1/deliveries/{alice.public_id}").status_code == 404
    assert other.get(f"/api/v1/deliveries/{token}").status_code == 404
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    assert client.get("/api/v1/deliveries", **bearer).status_code == 401
    assert client.get(f"/t/{own.key}").status_code == 404
    assert client.get("/driver/api/route", HTTP_AUTHORIZATION=f"Device {token}").status_code in {401, 403, 404}
    assert client.get(f"/point/{token}").status_code == 404


@pytest.mark.covers("GS1")
def test_ids_of_another_delivery_in_a_form_change_nothing(client: Client, token: str) -> None:
    bob = Delivery.objects.get(recipient__name="Bob Muster")
    before = Delivery.objects.filter(pk=bob.pk).values().get()
    foreign = {"delivery": bob.pk, "delivery_id": bob.pk, "id": bob.pk, "public_id": bob.public_id, "revision": "1"}
    for form in FORMS:
        client.post(f"/t/{token}/{form}", {**foreign, "note": "for Bob", "safe_place": "porch", "channel": "sms"})
        client.get(f"/t/{token}/{form}", foreign)
    assert Delivery.objects.filter(pk=bob.pk).values().get() == before
    assert not Instruction.objects.filter(delivery=bob).exists()
    assert not StepUp.objects.filter(link__delivery=bob).exists()
    for tail in TAILS:
        assert "Bob" not in client.get(f"/t/{token}{tail}", foreign, follow=True).content.decode()


@pytest.mark.covers("GS1")
def test_every_page_under_a_link_is_kept_by_nobody_and_tells_nobody(client: Client, token: str) -> None:
    for tail in TAILS:
        answer = client.get(f"/t/{token}{tail}")
        assert "no-store" in answer["Cache-Control"], tail
        assert "private" in answer["Cache-Control"], tail
        assert answer["Referrer-Policy"] in {"no-referrer", "same-origin"}, tail
        assert "noindex" in answer["X-Robots-Tag"], tail
        assert answer["X-Frame-Options"] == "DENY", tail
        page = answer.content.decode()
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
        assert title is None or token not in title[1], tail
        loaded = re.findall(r"<(?:script|link|img|iframe|source)[^>]+(?:src|href)=\"([^\"]+)\"", page)
        assert not [address for address in loaded if re.match(r"(?:https?:)?//", address)], tail
        assert "unsafe" not in answer["Content-Security-Policy"], tail


@pytest.mark.covers("GS1")
def test_scanners_and_prefetchers_change_nothing(client: Client, alice: Delivery, token: str) -> None:
    """A message preview opens every address, with every form's fields as a query."""
    point()
    for tail in TAILS:
        client.get(f"/t/{token}{tail}")
    before = snapshot(alice)
    window = world.hours(14, 16)
    query = {
        "window": f"{int(window.earliest.timestamp())}-{int(window.latest.timestamp())}",
        "revision": alice.revision,
        "note": "from a robot",
        "safe_place": "porch",
        "channel": "sms",
        "point": "post-vaduz",
        "confirm": "1",
        "yes": "1",
    }
    for _bot in range(5):
        for tail in TAILS:
            client.get(f"/t/{token}{tail}", query, headers={"User-Agent": "WhatsApp/2.23"})
            client.head(f"/t/{token}{tail}", query)
            client.options(f"/t/{token}{tail}")
    assert snapshot(alice) == before
    # The control: what they fetched does change things for whoever sends it as a form.
    client.post(f"/t/{token}/instructions", {**query, "safe_place": "in_person"})
    assert snapshot(alice) != before
    assert Instruction.objects.get(delivery=alice).note == "from a robot"


@pytest.mark.covers("GS1")
@pytest.mark.parametrize("form", FORMS)
def test_a_form_sent_from_elsewhere_is_refused(form: str, alice: Delivery, token: str) -> None:
    data = {"note": "forged", "safe_place": "in_person", "revision": str(alice.revision), "channel": "sms"}
    forged = Client(enforce_csrf_checks=True).post(f"/t/{token}/{form}", data)
    assert forged.status_code == 403
    assert not Instruction.objects.exists()
    assert not StepUp.objects.exists()
    foreign = Client(enforce_csrf_checks=True).post(f"/t/{token}/{form}", data, HTTP_ORIGIN="https://evil.example")
    assert foreign.status_code == 403


def test_the_same_form_without_the_check_would_have_been_taken(alice: Delivery, token: str) -> None:
    """The control of the test above."""
    data = {"note": "forged", "safe_place": "in_person", "revision": str(alice.revision)}
    Client(enforce_csrf_checks=False).post(f"/t/{token}/instructions", data)
    assert Instruction.objects.get().note == "forged"


def attempts(token: str, delivery: Delivery) -> list[Callable[[Client], Any]]:
    form = {"revision": str(delivery.revision)}
    return [
        lambda client: client.post(f"/t/{token}/place", {**form, "point": "post-vaduz"}),
        lambda client: client.post(f"/t/{token}/place", {**form, "street": "Landstrasse 1", "town": "Vaduz"}),
        lambda client: client.post(f"/t/{token}/instructions", {**form, "safe_place": "porch"}),
        lambda client: client.post(f"/t/{token}/instructions", {**form, "access_code": "4711"}),
        lambda client: client.post(f"/t/{token}/cancel", form),
    ]


@pytest.mark.covers("GS1", "G7")
def test_the_link_alone_moves_no_goods(client: Client, alice: Delivery, token: str) -> None:
    point()
    before = snapshot(alice)
    for attempt in attempts(token, alice):
        attempt(client)
    assert snapshot(alice) == before


@pytest.mark.covers("GS1", "G7")
def test_a_cookie_of_another_delivery_is_no_proof(client: Client, alice: Delivery, token: str) -> None:
    point()
    bob = Delivery.objects.get(recipient__name="Bob Muster")
    own = gate.open_link(token_of(make_link(delivery=bob)))
    step_up = gate.request_code(access=own, channel="sms")
    client.cookies[gate.VERIFIED_COOKIE] = gate.verify_code(access=own, code=gate.issue_code(step_up_id=step_up.pk))
    before = snapshot(alice)
    for attempt in attempts(token, alice):
        attempt(client)
    assert snapshot(alice) == before


def test_with_the_right_code_the_same_attempts_work(client: Client, alice: Delivery, token: str) -> None:
    """The control of the two tests above."""
    opened = gate.open_link(token)
    step_up = gate.request_code(access=opened, channel="sms")
    client.cookies[gate.VERIFIED_COOKIE] = gate.verify_code(access=opened, code=gate.issue_code(step_up_id=step_up.pk))
    attempts(token, alice)[2](client)
    assert Instruction.objects.get(delivery=alice).safe_place == "porch"


@pytest.mark.covers("GS1")
def test_a_revoked_link_gives_away_nothing_at_once(client: Client, token: str) -> None:
    client.get(f"/t/{token}")
    Link.objects.update(revoked_at=world.MORNING)
    for tail in TAILS:
        answer = client.get(f"/t/{token}{tail}")
        assert answer.status_code == 404, tail
        assert "Alice" not in answer.content.decode()
        assert "Vaduz" not in answer.content.decode()
