"""Remembers phones that will never take a text."""

from apps.core import clock
from apps.deliveries.models import Contact


def refuse_phone(*, contact_id: int) -> bool:
    """Notes that the network says this number is dead; False when that was known."""
    return bool(Contact.objects.filter(pk=contact_id, phone_refused_at=None).update(phone_refused_at=clock.now()))
