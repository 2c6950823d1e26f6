"""The driver says nobody was there, the recipient says they were: asked once per attempt, and answered on the page."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from apps.core import clock
from apps.deliveries.models import Attempt, Delivery, Link
from apps.deliveries.states import State
from apps.events.models import Event
from apps.feedback.models import Dispute
from apps.feedback.services import decide_dispute
from tests import world
from tests.conftest import FrozenClock
from tests.feedback.pages import confirmed, token_for
from tests.tracking.shopper import Shopper
from tests.tracking.verify_change import COMMITS, verify_change

pytestmark = pytest.mark.django_db
ASK, SAID = "/dispute$", "I waited behind the door, the van drove past."


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def failed(reason: str = "consignee_not_home", number: int = 1) -> Delivery:
    made = world.delivery("Alice", state=State.FAILED)
    Attempt.objects.update_or_create(
        delivery=made,
        number=number,
        defaults={
            "place": made.place,
            "started_at": world.MORNING,
            "ended_at": clock.now(),
            "outcome": State.FAILED,
            "reason_code": reason,
        },
    )
    return made


@pytest.mark.django_db(transaction=COMMITS)
@pytest.mark.covers("D11", "T20")
def test_an_attempt_is_disputed_without_javascript_once_and_its_outcome_is_told(drain: Callable[..., int]) -> None:
    made = failed()
    token = token_for(made)
    shopper = Shopper(token).follow(ASK)
    assert "nobody answered the door" in shopper.text
    with verify_change(drain, made):
        shopper.send(text=SAID)
    assert "We are checking it" in shopper.text
    for _again in range(3):
        shopper.client.post(f"/t/{token}/dispute", {"text": "Another story"})
        assert "We are checking it" in shopper.open(f"/t/{token}/dispute").text
    row = Dispute.objects.get()
    assert (row.text, row.state, row.attempt.number, row.is_verified) == (SAID, "open", 1, False)
    page = Shopper(token)
    assert "We are checking the attempt" in page.text
    assert not [link for link in page.links if link.endswith("/dispute")]
    assert "You told us that you were there." in page.text
    with verify_change(drain, made):
        assert decide_dispute(dispute=row, upheld=True, answer="The van stood at number 3.", actor="agent:1")
    assert not decide_dispute(dispute=row, upheld=False, actor="agent:1")
    page = Shopper(token)
    assert "You were right about the attempt" in page.text
    assert "number 3" not in page.text + Client().get(f"/t/{token}/state").content.decode()
    assert "number 3" in confirmed(page, token).open(f"/t/{token}").text
    for words in Event.objects.values_list("payload", flat=True):
        assert "waited" not in str(words)
        assert "number 3" not in str(words)


@pytest.mark.covers("D11")
def test_only_what_a_driver_said_of_the_recipient_can_be_disputed_and_not_for_ever(now: FrozenClock) -> None:
    for reason in ("carrier_not_enough_time", "carrier_no_parking"):
        token = token_for(failed(reason))
        assert not [link for link in Shopper(token).links if link.endswith("/dispute")]
        assert Shopper(token).open(f"/t/{token}/dispute").status == 422
    for never in (world.delivery("Bob", state=State.OUT), failed("carrier_no_parking")):
        assert Client().post(f"/t/{token_for(never)}/dispute", {"text": "x" * 601}).status_code == 422
    made = failed()
    share, token = token_for(made, Link.Kind.VIEW), token_for(made)
    assert not [link for link in Shopper(share).links if link.endswith("/dispute")]
    assert Shopper(share).open(f"/t/{share}/dispute").status == 404
    form = Shopper(token).follow(ASK)
    assert form.send(text="x" * 601).status == 422
    now.advance(days=15)
    assert form.open(f"/t/{token}/dispute").status == 422
    assert not Dispute.objects.exists()


@pytest.mark.covers("D11")
def test_each_attempt_can_be_disputed_and_trying_has_an_end() -> None:
    made = failed()
    token = token_for(made)
    Shopper(token).follow(ASK).send()
    Attempt.objects.create(
        delivery=made,
        number=2,
        place=made.place,
        started_at=clock.now(),
        ended_at=clock.now(),
        outcome=State.FAILED,
        reason_code="consignee_refused",
    )
    Delivery.objects.update(page_version=made.page_version + 9)
    Shopper(token).follow(ASK).send(text=SAID)
    assert sorted(Dispute.objects.values_list("attempt__number", flat=True)) == [1, 2]
    third = failed()
    token = token_for(third)
    form = Shopper(token).follow(ASK)
    answers = [form.send(text="x" * 601).status for _try in range(11)]
    assert answers[0] == 422
    assert answers[-1] == 429
