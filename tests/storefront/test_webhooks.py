"""A merchant's endpoint hears of its deliveries: signed, thin, tried again on schedule, given up in the end."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.events.models import Event, Reaction
from apps.events.services import rerun, sweep
from apps.events.supervisor import Supervisor
from apps.merchants.models import WebhookEndpoint
from apps.storefront import outbound, services
from apps.storefront.models import WebhookAttempt
from apps.storefront.rules import signed_headers
from tests import world
from tests.storefront.endpoint import Endpoint, listening, raw, status
from tests.storefront.shop import Shop, ground, order

pytestmark = pytest.mark.django_db
SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.WEBHOOKS_MAY_CALL_LOOPBACK = True


def register(shop: Shop, endpoint: Endpoint) -> tuple[WebhookEndpoint, str]:
    return services.add_endpoint(merchant=shop.merchant, url=endpoint.url)


def independent_check(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The specification by hand: HMAC-SHA-256 over id.timestamp.body with the decoded secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split(" ")


@pytest.mark.covers("M5")
def test_signatures_match_the_specifications_vector() -> None:
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.covers("M5")
def test_creating_and_cancelling_is_told_signed_and_without_personal_data(
    shop: Shop, drain: Callable[..., int]
) -> None:
    with listening() as endpoint:
        _row, secret = register(shop, endpoint)
        made = shop.post(order()).json()
        shop.cancel(made["id"], {"reason": "out_of_stock"})
        drain()
    kinds = [json.loads(body)["type"] for _path, _headers, body in endpoint.calls]
    assert kinds[0] == "delivery.created"
    assert {"delivery.state_changed", "delivery.cancelled"} <= set(kinds)
    assert len({headers["webhook-id"] for _path, headers, _body in endpoint.calls}) == len(endpoint.calls)
    for path, headers, body in endpoint.calls:
        assert path == "/hooks?from=doorstep"
        assert Webhook(secret).verify(body, headers)["data"]["id"] == made["id"]
        assert independent_check(secret, headers, body)
        for word in (b"Alice", b"Muster", b"791", b"alice@", b"Landstrasse", b"/t/", b"A-1001"):
            assert word not in body
    cancelled = json.loads(endpoint.calls[kinds.index("delivery.cancelled")][2])
    assert cancelled["data"] == {"id": made["id"], "reason": "out_of_stock"}


@pytest.mark.covers("M5", "GS1")
def test_a_forged_or_old_message_fails_verification(shop: Shop, drain: Callable[..., int]) -> None:
    """Attack 23, as a receiver that follows our documentation would notice it."""
    with listening() as endpoint:
        _row, secret = register(shop, endpoint)
        shop.post(order())
        drain()
    _path, headers, body = endpoint.calls[0]
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    for changed, wrong_body in ((headers, body + b" "), (old, body), ({**headers, "webhook-id": "msg_x"}, body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(wrong_body, changed)


@pytest.mark.covers("M5", "GS1")
def test_the_secret_is_in_no_row_and_on_no_page(shop: Shop, admin_client: Client) -> None:
    with listening() as endpoint:
        row, secret = register(shop, endpoint)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM merchants_webhookendpoint")
        assert secret.removeprefix("whsec_") not in str(cursor.fetchall())
    row.refresh_from_db()
    assert row.secret == secret
    assert "secret" not in str(shop.get().json())
    for page in ("webhookattempt/", "keptanswer/"):
        assert admin_client.get(f"/admin/storefront/{page}").status_code == 200


@pytest.mark.covers("M5")
def test_only_the_own_merchants_live_endpoints_hear(shop: Shop, drain: Callable[..., int]) -> None:
    other = Shop(world.merchant("nordlicht", "Nordlicht"))
    with listening() as endpoint:
        register(other, endpoint)
        off, _secret = register(shop, endpoint)
        services.disable_endpoint(endpoint_id=off.pk, reason="by_hand")
        shop.post(order())
        drain()
    assert endpoint.calls == []


class Wall:
    """The wall's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = clock.wall()
        monkeypatch.setattr(clock, "wall", lambda: self.now)

    def run_webhooks(self) -> int:
        return sweep("webhooks", limit=500, seconds=60.0)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


