"""Messages on the way: a recipient writes to driver or desk, the desk answers. No event carries a word of them."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.door_codes import clean_note, split_codes
from apps.core.encryption import sha256_hex
from apps.core.errors import Closed, InvalidInput, Refused
from apps.core.throttles import count_try
from apps.deliveries.access import Access, require_changeable
from apps.deliveries.models import AccessCode, Delivery, Place
from apps.deliveries.services import bump_pages, save_access_code
from apps.deliveries.states import State
from apps.events.services import emit
from apps.feedback import events
from apps.feedback.models import ThreadMessage
from apps.feedback.rules import LONGEST_MESSAGE, thread_closed

# Each may disturb somebody at the wheel.
TRIES, TRIES_SECONDS = 10, 3600


def write_message(*, access: Access, text: str, to_driver: bool, form_key: str) -> ThreadMessage:
    """The message; the same words of the same form are the same message. A door code moves to the protected field.

    `to_driver` counts only while the van is out; everything else is for the desk. Closed when the delivery has ended,
    Refused when the merchant takes no messages, InvalidInput for no words, more than 300 characters or another door
    code than the one on file, NotAllowed for a link that may only look, Throttled after 10 tries in an hour.
    """
    require_changeable(access)
    delivery = access.delivery
    _require_open(delivery)
    count_try("thread-message", str(delivery.pk), limit=TRIES, seconds=TRIES_SECONDS)
    plain, code = _checked(text), ""
    # Nobody at a locker or a counter asks for a door code: what looks like one is left for its reader.
    if delivery.place.kind == Place.Kind.ADDRESS:
        plain, code = split_codes(plain, is_talk=True)
    if code and AccessCode.objects.filter(delivery=delivery).exclude(code=code).exists():
        other = _("We have another door code on file. Replace it in the instructions, or leave it out of this message.")
        raise InvalidInput("other_code_on_file", other)
    return _kept(delivery, ThreadMessage.By.SHOPPER, plain, form_key, actor="shopper", to_driver=to_driver, code=code)


def answer_message(*, delivery: Delivery, text: str, form_key: str, actor: str) -> ThreadMessage:
    """What the desk says to the recipient; `actor` is the agent. Closed, Refused and InvalidInput as above."""
    _require_open(delivery)
    return _kept(delivery, ThreadMessage.By.DESK, _checked(text), form_key, actor=actor)


def announce(kind: str, message: ThreadMessage, actor: str) -> None:
    payload: dict[str, int | str | bool] = {"message": message.pk}
    if kind == events.MESSAGE_SENT:
        payload |= {"by": message.by, "to_driver": message.to_driver}
    emit(kind, delivery_id=message.delivery_id, payload=payload, actor=actor)
    bump_pages(delivery_ids=[message.delivery_id])


def _require_open(delivery: Delivery) -> None:
    reason = thread_closed(delivery.state, delivery.merchant.policy)
    if reason == "ended":
        raise Closed("thread_closed", _("This delivery has ended, and its messages with it."))
    if reason:
        raise Refused("policy", _("This shop does not take messages here. Please call us."))


def _checked(text: str) -> str:
    plain = clean_note(text[: LONGEST_MESSAGE * 4])
    if not plain:
        raise InvalidInput("text_missing", _("Write a few words first."))
    if len(plain) > LONGEST_MESSAGE:
        raise InvalidInput("text_too_long", _("A message has at most 300 characters."))
    return plain


def _kept(
    delivery: Delivery,
    by: ThreadMessage.By,
    text: str,
    form_key: str,
    *,
    actor: str,
    to_driver: bool = False,
    code: str = "",
) -> ThreadMessage:
    # A browser's way back shows the sent form again: other words in it are another message.
    form_key = sha256_hex(f"{form_key}\n{text}")[:40]
    standing = ThreadMessage.objects.filter(delivery=delivery, form_key=form_key).first()
    if standing is not None:
        return standing
    try:
        with transaction.atomic():
            # The row lock keeps the end of the delivery out until this is said.
            state = Delivery.objects.select_for_update().values_list("state", flat=True).get(pk=delivery.pk)
            delivery.state = State(state)
            _require_open(delivery)
            if code:
                save_access_code(delivery_id=delivery.pk, code=code)
            message = ThreadMessage.objects.create(
                delivery=delivery,
                by=by,
                to_driver=to_driver and state == State.OUT,
                text=text,
                actor=actor[:40],
                form_key=form_key,
                sent_at=clock.now(),
            )
            announce(events.MESSAGE_SENT, message, actor)
    except IntegrityError:
        # The same form came twice at the same moment.
        return ThreadMessage.objects.get(delivery=delivery, form_key=form_key)
    return message
