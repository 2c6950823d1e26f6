"""When the network says no, says nothing, or says it later: who is reached, how often, and what the rows tell."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F

from apps.deliveries.services import make_link
from apps.demo.models import PhoneMessage
from apps.events.models import Event, Reaction
from apps.notifications.models import Message, SendAttempt
from tests.conftest import FrozenClock
from tests.notifications.people import alice, announce
from tests.notifications.twilio_wire import Wire

Drain = Callable[..., int]
Texts = Callable[..., list[str]]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wire")]


def failed(delivery: object) -> None:
    """A fact that goes by text first."""
    announce("delivery.state_changed", delivery, **{"from": "out", "to": "failed", "reason": ""})


def on_the_wall(*, minutes: int) -> None:
    """So many minutes pass for the provider."""
    SendAttempt.objects.update(started_at=F("started_at") - timedelta(minutes=minutes))


@pytest.mark.covers("N9", "N7")
@pytest.mark.parametrize("number", ["+15005550001", "+15005550004", "+15005550009"])
def test_a_dead_number_is_noted_and_the_mail_goes_out(drain: Drain, number: str) -> None:
    """21211, 21610 and 21614 last: no second text to that number, ever."""
    delivery = alice(phone=number, email=None)
    failed(delivery)
    drain()
    assert len(mail.outbox) == 1
    delivery.recipient.refresh_from_db()
    assert delivery.recipient.phone_refused_at is not None
    assert Event.objects.filter(kind="notifications.contact_refused", delivery_id=delivery.pk).count() == 1
    announce("delivery.cancelled", delivery, reason="")
    failed(delivery)
    drain()
    assert SendAttempt.objects.filter(channel="sms").count() == 1


@pytest.mark.covers("N9", "N7", "N8")
def test_a_phone_that_is_off_gets_one_more_try_and_then_the_mail_goes_out(drain: Drain, now: FrozenClock) -> None:
    """30003: not the number's fault."""
    delivery = alice(phone="+15005550303", email=None)
    failed(delivery)
    drain(failures=True)
    assert PhoneMessage.objects.count() == 1
    assert not mail.outbox
    now.advance(minutes=200)
    drain(failures=True)
    assert PhoneMessage.objects.count() == 1, "the demo's clock runs; the phone has been off for a second"
    on_the_wall(minutes=11)
    drain(retries=True, failures=True)
    assert PhoneMessage.objects.count() == 2
    assert len(mail.outbox) == 1
    delivery.recipient.refresh_from_db()
    assert delivery.recipient.phone_refused_at is None


@pytest.mark.covers("N9")
@pytest.mark.parametrize("number", ["+15005550429", "+15005550500"])
def test_a_busy_provider_is_asked_again_and_then_left_alone(drain: Drain, number: str) -> None:
    delivery = alice(phone=number, email=None)
    failed(delivery)
    drain(failures=True, retries=True)
    assert SendAttempt.objects.filter(channel="sms", error_code="transient").count() == 3
    assert len(mail.outbox) == 1
    assert Reaction.objects.filter(state="parked").count() == 0


def test_who_cannot_be_reached_leaves_a_reason(drain: Drain) -> None:
    failed(alice(phone=""))
    drain()
    message = Message.objects.get()
    assert (message.state, message.reason) == ("suppressed", "no_contact")


@pytest.mark.covers("N9")
def test_a_lost_answer_is_not_sent_twice_when_the_report_comes(drain: Drain, wire: Wire, texts: Texts) -> None:
    """The provider took the text, the answer was lost: its own report settles it."""
    failed(alice())
    wire.cut = True
    drain(failures=True)
    on_the_wall(minutes=3)
    drain(retries=True, failures=True)
    assert len(texts()) == 1
    assert Message.objects.get().state == "delivered"


def test_a_text_nobody_heard_of_again_is_repeated_after_the_callback_window(
    drain: Drain, wire: Wire, now: FrozenClock
) -> None:
    """The process died between the row and the call: no report will ever come."""
    failed(alice())
    wire.dead = True
    drain(failures=True)
    wire.dead = False
    assert PhoneMessage.objects.count() == 0
    now.advance(hours=24)
    drain(failures=True)
    assert PhoneMessage.objects.count() == 0, "the demo has rolled to the next day; the provider has had no time yet"
    on_the_wall(minutes=3)
    drain(retries=True, failures=True)
    assert PhoneMessage.objects.count() == 1
    assert list(SendAttempt.objects.order_by("number").values_list("status", flat=True)) == ["lost", "delivered"]


def test_without_an_account_the_mail_is_used(drain: Drain, settings: object) -> None:
    settings.TWILIO_ACCOUNT_SID = ""
    failed(alice(email=None))
    drain()
    assert len(mail.outbox) == 1


def test_a_repeated_mail_has_the_same_message_id(drain: Drain) -> None:
    """A mailbox shows it once even when the worker died after handing it over."""
    failed(alice(phone="", email=None))
    drain()
    Message.objects.update(state="waiting")
    SendAttempt.objects.update(status="started")
    from apps.notifications.services import send_message

    send_message(message_id=Message.objects.get().pk)
    assert len(mail.outbox) == 2
    assert len({letter.extra_headers["Message-ID"] for letter in mail.outbox}) == 1


def test_a_link_that_was_replaced_is_the_one_that_is_sent(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    delivery.links.all().delete()
    link = make_link(delivery=delivery)
    failed(delivery)
    drain()
    from apps.deliveries.services import token_of

    assert token_of(link) in texts()[0]
