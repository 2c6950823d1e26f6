"""The link behind which the staff of a point find their page."""

import secrets

from apps.core.encryption import sha256_hex
from apps.redirection.models import PickupPoint


def make_handout_link(*, point: PickupPoint) -> str:
    """A new token of 192 bits, not kept and not shown again; the old one is dead."""
    token = secrets.token_urlsafe(24)
    PickupPoint.objects.filter(pk=point.pk).update(handout_sha256=sha256_hex(token))
    point.refresh_from_db(fields=["handout_sha256"])
    return token


def revoke_handout_link(*, point: PickupPoint) -> None:
    PickupPoint.objects.filter(pk=point.pk).update(handout_sha256=None)
    point.handout_sha256 = None
