"""What a driver adds to a try to hand over: tries to reach the recipient, and two notes."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from apps.deliveries import events
from apps.deliveries.models import Attempt, ContactTry
from apps.deliveries.services.bump_pages import bump_pages
from apps.events.services import emit

LONGEST_NOTE = 300


def record_contact_try(*, delivery_id: int, channel: str, at: datetime, actor: str) -> bool:
    """Notes that the driver called, texted or rang; False when the same was said before."""
    with transaction.atomic():
        _row, is_new = ContactTry.objects.get_or_create(
            delivery_id=delivery_id, channel=channel, at=at, defaults={"actor": actor[:40]}
        )
        if is_new:
            emit(events.CONTACT_TRIED, delivery_id=delivery_id, payload={"channel": channel}, actor=actor)
    return is_new


def discount_attempt(*, attempt_id: int) -> None:
    """Staff found that nobody was at the door: it does not count when the next try is weighed."""
    Attempt.objects.filter(pk=attempt_id).update(counts=False)


def note_attempt(*, delivery_ids: Iterable[int], for_staff: str = "", for_recipient: str = "") -> None:
    """Writes the driver's notes onto the newest attempt of each; only the recipient's is ever on a shopper's page."""
    notes = {"staff_note": for_staff[:LONGEST_NOTE], "recipient_note": for_recipient[:LONGEST_NOTE]}
    written = {name: note for name, note in notes.items() if note}
    if not written:
        return
    ids = list(delivery_ids)
    for delivery_id in ids:
        newest = Attempt.objects.filter(delivery=delivery_id).order_by("-number").first()
        if newest is not None:
            Attempt.objects.filter(pk=newest.pk).update(**written)
    bump_pages(delivery_ids=ids)
