"""Idempotency-Key: the same request sent twice has one effect and gets the same answer twice.

The kept answer and the effect are one transaction: a crash leaves both or neither. A second request with the key
waits at the row's unique index until the first has ended. Only answers that changed something are kept; a refused
request may be sent again with its key.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _
from rest_framework.utils.encoders import JSONEncoder

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import InvalidInput, Refused, Stale
from apps.merchants.models import Merchant
from apps.storefront.models import KeptAnswer

LONGEST_KEY = 255
KEPT_FOR = timedelta(hours=24)
WAIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an HTTP answer; `replayed` when it was given before."""

    status: int
    body: Any
    replayed: bool = False


def checked_key(header: str | None) -> str | None:
    """The key, with or without the quotes of the header's draft; InvalidInput for one that is none."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput("idempotency_key", _("An Idempotency-Key has 1 to 255 printable ASCII characters."))
    return key


def request_digest(method: str, path: str, data: Any) -> str:
    """Equal for requests that ask for the same, whatever the order or spacing of their JSON."""
    return sha256_hex(f"{method}\n{path}\n{json.dumps(data, sort_keys=True, separators=(',', ':'))}")


def once(*, merchant: Merchant, key: str | None, digest: str, act: Callable[[], Answer]) -> Answer:
    """Runs `act` in a transaction, or returns what it answered the first time.

    Refused("idempotency_key_reused") for another request under the same key, Stale("in_progress") when the first one
    takes too long to wait for.
    """
    if key is None:
        with transaction.atomic():
            return act()
    name = sha256_hex(key)
    if (kept := _kept(merchant, name, digest)) is not None:
        return kept
    with transaction.atomic():
        row = _claim(merchant, name, digest)
        if row is None:
            kept = _kept(merchant, name, digest)
            if kept is None:
                # The first one was undone between the two statements.
                raise _in_progress()
            return kept
        answer = act()
        row.status, row.body = answer.status, json.dumps(answer.body, cls=JSONEncoder)
        row.save(update_fields=["status", "body"])
    # Through JSON as well, so that the first answer and the later ones cannot differ.
    return Answer(answer.status, json.loads(row.body))


def forget_answers() -> int:
    """Deletes answers older than KEPT_FOR (each night); how many there were."""
    return KeptAnswer.objects.filter(created_at__lt=clock.wall() - KEPT_FOR).delete()[0]


def _kept(merchant: Merchant, name: str, digest: str) -> Answer | None:
    row = KeptAnswer.objects.filter(merchant=merchant, key_sha256=name).first()
    if row is None:
        return None
    if row.request_sha256 != digest:
        raise Refused(
            "idempotency_key_reused", _("This Idempotency-Key was used for a different request. Nothing was changed.")
        )
    if row.status is None:
        raise _in_progress()
    return Answer(row.status, json.loads(row.body), replayed=True)


def _claim(merchant: Merchant, name: str, digest: str) -> KeptAnswer | None:
    """The key's row, now ours; None when somebody else's was committed first."""
    row = KeptAnswer(merchant=merchant, key_sha256=name, request_sha256=digest, created_at=clock.wall())
    try:
        with transaction.atomic(), _patience():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    except OperationalError:
        raise _in_progress() from None
    return row


class _patience:  # noqa: N801  (reads as a verb in `with`)
    """Bounds the wait for another transaction's row; SQLite has its own bound for every writer."""

    def __enter__(self) -> None:
        self._set(f"{WAIT_SECONDS}s")

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is None:
            self._set("0")

    def _set(self, bound: str) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [bound])


def _in_progress() -> Stale:
    return Stale("in_progress", _("The first request with this key is still being worked on."), retry_after_seconds=1)
