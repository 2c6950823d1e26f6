"""A key opens one merchant, is shown once, and dies at once."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from apps.core.errors import NotAllowed
from apps.merchants import access, services
from apps.merchants.models import ApiKey, Membership, Merchant
from tests import world
from tests.conftest import FrozenClock

pytestmark = pytest.mark.django_db


def test_the_key_is_found_and_never_stored() -> None:
    row, key = services.make_api_key(merchant=world.merchant(), name="Shop")
    assert key.startswith(f"ds_{row.prefix}_")
    found = services.find_api_key(key)
    assert found == row
    assert found.merchant.slug == "alpenkorb"
    secret = key.split("_", 2)[2]
    assert not any(secret in str(value) for value in ApiKey.objects.values().get().values())


def test_keys_with_underscores_in_their_secret_work() -> None:
    for _many in range(40):
        row, key = services.make_api_key(merchant=world.merchant(), name="Shop")
        assert services.find_api_key(key) == row


def test_everything_else_opens_nothing() -> None:
    _row, key = services.make_api_key(merchant=world.merchant(), name="Shop")
    mangled = [
        "",
        "_",
        "__",
        "ds",
        key[:-1],
        key + "x",
        key.upper(),
        key.replace("ds_", "xx_"),
        "ds_\0_x",
        "\ud800",
        "é" * 999,
    ]
    assert [services.find_api_key(text) for text in mangled] == [None] * len(mangled)


def test_a_revoked_key_and_a_closed_merchant_open_nothing() -> None:
    merchant = world.merchant()
    row, key = services.make_api_key(merchant=merchant, name="Shop")
    _other, second = services.make_api_key(merchant=merchant, name="Shop 2")
    assert services.revoke_api_key(key=row)
    assert not services.revoke_api_key(key=row)
    assert services.find_api_key(key) is None
    merchant.is_active = False
    merchant.save()
    assert services.find_api_key(second) is None


def test_use_is_noted_once_a_minute(now) -> None:
    row, key = services.make_api_key(merchant=world.merchant(), name="Shop")
    first = now.instant
    services.find_api_key(key)
    now.advance(seconds=30)
    services.find_api_key(key)
    row.refresh_from_db()
    assert row.last_used_at == first


def test_staff_see_their_own_merchants_only() -> None:
    ours, theirs = world.merchant(), world.merchant("velohaus", "Velohaus")
    user_model = get_user_model()
    agent, reader, boss = (user_model.objects.create_user(name, is_staff=True) for name in ("agent", "reader", "boss"))
    Membership.objects.create(user=agent, merchant=ours, role=Membership.Role.AGENT)
    Membership.objects.create(user=reader, merchant=ours, role=Membership.Role.READER)
    boss.is_superuser = True
    boss.save()
    assert list(access.merchants_of(agent)) == [ours]
    assert access.merchants_of(boss).count() == 2
    assert not access.merchants_of(AnonymousUser()).exists()
    assert access.may_write(agent, ours)
    assert not access.may_manage(agent, ours)
    assert not access.may_write(reader, ours)
    for who, merchant in ((agent, theirs), (reader, ours), (AnonymousUser(), ours)):
        with pytest.raises(NotAllowed):
            access.require_write(who, merchant)
    agent.is_active = False
    assert not access.merchants_of(agent).exists()


def test_a_merchant_made_in_admin_is_complete(client) -> None:
    operator = get_user_model().objects.create_superuser("operator")
    client.force_login(operator)
    forms = {
        f"{prefix}-{name}": 0
        for prefix in ("branding", "policy", "memberships")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    made = {"slug": "new", "name": "New", "time_zone": "Europe/Vaduz", "language": "en", "is_active": "on"}
    client.post(reverse("admin:merchants_merchant_add"), {**made, **forms})
    merchant = Merchant.objects.get(slug="new")
    assert merchant.policy.allow_time_change
    assert merchant.branding.accent


def test_a_key_in_use_is_noted_once_a_minute_and_otherwise_only_read(
    now: FrozenClock, django_assert_num_queries: Any
) -> None:
    row, key = services.make_api_key(merchant=world.merchant(), name="Shop")
    services.find_api_key(key)
    row.refresh_from_db()
    first = row.last_used_at
    now.advance(seconds=59)
    with django_assert_num_queries(1):
        assert services.find_api_key(key)
    now.advance(seconds=2)
    services.find_api_key(key)
    row.refresh_from_db()
    assert first is not None
    assert row.last_used_at == now.instant > first
