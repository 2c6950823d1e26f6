"""The one-time code: six digits to the contact on file, ten minutes, five tries, one use, this link only."""

import json
import logging
import threading
import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection

from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, Refused, Throttled
from apps.deliveries import access, services
from apps.deliveries.access import Access
from apps.deliveries.models import Contact, Delivery, Link, StepUp
from apps.events.models import Event, Reaction
from tests import world

pytestmark = pytest.mark.django_db


def opened(name: str = "Alice", kind: str = Link.Kind.FULL, delivery: Delivery | None = None) -> Access:
    link = services.make_link(delivery=delivery or world.delivery(name), kind=kind)
    return access.open_link(services.token_of(link))


def asked(who: Access, channel: str = "sms") -> str:
    """The code as the sending reaction would get it."""
    return access.issue_code(step_up_id=access.request_code(access=who, channel=channel).pk)


def wrong(code: str, nth: int = 1) -> str:
    return f"{(int(code) + nth) % 10**6:06d}"


def refused(who: Access, code: str) -> str:
    with pytest.raises(NotAllowed) as error:
        access.verify_code(access=who, code=code)
    assert error.value.code == "code_wrong"
    return error.value.message


@pytest.fixture
def alice() -> Access:
    return opened()


@pytest.mark.covers("T2")
def test_the_right_code_opens_the_verified_tier_for_half_an_hour(alice: Access) -> None:
    cookie = access.verify_code(access=alice, code=asked(alice))
    verified = access.tier_from(alice, cookie)
    assert verified.is_verified
    access.require_verified(verified)
    with mock.patch("django.core.signing.time.time", return_value=time.time() + access.VERIFIED_SECONDS + 1):
        assert not access.tier_from(alice, cookie).is_verified


@pytest.mark.covers("T2")
def test_without_it_nothing_verified_is_allowed(alice: Access) -> None:
    with pytest.raises(NotAllowed) as error:
        access.require_verified(alice)
    assert error.value.code == "step_up_required"


def test_a_code_typed_with_spaces_is_the_same_code(alice: Access) -> None:
    code = asked(alice)
    assert access.verify_code(access=alice, code=f" {code[:3]} {code[3:]} ")


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12a456", "１２３４５６", "\0" * 6, "9" * 10_000, "-1234567"]
)
def test_what_is_no_code_costs_no_try(alice: Access, typed: str) -> None:
    asked(alice)
    with pytest.raises(InvalidInput):
        access.verify_code(access=alice, code=typed)
    assert StepUp.objects.get().tries == 0


@pytest.mark.covers("T2")
def test_brute_force_ends_after_five_tries_even_with_the_right_code(alice: Access) -> None:
    code = asked(alice)
    messages = {refused(alice, wrong(code, nth)) for nth in range(1, 6)}
    messages.add(refused(alice, code))
    assert len(messages) == 1


@pytest.mark.covers("T2")
def test_a_used_code_is_used(alice: Access) -> None:
    code = asked(alice)
    access.verify_code(access=alice, code=code)
    refused(alice, code)


@pytest.mark.covers("T2")
def test_another_link_or_delivery_cannot_use_the_code_or_the_cookie(alice: Access) -> None:
    code = asked(alice)
    bob, second_link = opened("Bob"), opened(delivery=alice.delivery)
    asked(bob)
    refused(bob, code)
    refused(second_link, code)
    cookie = access.verify_code(access=alice, code=code)
    for other in (bob, second_link):
        assert not access.tier_from(other, cookie).is_verified


@pytest.mark.covers("T2")
def test_rotation_ends_the_verification(alice: Access) -> None:
    cookie = access.verify_code(access=alice, code=asked(alice))
    assert access.tier_from(alice, cookie).is_verified
    rotated = services.rotate_link(link=alice.link, actor="agent:1")
    assert not access.tier_from(access.open_link(services.token_of(rotated)), cookie).is_verified


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "\0", "é" * 3000, None, "W10:1:1"])
def test_a_made_up_cookie_changes_nothing(alice: Access, cookie: str | None) -> None:
    assert access.tier_from(alice, cookie) == alice


