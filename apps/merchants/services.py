"""Merchants made whole, and their API keys: made once, shown once, found in constant time, withdrawn at once."""

import hmac
import secrets
from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.events.services import emit
from apps.merchants import events
from apps.merchants.models import ApiKey, Branding, Merchant, Policy

_USED_EVERY = timedelta(minutes=1)
_LONGEST_KEY = 200


def complete_merchant(*, merchant: Merchant) -> None:
    """Gives a merchant the branding and policy that every other app counts on, with their defaults."""
    Branding.objects.get_or_create(merchant=merchant)
    Policy.objects.get_or_create(merchant=merchant)


def announce_change(*, merchant: Merchant, actor: str) -> None:
    """Says that what the merchant's pages show or allow is different now."""
    with transaction.atomic():
        emit(events.CHANGED, payload={"merchant": merchant.pk}, actor=actor)


def make_api_key(*, merchant: Merchant, name: str, can_write: bool = True) -> tuple[ApiKey, str]:
    """The row and the key `ds_<prefix>_<secret>`, which is not kept and cannot be shown again."""
    prefix, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        merchant=merchant,
        name=name,
        prefix=prefix,
        secret_sha256=sha256_hex(secret),
        can_write=can_write,
        created_at=clock.now(),
    )
    return row, f"ds_{prefix}_{secret}"


def find_api_key(text: str) -> ApiKey | None:
    """The live key this is, with its merchant joined; None for anything else, in the same time."""
    parts = text[: _LONGEST_KEY + 1].encode("ascii", "replace").decode().split("_", 2)
    mark, prefix, secret = parts if len(parts) == 3 else ("", "", "")
    row = ApiKey.objects.select_related("merchant").filter(prefix=prefix.replace("\0", "?")[:12]).first()
    # A digest is compared in either case, so that the time does not tell which prefixes exist.
    expected = row.secret_sha256 if row else "0" * 64
    matches = hmac.compare_digest(expected, sha256_hex(secret))
    if row is None or not matches or mark != "ds" or row.revoked_at is not None or not row.merchant.is_active:
        return None
    now = clock.now()
    # Asked before the UPDATE: a statement that changes nothing still takes SQLite's one writer.
    if row.last_used_at is None or row.last_used_at < now - _USED_EVERY:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def revoke_api_key(*, key: ApiKey) -> bool:
    """True when it was alive until now."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now()))