def one_webhook(shop: Shop, endpoint: Endpoint) -> Reaction:
    """A single message that waits to be sent."""
    register(shop, endpoint)
    delivery = world.delivery(sender=shop.merchant)
    event = Event.objects.create(kind="delivery.created", delivery_id=delivery.pk, at=clock.now())
    assert services.ask_for_webhooks(event_id=event.pk, delivery_id=delivery.pk) == 1
    assert services.ask_for_webhooks(event_id=event.pk, delivery_id=delivery.pk) == 0, "the handler may run twice"
    return Reaction.objects.get(lane="webhooks")


@pytest.mark.covers("M5", "GR7")
def test_a_dead_endpoint_is_tried_on_schedule_then_switched_off_with_an_event(shop: Shop, wall: Wall) -> None:
    with listening(status(500)) as endpoint:
        reaction = one_webhook(shop, endpoint)
        for pause in SCHEDULE:
            assert wall.run_webhooks() == 1
            reaction.refresh_from_db()
            assert reaction.next_try_at - wall.now == timedelta(seconds=pause)
            wall.now += timedelta(seconds=pause - 1)
            assert wall.run_webhooks() == 0
            wall.now += timedelta(seconds=1)
        assert wall.run_webhooks() == 1
        reaction.refresh_from_db()
        assert reaction.state == Reaction.State.PARKED
        assert len(endpoint.calls) == 8
        assert len({headers["webhook-id"] for _path, headers, _body in endpoint.calls}) == 1
        assert len({headers["webhook-timestamp"] for _path, headers, _body in endpoint.calls}) == 8
        assert len({body for _path, _headers, body in endpoint.calls}) == 1
    attempts = list(WebhookAttempt.objects.order_by("number").values_list("number", "outcome", "status"))
    assert attempts == [(number, "rejected", 500) for number in range(1, 9)]
    assert not WebhookEndpoint.objects.get().is_active
    event = Event.objects.get(kind="storefront.endpoint_disabled")
    assert event.payload["reason"] == "rejected"


@pytest.mark.covers("M5", "GR7")
def test_an_endpoint_that_comes_back_is_told_once_and_can_be_replayed(shop: Shop, wall: Wall) -> None:
    with listening(status(503, Retry_After="900"), status(204)) as endpoint:
        reaction = one_webhook(shop, endpoint)
        wall.run_webhooks()
        reaction.refresh_from_db()
        assert reaction.next_try_at - wall.now == timedelta(seconds=900), "Retry-After is obeyed"
        wall.now += timedelta(seconds=900)
        wall.run_webhooks()
        reaction.refresh_from_db()
        assert reaction.state == Reaction.State.DONE
        rerun(reaction)
        wall.run_webhooks()
        assert len(endpoint.calls) == 2, "an accepted message is not sent again"
    assert WebhookEndpoint.objects.get().is_active


@pytest.mark.covers("M5", "GR7")
def test_gone_switches_the_endpoint_off_at_once(shop: Shop, wall: Wall) -> None:
    with listening(status(410)) as endpoint:
        one_webhook(shop, endpoint)
        wall.run_webhooks()
    assert not WebhookEndpoint.objects.get().is_active
    assert Event.objects.get(kind="storefront.endpoint_disabled").payload["reason"] == "gone"


@pytest.mark.covers("M5", "GS1")
def test_redirects_are_failures_and_not_followed(shop: Shop, wall: Wall) -> None:
    """Attack 22."""
    with listening(status(307, Location="http://127.0.0.1:8781/inner"), status(302, Location="/inner")) as endpoint:
        one_webhook(shop, endpoint)
        wall.run_webhooks()
        wall.now += timedelta(seconds=5)
        wall.run_webhooks()
        assert [path for path, _headers, _body in endpoint.calls] == ["/hooks?from=doorstep"] * 2
    assert set(WebhookAttempt.objects.values_list("outcome", "status")) == {("rejected", 307), ("rejected", 302)}


def endless_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(1_000_000):
        yield b"X-%d: %s\r\n" % (number, b"a" * 1000)


