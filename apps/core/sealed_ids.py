"""Row numbers as strangers may see them: the same number always looks the same, and says nothing of how many there are.

One block of AES over scope and number: whoever has not the key can neither read a number nor make one up.
"""

import base64
import binascii
import hashlib
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

_LENGTH = 22


def sealed_id(scope: str, number: int) -> str:
    """22 URL-safe characters for row `number` of `scope`."""
    encryptor = _cipher(settings.SECRET_KEY).encryptor()
    block = encryptor.update(_tag(scope) + number.to_bytes(8)) + encryptor.finalize()
    return base64.urlsafe_b64encode(block)[:_LENGTH].decode()


def opened_id(scope: str, sealed: object) -> int | None:
    """The number; None for anything that `sealed_id` has not made for this scope."""
    if not isinstance(sealed, str) or len(sealed) != _LENGTH or not sealed.isascii():
        return None
    try:
        block = base64.b64decode(sealed + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    decryptor = _cipher(settings.SECRET_KEY).decryptor()
    plain = decryptor.update(block) + decryptor.finalize()
    return int.from_bytes(plain[8:]) if plain[:8] == _tag(scope) else None


def _tag(scope: str) -> bytes:
    return hashlib.sha256(scope.encode()).digest()[:8]


@lru_cache(maxsize=4)
def _cipher(secret: str) -> Cipher[modes.ECB]:
    # A single block: what is unsafe about ECB begins with the second.
    return Cipher(algorithms.AES(hashlib.sha256(f"{secret}/ids".encode()).digest()), modes.ECB())  # noqa: S305