@pytest.mark.covers("T2")
def test_a_code_lives_ten_minutes_on_the_wall(alice: Access) -> None:
    code = asked(alice)
    StepUp.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    refused(alice, code)
    with pytest.raises(Refused):
        access.issue_code(step_up_id=StepUp.objects.get().pk)


def test_a_repeated_reaction_replaces_the_code_and_keeps_the_tries(alice: Access) -> None:
    step_up = access.request_code(access=alice, channel="sms")
    first = access.issue_code(step_up_id=step_up.pk)
    refused(alice, wrong(first))
    second = access.issue_code(step_up_id=step_up.pk)
    if first != second:
        refused(alice, first)
    assert StepUp.objects.get().tries == 1 + (first != second)
    assert access.verify_code(access=alice, code=second)


def test_the_newest_code_is_the_only_one(alice: Access) -> None:
    first, second = asked(alice), asked(alice, "email")
    if first != second:
        refused(alice, first)
    assert access.verify_code(access=alice, code=second)


@pytest.mark.covers("T2")
def test_codes_are_not_sent_without_end(alice: Access) -> None:
    other_link = opened(delivery=alice.delivery)
    for who in (alice, alice, other_link):
        access.request_code(access=who, channel="sms")
    for who in (alice, other_link):
        with pytest.raises(Throttled) as error:
            access.request_code(access=who, channel="sms")
        assert error.value.details["retry_after_seconds"] > 0
    for _quarter in range(2):
        _move_requests_back(minutes=16)
        for _again in range(3):
            access.request_code(access=alice, channel="sms")
    _move_requests_back(minutes=16)
    access.request_code(access=alice, channel="sms")
    with pytest.raises(Throttled):
        access.request_code(access=alice, channel="sms")


def _move_requests_back(minutes: int) -> None:
    for step_up in StepUp.objects.all():
        step_up.requested_at -= timedelta(minutes=minutes)
        step_up.save()


@pytest.mark.covers("T22")
def test_a_view_only_link_gets_no_code() -> None:
    viewer = opened(kind=Link.Kind.VIEW)
    for call in (
        lambda: access.request_code(access=viewer, channel="sms"),
        lambda: access.verify_code(access=viewer, code="123456"),
        lambda: access.require_verified(viewer),
    ):
        with pytest.raises(NotAllowed) as error:
            call()
        assert error.value.code == "view_only"


def test_only_contacts_on_file_are_offered_and_masked(alice: Access) -> None:
    assert access.channels_of(alice.delivery) == {"sms": "••• 01", "email": "a•••@example.com"}
    Contact.objects.update(phone_refused_at=clock.now())
    again = access.open_link(services.token_of(alice.link))
    assert list(access.channels_of(again.delivery)) == ["email"]
    for channel in ("sms", "+423 791 00 99", "fax"):
        with pytest.raises(InvalidInput):
            access.request_code(access=again, channel=channel)


@pytest.mark.covers("T2")
def test_no_row_and_no_log_holds_a_code(alice: Access, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        code = asked(alice)
        refused(alice, wrong(code))
        access.verify_code(access=alice, code=code)
    rows = [
        *Event.objects.values("payload"),
        *Reaction.objects.values("payload", "last_error"),
        *StepUp.objects.values(),
    ]
    shown = json.dumps([{key: str(value) for key, value in row.items()} for row in rows], default=str)
    digits = shown.replace(StepUp.objects.get().code_digest, "")
    assert f'"{code}"' not in digits
    sql_free = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert not any(code in line for line in sql_free)


@pytest.mark.covers("T2")
@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_share_the_five_tries() -> None:
    alice = opened()
    code = asked(alice)
    guesses = [wrong(code, nth) for nth in range(1, 20)] + [code] * 5
    outcomes: list[str] = []

    def guess(typed: str) -> None:
        try:
            access.verify_code(access=alice, code=typed)
            outcomes.append("in")
        except NotAllowed:
            outcomes.append("out")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(typed,)) for typed in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(guesses)
    assert outcomes.count("in") <= 1
    assert StepUp.objects.get().tries <= access.CODE_TRIES


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_share_the_cap() -> None:
    alice = opened()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            access.request_code(access=alice, channel="sms")
            outcomes.append("sent")
        except Throttled:
            outcomes.append("later")
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _nth in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["later"] * 9 + ["sent"] * 3