def one_byte_at_a_time() -> Iterator[bytes]:
    for byte in b"HTTP/1.1 200 OK\r\n" * 100:
        yield bytes([byte])
        sleep(0.1)


def endless_body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    while True:
        yield b"\0" * 65_536


def no_http() -> Iterator[bytes]:
    yield b"SSH-2.0-OpenSSH_9.9\r\n\r\n"


def hints_first() -> Iterator[bytes]:
    yield b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n"


@pytest.mark.covers("M5", "GS1")
@pytest.mark.parametrize(
    ("reply", "outcome", "reason"),
    [
        (endless_head, "unreachable", "not_http"),
        (one_byte_at_a_time, "timed_out", "timed_out"),
        (no_http, "unreachable", "not_http"),
        (endless_body, "accepted", ""),
        (hints_first, "accepted", ""),
    ],
)
def test_odd_answers_cost_neither_memory_nor_time(
    shop: Shop, wall: Wall, monkeypatch: pytest.MonkeyPatch, reply: Any, outcome: str, reason: str
) -> None:
    """Attack 22. The time-out is the same rule as in production, only shorter."""
    monkeypatch.setattr(outbound.post, "__kwdefaults__", {"timeout": 1.0})
    with listening(raw(reply)) as endpoint:
        one_webhook(shop, endpoint)
        started = monotonic()
        wall.run_webhooks()
        assert monotonic() - started < 5
    attempt = WebhookAttempt.objects.get()
    assert (attempt.outcome, attempt.reason) == (outcome, reason)


@pytest.mark.covers("M5", "GR7")
def test_nobody_listening_is_a_failure_with_a_row(shop: Shop, wall: Wall) -> None:
    one_webhook(shop, Endpoint([]))
    wall.run_webhooks()
    attempt = WebhookAttempt.objects.get()
    assert (attempt.outcome, attempt.reason) == ("unreachable", "no_connection")
    assert attempt.ended_at is not None
    assert outbound.TIMEOUT_SECONDS == 15


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("M5", "GR1")
def test_a_try_that_was_killed_leaves_a_row_and_the_next_one_tells() -> None:
    ground()
    shop = Shop()
    with listening() as endpoint:
        reaction = one_webhook(shop, endpoint)
        told = reaction.payload["told"]
        WebhookAttempt.objects.create(
            endpoint_id=reaction.payload["endpoint"],
            event_id=told,
            kind="delivery.created",
            message_id="msg_x",
            number=1,
            started_at=clock.wall(),
        )
        assert sweep("webhooks", limit=5, seconds=20) == 1
        assert len(endpoint.calls) == 1
    assert list(WebhookAttempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lost", "accepted"]
    assert threading.active_count() < 10
    assert Delivery.objects.count() == 1


@pytest.mark.covers("M5", "GR7")
def test_a_dead_endpoint_with_much_to_hear_holds_the_lane_up_once(shop: Shop, wall: Wall) -> None:
    """The others wait a minute without a call of their own, and are told when it is back."""
    quiet = Endpoint([])
    register(shop, quiet)
    for _number in range(6):
        delivery = world.delivery(sender=shop.merchant)
        event = Event.objects.create(kind="delivery.created", delivery_id=delivery.pk, at=clock.now())
        services.ask_for_webhooks(event_id=event.pk, delivery_id=delivery.pk)
    wall.run_webhooks()
    assert WebhookAttempt.objects.count() == 1
    with listening() as endpoint:
        wall.now += timedelta(seconds=61)
        wall.run_webhooks()
        assert len(endpoint.calls) == 6


@pytest.mark.covers("M5", "GR7")
def test_a_code_does_not_wait_for_a_shops_slow_endpoint(shop: Shop) -> None:
    """What sends texts never meets a webhook: they are different work for different processes."""
    with listening() as endpoint:
        one_webhook(shop, endpoint)
        assert sweep("slow", limit=500) == 0
        assert endpoint.calls == []
    serving = {group.name: group.command for group in Supervisor("lanes-apart").groups}
    assert serving["webhooks"][:3] == ["sweep", "--lane", "webhooks"]
    assert serving["slow"][:3] == ["sweep", "--lane", "slow"]
