"""After a day of everything, nobody's name, address, phone or code lies where it does not belong."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache

from apps.core.logs import scrub
from apps.deliveries import access, services
from apps.deliveries.models import AccessCode, CollectionCode, Delivery, Link, StepUp
from apps.deliveries.states import State
from apps.events.models import Event
from apps.storefront.services import add_endpoint
from tests import world
from tests.attacks.traces import PEOPLE, holds, stored, traces
from tests.notifications.conftest import phone_table, texts, wire  # noqa: F401  (fixtures)
from tests.redirection.points import point
from tests.storefront import endpoint as server
from tests.storefront.shop import Shop, ground, order
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db
NAME, PHONE, EMAIL, DOOR = "Zdenka Oberhuber", "+4237917766", "zdenka.oberhuber@example.org", "90471#"
OPENERS = {"tracking token", "API key", "cookie"}
# The phone of the demo is the phone itself; what it shows, its owner sees.
PHONE_ITSELF = frozenset({"demo_phonemessage"})


@pytest.fixture(autouse=True)
def fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    settings.WEBHOOKS_MAY_CALL_LOOPBACK = True
    monkeypatch.setattr(server, "PORT", 8795)


@pytest.fixture
def hooks() -> Iterator[server.Endpoint]:
    with server.listening() as listening:
        listening.url = "http://127.0.0.1:8795/hooks"
        yield listening


def a_day(hooks: server.Endpoint, drain: Callable[..., int], read: Callable[..., list[str]]) -> dict[str, str]:
    """Zdenka's delivery through every face; the secrets that came up on the way."""
    ground()
    shop = Shop()
    add_endpoint(merchant=shop.merchant, url=hooks.url)
    person = {"name": NAME, "phone": PHONE, "email": EMAIL}
    made = shop.post(order("Z-1", recipient=person, parcels=[{**order()["parcels"][0], "description": "Secret gift"}]))
    assert made.status_code == 201, made.content
    drain()
    delivery = Delivery.objects.get(order__reference="Z-1")
    token = services.token_of(Link.objects.get(delivery=delivery))
    shopper = Shopper(token)
    shopper.follow("/time$").follow("window=").send()
    drain()
    shopper.open(shopper.page_address).follow("/instructions$").send(note=f"Ring twice. The code is {DOOR}")
    # The new place will make it be thrown away.
    assert AccessCode.objects.get(delivery=delivery).code == DOOR
    assert traces({"door code": DOOR.rstrip("#")}) == []
    shopper.open(f"{shopper.page_address}/verify?next=place").send(channel="sms")
    drain()
    code = next(text for text in reversed(read()) if "is your code" in text).split(": ")[1][:6]
    point()
    shopper.send(code=code).follow("point=post-vaduz").send()
    drain(planner=False)
    for state in (State.LOADED, State.OUT):
        services.move_state(delivery_id=delivery.pk, to=state, actor="driver:1")
    drain()
    return {
        "name": NAME,
        "phone": PHONE,
        "national phone": PHONE[4:],
        "e-mail": EMAIL,
        "door code": DOOR.rstrip("#"),
        "one-time code": code,
        "tracking token": token,
        "API key": shop.key,
        "cookie": shopper.client.cookies[access.VERIFIED_COOKIE].value,
    }


@pytest.mark.covers("GS1", "I2")
def test_no_trace_in_rows_logs_webhooks_or_addresses(
    hooks: server.Endpoint,
    drain: Callable[..., int],
    wire: Any,  # noqa: F811
    texts: Callable[..., list[str]],  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = a_day(hooks, drain, texts)
    delivery = Delivery.objects.get(order__reference="Z-1")
    if collection := CollectionCode.objects.filter(delivery=delivery).first():
        secrets["collection code"] = collection.code

    codes = {
        name: secrets[name] for name in secrets if "code" in name or name in {"tracking token", "API key", "cookie"}
    }
    # Codes and tokens: in no column of any table, people's own included, the phone itself apart.
    assert traces(codes, without=PHONE_ITSELF) == []
    people = {**secrets, "street": delivery.home.street}
    assert traces(people, without=PEOPLE | PHONE_ITSELF) == []

    # They were really there to be found.
    assert StepUp.objects.filter(verified_at__isnull=False).exists()
    assert NAME in stored()["deliveries_contact.name"]

    sent = [body.decode() + str(headers) for _path, headers, body in hooks.calls]
    assert len(sent) >= 3
    for name, secret in people.items():
        assert not [one for one in sent if holds(one, secret)], f"{name} in a webhook"
        assert not [to.url for to in wire.requests if holds(str(to.url), secret)], f"{name} in an address"

    # Queries are logged by Django under DEBUG only, which settings.py switches off for django.db.backends.
    lines = [record for record in caplog.records if not record.name.startswith(("django.db", "faker"))]
    logged = "\n".join(scrub(record.getMessage()) for record in lines)
    for name, secret in secrets.items():
        assert not holds(logged, secret), f"{name} in a log line"
    assert [letter.to for letter in mail.outbox] in ([], [[EMAIL]] * len(mail.outbox))


def test_the_search_finds_what_is_planted() -> None:
    """The control: one name and one code in one event are seen, the code's digits in a time's microseconds are not."""
    delivery = world.delivery()
    at = world.MORNING.replace(microsecond=904711)
    Event.objects.create(kind="delivery.created", delivery_id=delivery.pk, payload={"who": NAME, "code": DOOR}, at=at)
    secrets = {"name": NAME, "code": DOOR.rstrip("#")}
    assert traces(secrets, without=PEOPLE) == ["code: events_event.payload", "name: events_event.payload"]
