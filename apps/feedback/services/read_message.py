"""What a driver's phone says of messages: that it has them, that one was read, which ready sentence answers it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, NotFound
from apps.feedback import events
from apps.feedback.models import ThreadMessage
from apps.feedback.rules import READY_SENTENCES
from apps.feedback.services.write_message import announce


def note_delivered(*, message_ids: Collection[int], actor: str) -> int:
    """A phone has fetched these; how many of them for the first time."""
    new = 0
    waiting = ThreadMessage.objects.filter(pk__in=message_ids, to_driver=True, delivered_at=None)
    for message in waiting.order_by("pk"):
        with transaction.atomic():
            rows = ThreadMessage.objects.filter(pk=message.pk, delivered_at=None)
            if rows.update(delivered_at=clock.now()):
                announce(events.MESSAGE_DELIVERED, message, actor)
                new += 1
    return new


def read_message(*, delivery_id: int, message_id: int, sentence: str = "", at: datetime, actor: str) -> bool:
    """The driver has read it at `at`, and may answer once with a ready sentence; False when all that was known.

    NotFound for what is no message to this delivery's driver, InvalidInput for another sentence. After the end of the
    delivery nothing is answered any more.
    """
    if sentence and sentence not in READY_SENTENCES:
        raise InvalidInput("sentence_unknown", _("Choose one of the sentences on the list."))
    rows = ThreadMessage.objects.filter(pk=message_id, delivery=delivery_id, to_driver=True)
    message = rows.select_related("delivery").first()
    if message is None:
        raise NotFound("message_not_found", _("That message is not for one of your stops today."))
    at = max(at, message.sent_at)
    with transaction.atomic():
        is_new = bool(rows.filter(read_at=None).update(read_at=at))
        rows.filter(delivered_at=None).update(delivered_at=at)
        if is_new:
            announce(events.MESSAGE_OPENED, message, actor)
        is_answered = bool(sentence) and _answer(message, sentence, at, actor)
    return is_new or is_answered


def _answer(message: ThreadMessage, sentence: str, at: datetime, actor: str) -> bool:
    ended = message.delivery.ended_at
    if ended is not None and at >= ended:
        return False
    answer, is_new = ThreadMessage.objects.get_or_create(
        delivery=message.delivery,
        form_key=f"answer-{message.pk}",
        defaults={"by": ThreadMessage.By.DRIVER, "sentence": sentence, "actor": actor[:40], "sent_at": at},
    )
    if is_new:
        announce(events.MESSAGE_SENT, answer, actor)
    return is_new
