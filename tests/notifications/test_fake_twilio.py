"""The demo's Twilio answers as Twilio's own description says; every request and answer here is held to it (wire)."""

import base64
from collections.abc import Callable

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from apps.demo.mail import PhoneInboxBackend
from apps.demo.models import PhoneMessage
from apps.notifications.transports.base import OutgoingMessage, TransportError
from apps.notifications.transports.sms_twilio import TwilioSms
from tests.notifications.people import alice, announce
from tests.notifications.twilio_wire import Wire

pytestmark = [pytest.mark.django_db]
PATH = "/demo/twilio/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json"


def text(to: str = "+4237910001", body: str = "Grüezi") -> OutgoingMessage:
    return OutgoingMessage(to=to, sender_name="", subject="", text=body, html="", reference="try-1", key="k")


def test_the_sdk_and_the_fake_both_keep_to_twilios_description(wire: Wire) -> None:
    result = TwilioSms().send(text())
    assert result.status == "queued"
    assert result.provider_id.startswith("SM")
    sent = str(wire.requests[0].body)
    assert "StatusCallback=https%3A%2F%2Fdoorstep.example%2Fmessages%2Ftwilio%2Ftry-1" in sent
    assert PhoneMessage.objects.get().body == "Grüezi"


def test_a_messaging_service_may_be_the_sender(wire: Wire, settings: object) -> None:
    settings.TWILIO_FROM = "MG" + "a" * 32
    TwilioSms().send(text())
    assert "MessagingServiceSid=MG" in str(wire.requests[0].body)


@pytest.mark.parametrize(
    ("to", "code", "permanent"),
    [("+15005550001", "21211", True), ("+15005550004", "21610", True), ("+15005550500", "20503", False)],
)
def test_errors_keep_their_numbers(wire: Wire, to: str, code: str, permanent: bool) -> None:
    with pytest.raises(TransportError) as caught:
        TwilioSms().send(text(to))
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert to not in str(caught.value)


def test_too_many_requests_say_when_to_come_back(wire: Wire) -> None:
    with pytest.raises(TransportError) as caught:
        TwilioSms().send(text("+15005550429"))
    assert caught.value.retry_after_seconds == 2.0


def test_reports_come_signed_and_one_after_the_other(wire: Wire, drain: Callable[..., int], settings: object) -> None:
    announce("delivery.created", alice())
    drain()
    from apps.notifications.models import SendAttempt

    assert SendAttempt.objects.get().status == "delivered"
    assert PhoneMessage.objects.get().status == "delivered"


@pytest.mark.parametrize("header", ["", "Basic !!!", "Basic " + base64.b64encode(b"AC:wrong").decode()])
def test_a_stranger_is_sent_away(wire: Wire, header: str) -> None:
    answer = Client().post(PATH, {"To": "+4237910001", "Body": "x", "From": "+1"}, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003


def test_mails_land_on_the_same_phone_once(wire: Wire) -> None:
    letter = EmailMessage("Subject", "Body", "a@doorstep.invalid", ["b@example.com"], headers={"Message-ID": "<1@x>"})
    assert PhoneInboxBackend().send_messages([letter, letter]) == 2
    assert PhoneMessage.objects.get().subject == "Subject"
    assert not mail.outbox


def test_the_inbox_is_read_newest_first_and_per_person(wire: Wire) -> None:
    for to, body in (("+4237910001", "one"), ("+4237910002", "two"), ("+4237910001", "three")):
        TwilioSms().send(text(to, body))
    everything = Client().get("/demo/phone/newest").json()
    assert [message["body"] for message in everything["messages"]] == ["three", "two", "one"]
    mine = Client().get("/demo/phone/newest", {"to": "+4237910001", "after": everything["messages"][2]["id"]}).json()
    assert [message["body"] for message in mine["messages"]] == ["three"]
    assert Client().get("/demo/phone/newest", {"after": "nonsense"}).status_code == 200
