"""Decides that somebody is told something: one row per fact and person, made before anything is sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from apps.core import clock
from apps.deliveries.models import Attempt, Contact, Delivery
from apps.events.services import react
from apps.notifications.catalogue import CATALOGUE, Trigger
from apps.notifications.models import Message
from apps.notifications.wording import known_language

SEND = "apps.notifications.handlers.send_message"
AHEAD = timedelta(days=1)


def tell(
    *,
    delivery: Delivery,
    trigger: Trigger,
    promise_version: int = 0,
    event_id: int | None = None,
    step_up_id: int | None = None,
    channel: str = "",
    people: Sequence[Contact] | None = None,
) -> list[Message]:
    """The new messages; none for people who have been told this fact. Sending follows as reactions of their own.

    A fact is (delivery, trigger, promise version, attempt to deliver, recipient); a one-time code is one per request.
    `channel`: the shopper's own choice, otherwise the catalogue's order; `people`: instead of the catalogue's.
    """
    fact = f"step-up.{step_up_id}" if step_up_id else f"{promise_version}.{_attempt_number(delivery)}"
    made = []
    for person in _audience(delivery, trigger) if people is None else people:
        message = Message(
            delivery=delivery,
            recipient=person,
            trigger=trigger,
            dedupe_key=f"{delivery.pk}:{trigger}:{fact}:{person.pk}",
            event_id=event_id,
            step_up_id=step_up_id,
            promise_version=promise_version,
            language=known_language(person.language or delivery.merchant.language),
            channel=channel,
            created_at=clock.now(),
        )
        with transaction.atomic():
            if _insert(message):
                ask_to_send(message)
                made.append(message)
    return made


def ask_to_send(message: Message, *, at: datetime | None = None) -> None:
    """Has the message sent now, or at a later moment of the domain's clock.

    What is due is sent in order; somebody who waits for a code at the screen goes before three hundred who do not.
    """
    urgent = clock.now() - AHEAD if message.trigger == Trigger.CODE else None
    react(
        SEND,
        payload={"message": message.pk},
        due_at=at or urgent,
        dedupe_key=f"message:{message.pk}",
        delivery_id=message.delivery_id,
    )


def was_told_of(event_id: int, delivery_id: int, trigger: Trigger) -> bool:
    """True when this event, or a later one of the same delivery, has led to such a message already."""
    return Message.objects.filter(delivery=delivery_id, trigger=trigger, event_id__gte=event_id).exists()


def _audience(delivery: Delivery, trigger: Trigger) -> list[Contact]:
    people = [delivery.recipient]
    if CATALOGUE[trigger].tells_buyer and delivery.order.buyer_id != delivery.recipient_id:
        people.append(delivery.order.buyer)
    return people


def _attempt_number(delivery: Delivery) -> int:
    return Attempt.objects.filter(delivery=delivery).aggregate(last=Max("number"))["last"] or 0


def _insert(message: Message) -> bool:
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        return False
    return True
