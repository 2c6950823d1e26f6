"""Messages from the page to the driver who brings it: the phone has them, the driver has read them."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound
from apps.drivers.rounds import Stop
from apps.drivers.services.own import actor_of, own_shift
from apps.feedback import services as feedback
from apps.feedback.models import ThreadMessage
from apps.fleet.models import Driver, Shift
from apps.routing.models import Drop


def take_messages(*, driver: Driver, stops: Iterable[Stop]) -> int:
    """Notes that this phone now holds what stands at these stops; how many it did not have before."""
    new = [one.id for stop in stops for drop in stop.drops for one in drop.messages if not one.is_delivered]
    return feedback.note_delivered(message_ids=new, actor=actor_of(driver)) if new else 0


def read_message(*, driver: Driver, message_id: int, sentence: str = "", at: datetime | None = None) -> bool:
    """The driver has read it, and answers with a ready sentence or nothing; False when that was known.

    NotFound for a message at anybody else's stop. `at` is when it was tapped; the stop may be closed since, but who no
    longer has the delivery, or had left it before it was written, reads nothing.
    """
    now = clock.now()
    at = min(at or now, now)
    message = ThreadMessage.objects.filter(pk=message_id).first()
    if message is None or not _is_own(message, own_shift(driver, at)):
        raise NotFound("message_not_found", _("That message is not for one of your stops today."))
    return feedback.read_message(
        delivery_id=message.delivery_id, message_id=message.pk, sentence=sentence, at=at, actor=actor_of(driver)
    )


def _is_own(message: ThreadMessage, shift: Shift) -> bool:
    drops = Drop.objects.filter(delivery=message.delivery_id, is_hold=False, visit__route__shift=shift)
    return drops.filter(Q(is_open=True) | Q(visit__left_at__gte=message.sent_at)).exists()
