"""Staff add webhook endpoints; the secret is seen once, and other merchants' rows never."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.core import clock
from apps.merchants.models import Membership, WebhookEndpoint
from apps.storefront import services
from apps.storefront.models import KeptAnswer, WebhookAttempt
from tests import world
from tests.storefront.shop import Shop, order

pytestmark = pytest.mark.django_db
ENDPOINTS = "/admin/merchants/webhookendpoint/"
URL = "http://127.0.0.1:8781/hooks"


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.WEBHOOKS_MAY_CALL_LOOPBACK = True


def owner_of(slug: str) -> Client:
    user = User.objects.create_user(f"owner-of-{slug}", password="x", is_staff=True)
    Membership.objects.create(user=user, merchant=world.merchant(slug, slug), role=Membership.Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.covers("M5", "GS1")
def test_an_owner_adds_an_endpoint_and_sees_its_secret_once() -> None:
    client = owner_of("alpenkorb")
    refused = client.post(f"{ENDPOINTS}add/", {"merchant": world.merchant().pk, "url": "https://169.254.169.254/"})
    assert refused.status_code == 200
    assert not WebhookEndpoint.objects.exists()
    shown = client.post(f"{ENDPOINTS}add/", {"merchant": world.merchant().pk, "url": URL}, follow=True)
    row = WebhookEndpoint.objects.get()
    assert row.secret.startswith("whsec_")
    assert row.is_active
    assert row.secret in shown.content.decode().replace("&#x2B;", "+")
    for page in (ENDPOINTS, f"{ENDPOINTS}{row.pk}/change/", f"{ENDPOINTS}{row.pk}/history/"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert row.secret.removeprefix("whsec_") not in answer.content.decode()
    changed = client.post(f"{ENDPOINTS}{row.pk}/change/", {"url": "https://evil.example.com/"})
    assert changed.status_code == 302
    row.refresh_from_db()
    assert row.url == URL
    assert not row.is_active, "an unticked box switches it off"


@pytest.mark.covers("M5", "GS1")
def test_another_merchants_rows_are_not_there(shop: Shop) -> None:
    row, _secret = services.add_endpoint(merchant=shop.merchant, url=URL)
    shop.post(order(), key="k")
    attempt = WebhookAttempt.objects.create(
        endpoint=row, event_id=1, kind="delivery.created", message_id="msg_1", number=1, started_at=clock.wall()
    )
    kept = KeptAnswer.objects.get()
    own, other = owner_of("alpenkorb"), owner_of("nordlicht")
    pages = [
        (f"{ENDPOINTS}", row.pk, URL),
        ("/admin/storefront/webhookattempt/", attempt.pk, URL),
        ("/admin/storefront/keptanswer/", kept.pk, "Alpenkorb"),
    ]
    for page, pk, word in pages:
        assert word in own.get(page).content.decode()
        assert own.get(f"{page}{pk}/change/").status_code == 200
        assert word not in other.get(page).content.decode()
        assert other.get(f"{page}{pk}/change/").status_code == 302
    assert "/t/" not in own.get(f"/admin/storefront/keptanswer/{kept.pk}/change/").content.decode()
