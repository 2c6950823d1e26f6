"""Tries to get one message to one person, a channel at a time. A row is written before each try and after it."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import DoorstepError
from apps.deliveries import access
from apps.deliveries.models import Promise
from apps.deliveries.selectors import zone_of
from apps.deliveries.services import refuse_phone
from apps.deliveries.states import ENDED, State
from apps.events.services import RetryLater, emit
from apps.notifications import events, rules
from apps.notifications.catalogue import CATALOGUE, Channel, Trigger
from apps.notifications.facts import facts_of
from apps.notifications.models import Message, SendAttempt
from apps.notifications.services.tell import ask_to_send
from apps.notifications.transports import transport_of
from apps.notifications.transports.base import OutgoingMessage, SendResult, TransportError
from apps.notifications.wording import render


def send_message(*, message_id: int) -> None:
    """Sends the message or decides that it is not sent, or not yet. Harmless when repeated.

    Raises RetryLater when the next try belongs to a later moment of the wall's clock.
    """
    message = _load(message_id)
    if message is None or message.state != Message.State.WAITING:
        return
    reason = _overtaken(message)
    if reason:
        _settle(message, Message.State.SUPPRESSED, reason)
        return
    step = rules.next_step(
        _tries(message), _channels(message), now=clock.wall(), repeat_at_once=message.trigger == Trigger.CODE
    )
    match step:
        case rules.Settled(reason=reason):
            if reason:
                state = Message.State.SUPPRESSED if reason == "no_contact" else Message.State.FAILED
                _settle(message, state, reason)
        case rules.Wait(until=until):
            raise RetryLater(max(0.0, (until - clock.wall()).total_seconds()), "provider_has_time")
        case rules.Send(channel=channel):
            morning = _quiet_until(message, channel)
            if morning:
                ask_to_send(message, at=morning)
            else:
                _try(message, channel)


def _load(message_id: int) -> Message | None:
    joins = ("delivery__merchant__policy", "delivery__order", "delivery__place", "recipient")
    return Message.objects.select_related(*joins).filter(pk=message_id).first()


def _overtaken(message: Message) -> str:
    """Why this message is no longer worth sending; empty when it is."""
    entry = CATALOGUE[Trigger(message.trigger)]
    if not entry.looks_ahead:
        return ""
    if message.delivery.state in ENDED or message.delivery.state == State.AT_POINT:
        return "delivery_ended"
    if entry.while_out and message.delivery.state != State.OUT:
        return "no_longer_out"
    if not entry.promises or not message.promise_version:
        return ""
    newer = Promise.objects.filter(delivery=message.delivery, version__gt=message.promise_version)
    return "newer_promise" if newer.exists() else ""


def _tries(message: Message) -> list[rules.Try]:
    rows = message.attempts.order_by("number").values_list("channel", "status", "error_code", "started_at")
    return [rules.Try(*row) for row in rows]


def _channels(message: Message) -> list[str]:
    """What the person can be reached by, best first."""
    wanted = list(CATALOGUE[Trigger(message.trigger)].channels)
    if message.channel:
        wanted.sort(key=lambda channel: channel != message.channel)
    return [channel.value for channel in wanted if _address(message, channel) and transport_of(channel).is_ready()]


def _address(message: Message, channel: str) -> str:
    person = message.recipient
    if channel == Channel.EMAIL:
        return person.email
    return "" if person.phone_refused_at else person.phone


def _quiet_until(message: Message, channel: str) -> datetime | None:
    """When a phone may ring again; e-mails do not ring, and some facts cannot wait."""
    if channel != Channel.SMS or not CATALOGUE[Trigger(message.trigger)].may_wait:
        return None
    policy = message.delivery.merchant.policy
    zone: ZoneInfo = zone_of(message.delivery)
    return rules.quiet_ends(clock.now(), zone, policy.quiet_from, policy.quiet_until)


def _try(message: Message, channel: str) -> None:
    code = ""
    if message.trigger == Trigger.CODE:
        try:
            code = access.issue_code(step_up_id=message.step_up_id or 0)
        except DoorstepError as error:
            _settle(message, Message.State.SUPPRESSED, error.code)
            return
    facts, hidden = facts_of(message, code)
    words = render(message.trigger, channel, message.language, facts)
    attempt = _begin(message, channel, hidden.hidden(words.subject), hidden.hidden(words.text))
    if attempt is None:
        return
    outgoing = OutgoingMessage(
        to=_address(message, channel),
        sender_name=facts["merchant"],
        subject=words.subject,
        text=words.text,
        html=words.html,
        reference=attempt.public_id,
        key=sha256_hex(f"{message.dedupe_key}:{message.pk}")[:32],
        reply_to=message.delivery.merchant.help_email,
    )
    try:
        result = transport_of(channel).send(outgoing)
    except TransportError as error:
        _note_failure(message, attempt, error)
    else:
        _note_success(message, attempt, result)


def _begin(message: Message, channel: str, subject: str, body: str) -> SendAttempt | None:
    """The row of a new try; None when another process has just begun the same one."""
    now = clock.wall()
    number = message.attempts.count() + 1
    try:
        with transaction.atomic():
            Message.objects.filter(pk=message.pk).update(subject=subject, body=body)
            message.attempts.filter(status="started").update(status="lost", updated_at=now)
            return SendAttempt.objects.create(
                message=message,
                number=number,
                public_id=secrets.token_urlsafe(24),
                channel=channel,
                started_at=now,
                updated_at=now,
            )
    except IntegrityError:
        return None


def _note_success(message: Message, attempt: SendAttempt, result: SendResult) -> None:
    # A call-back may have been faster than this answer: what it wrote is newer.
    with transaction.atomic():
        SendAttempt.objects.filter(pk=attempt.pk, provider_id="").update(provider_id=result.provider_id)
        SendAttempt.objects.filter(pk=attempt.pk, status__in=rules.lower_statuses(result.status)).update(
            status=result.status, updated_at=clock.wall()
        )
        _settle(message, Message.State.SENT)


def _note_failure(message: Message, attempt: SendAttempt, error: TransportError) -> None:
    if error.maybe_sent:
        # The row stays "started": the next run waits for a call-back before it dares to repeat.
        ask_to_send(message)
        return
    with transaction.atomic():
        SendAttempt.objects.filter(pk=attempt.pk).filter(Q(status="started") | Q(status="lost")).update(
            status="failed",
            error_code=error.code[:12] if error.permanent else rules.TRANSIENT,
            updated_at=clock.wall(),
        )
        note_dead_number(message, error.code)
        if error.permanent:
            ask_to_send(message)
    if not error.permanent:
        raise RetryLater(error.retry_after_seconds or 2.0 * 4 ** (attempt.number - 1), f"transport_{error.code}")


def note_dead_number(message: Message, error_code: str) -> None:
    """Remembers a number that will never take a text, once, and says so."""
    if error_code in rules.DEAD_NUMBER and refuse_phone(contact_id=message.recipient_id):
        emit(events.CONTACT_REFUSED, delivery_id=message.delivery_id)


def _settle(message: Message, state: Message.State, reason: str = "") -> None:
    Message.objects.filter(pk=message.pk, state=Message.State.WAITING).update(state=state, reason=reason[:60])
