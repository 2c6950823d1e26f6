"""Messages to a driver: whose they are, and until when they can be read and answered."""

from uuid import uuid4

import pytest
from django.core.cache import cache

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.feedback.models import ThreadMessage
from apps.fleet.models import Driver
from apps.routing.models import Drop, Visit
from tests.conftest import FrozenClock
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, post, visits

pytestmark = [pytest.mark.django_db, pytest.mark.covers("T16")]
BATCH, HOLD = "/driver/api/events", "/driver/api/hold"


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def written() -> tuple[ThreadMessage, Visit, Driver]:
    """A message to the driver of a van on the road, for its next stop."""
    _all, driver = one_van_day(("Alice", "Bob"))
    leave(driver)
    visit = visits(driver)[0]
    delivery: Delivery = visit.drops.get().delivery
    words = {"by": ThreadMessage.By.SHOPPER, "to_driver": True, "text": "Ring twice", "form_key": "a"}
    return ThreadMessage.objects.create(delivery=delivery, sent_at=clock.now(), actor="shopper", **words), visit, driver


def read(driver: Driver, message: int) -> dict:
    event = {"id": f"tap-{uuid4()}", "kind": "message", "at": clock.now().isoformat()}
    answer: dict = post(phone_of(driver), BATCH, {"events": [{**event, "message": message}]}).json()["answers"][0]
    return answer


def test_who_read_it_may_still_answer_and_once_only() -> None:
    message, _visit, driver = written()
    page = browser_of(driver)
    page.post(f"/driver/messages/{message.pk}/read")
    text = page.get("/driver/").content.decode()
    assert "Ring twice" in text
    assert "I have read this" not in text
    assert "Answer with a sentence" in text
    page.post(f"/driver/messages/{message.pk}/read", {"sentence": "at_door"})
    text = page.get("/driver/").content.decode()
    assert "You answered: I am at the door" in text
    assert "Answer with a sentence" not in text


def test_who_no_longer_brings_it_reads_nothing_but_a_late_tap_counts(now: FrozenClock) -> None:
    message, visit, driver = written()
    at = clock.now()
    now.advance(minutes=1)
    Drop.objects.filter(visit=visit).update(is_open=False)
    assert read(driver, message.pk)["code"] == "message_not_found", "another van has it, and nobody stood at this stop"
    Visit.objects.filter(pk=visit.pk).update(state=Visit.State.FAILED, left_at=at.replace(hour=at.hour - 1))
    assert read(driver, message.pk)["code"] == "message_not_found", "it was written after this van had left"
    Visit.objects.filter(pk=visit.pk).update(left_at=clock.now())
    now.advance(minutes=1)
    assert read(driver, message.pk)["ok"]


def test_a_number_that_is_none_is_answered_like_any_stranger() -> None:
    _message, _visit, driver = written()
    page = browser_of(driver)
    page.raise_request_exception = False
    told = [page.post(f"/driver/messages/{number}/read").status_code for number in ("999", "9" * 23)]
    assert told[0] == told[1] < 500


def test_a_phone_told_to_forget_has_nothing(now: FrozenClock) -> None:
    message, _visit, driver = written()
    phone = phone_of(driver)
    now.set(now.at("23:30"))
    assert post(phone, HOLD).json() == {"over": True}
    message.refresh_from_db()
    assert message.delivered_at is None
