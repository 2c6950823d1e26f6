"""Twilio's reports: signed or refused, in any order, any number of times."""

from collections.abc import Callable
from itertools import permutations

import pytest
from django.test import Client

from apps.demo.fake_twilio import signature_of
from apps.demo.models import PhoneMessage
from apps.events.models import Reaction
from apps.notifications.models import Message, SendAttempt
from tests.notifications.people import alice, announce

Drain = Callable[..., int]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wire")]
BASE = "https://doorstep.example"


@pytest.fixture
def attempt(drain: Drain) -> SendAttempt:
    """A text that Twilio has queued, nothing reported yet."""
    delivery = alice(email=None)
    announce("delivery.state_changed", delivery, **{"from": "out", "to": "failed", "reason": ""})
    from apps.events.services import sweep

    sweep("fast", 10)
    Reaction.objects.update(next_try_at="2020-01-01T00:00:00Z")
    sweep("slow", 1)
    return SendAttempt.objects.get()


def report(attempt: SendAttempt, status: str, error: str = "", sid: str = "", **more: str) -> int:
    path = f"/messages/twilio/{attempt.public_id}"
    fields = {"MessageSid": sid or attempt.provider_id, "MessageStatus": status, "To": "+4237910001", **more}
    if error:
        fields["ErrorCode"] = error
    return send(path, fields, signature_of(BASE + path, fields))


def send(path: str, fields: dict[str, str], signature: str) -> int:
    return int(Client().post(path, fields, headers={"X-Twilio-Signature": signature}).status_code)


@pytest.mark.covers("N8")
@pytest.mark.parametrize("order", permutations(["queued", "sent", "delivered"]))
def test_any_order_ends_the_same(attempt: SendAttempt, order: tuple[str, ...]) -> None:
    for status in order:
        assert report(attempt, status) == 204
    attempt.refresh_from_db()
    assert attempt.status == "delivered"
    assert Message.objects.get().state == "delivered"


@pytest.mark.covers("N8", "N7")
@pytest.mark.parametrize("order", permutations(["queued", "sent", "undelivered"]))
def test_an_undelivered_text_ends_as_one_mail_in_any_order(
    attempt: SendAttempt, order: tuple[str, ...], drain: Drain
) -> None:
    from django.core import mail

    for status in order:
        report(attempt, status, error="30007" if status == "undelivered" else "")
    PhoneMessage.objects.update(status_callback="")
    Reaction.objects.filter(handler__contains="fake_twilio").delete()
    drain()
    assert len(mail.outbox) == 1
    assert Message.objects.get().state == "sent"


@pytest.mark.covers("GS15")
def test_many_replays_have_no_second_effect(attempt: SendAttempt) -> None:
    report(attempt, "undelivered", error="30007")
    before = Reaction.objects.count()
    for _replay in range(20):
        assert report(attempt, "undelivered", error="30007") == 204
        assert report(attempt, "sent") == 204
    assert Reaction.objects.count() == before
    attempt.refresh_from_db()
    assert attempt.status == "undelivered"


@pytest.mark.covers("N8")
def test_a_forged_report_is_refused(attempt: SendAttempt) -> None:
    path = f"/messages/twilio/{attempt.public_id}"
    fields = {"MessageSid": attempt.provider_id, "MessageStatus": "delivered"}
    good = signature_of(BASE + path, fields)
    assert send(path, fields, "") == 403
    assert send(path, fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8=") == 403
    assert send(path, {**fields, "MessageStatus": "read"}, good) == 403
    assert send(path, fields, signature_of("http://testserver" + path, fields)) == 403
    assert send(f"{path}?x=1", fields, good) == 403
    attempt.refresh_from_db()
    assert attempt.status == "queued"
    assert send(path, fields, good) == 204


def test_an_unknown_try_says_nothing(attempt: SendAttempt) -> None:
    """The same empty answer as for a known one: who signs may as well be told nothing."""
    path = "/messages/twilio/no-such-attempt"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert send(path, fields, signature_of(BASE + path, fields)) == 204


def test_unknown_fields_words_and_other_messages_change_nothing(attempt: SendAttempt) -> None:
    assert report(attempt, "teleported") == 204
    assert report(attempt, "delivered", sid="SM" + "f" * 32) == 204
    attempt.refresh_from_db()
    assert attempt.status == "queued"
    assert report(attempt, "sent", NewFieldOfTwilio="ü %20+ ") == 204
    attempt.refresh_from_db()
    assert attempt.status == "sent"


def test_without_a_secret_nothing_is_believed(attempt: SendAttempt, settings: object) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    path = f"/messages/twilio/{attempt.public_id}"
    assert send(path, {"MessageStatus": "delivered"}, "") == 403


def test_a_get_is_not_a_report(attempt: SendAttempt) -> None:
    assert Client().get(f"/messages/twilio/{attempt.public_id}").status_code == 405
