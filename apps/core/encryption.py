"""Fields whose plain text never reaches the database (door codes, access codes)."""

import base64
import hashlib
import hmac
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@cache
def _fernet() -> MultiFernet:
    keys = [base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()) for key in settings.FIELD_KEYS]
    return MultiFernet([Fernet(key) for key in keys])


class EncryptedTextField(models.TextField):
    """Text encrypted with FIELD_KEYS (newest first, so keys can be rotated). Empty text stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return _fernet().encrypt(text.encode()).decode() if text else text

    def from_db_value(self, value: str | None, *_args: Any) -> str | None:
        return _fernet().decrypt(value.encode()).decode() if value else value


def keyed_digest(key: str, *parts: object) -> bytes:
    """HMAC-SHA-256 of the parts, unambiguous about where one ends."""
    message = "\x1f".join(str(part) for part in parts)
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encrypt(text: str) -> str:
    """For texts that are kept outside a model's field; `decrypt` turns them back."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text again; cryptography.fernet.InvalidToken when no key in FIELD_KEYS made it."""
    return _fernet().decrypt(token.encode()).decode()
