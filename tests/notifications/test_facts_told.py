"""What people read on their phones when something happens to their delivery."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail

from apps.core.time_windows import TimeWindow
from apps.deliveries import access, services
from apps.deliveries.models import Delivery, Promise
from apps.deliveries.states import State
from apps.events.services import sweep
from apps.notifications.models import Message
from tests import world
from tests.conftest import FrozenClock
from tests.notifications.people import alice, announce, visit_at
from tests.notifications.twilio_wire import Wire

Drain = Callable[..., int]
Texts = Callable[..., list[str]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wire")]


def move(delivery: Delivery, to: State, reason: str = "") -> None:
    assert services.move_state(delivery_id=delivery.pk, to=to, actor="system", reason=reason)


@pytest.mark.covers("N1")
def test_a_new_order_is_confirmed_by_mail_and_its_window_promised(drain: Drain) -> None:
    delivery = alice(email=None)
    announce("delivery.created", delivery)
    drain()
    assert [letter.subject for letter in mail.outbox] == ["Your order A-0001 comes today, 08:00–18:00"]
    body = mail.outbox[0].body
    assert services.tracking_url(delivery.links.get()) in body
    promise = Promise.objects.get(delivery=delivery)
    assert TimeWindow(promise.earliest, promise.latest) == delivery.window


@pytest.mark.covers("N1")
def test_who_has_no_mail_address_is_told_by_text(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    announce("delivery.created", delivery)
    drain()
    link = services.tracking_url(delivery.links.get())
    assert texts() == [f"Alpenkorb: we have your order A-0001. It comes today, 08:00-18:00. {link}"]


@pytest.mark.covers("N1", "N2")
def test_out_today_promises_an_honest_hour(drain: Drain, texts: Texts, now: FrozenClock) -> None:
    """ETA 14:12 to 14:22 becomes an hour on ten-minute marks; the second stop of the day says nothing new."""
    delivery = alice()
    visit_at(delivery, now.at("14:17"))
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    drain()
    assert len(texts()) == 1
    assert texts()[0].startswith("Alpenkorb: your delivery arrives today, 13:50-14:50. http")
    assert Message.objects.get(trigger="out_today").state == "delivered"


@pytest.mark.covers("N1", "N2")
def test_a_second_try_of_the_same_day_is_promised_anew(drain: Drain, texts: Texts, now: FrozenClock) -> None:
    delivery = alice()
    visit_at(delivery, now.at("09:30"))
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    move(delivery, State.FAILED, "consignee_not_home")
    drain()
    now.advance(minutes=60)
    visit_at(delivery, now.at("14:17"))
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    drain()
    assert texts()[-1].startswith("Alpenkorb: your delivery arrives today, 13:50-14:50. http")
    promise = Promise.objects.get(delivery=delivery, closed_at=None)
    assert (promise.earliest, promise.latest) == (now.at("13:50"), now.at("14:50"))


@pytest.mark.covers("N5")
def test_only_a_broken_promise_is_told(drain: Drain, texts: Texts, now: FrozenClock) -> None:
    delivery = alice()
    visit_at(delivery, now.at("14:17"))
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    drain()
    visit_at(delivery, now.at("14:45"))
    announce("routing.eta_changed", delivery, deliveries=[delivery.pk])
    drain()
    assert len(texts()) == 1, "still inside what was promised"
    visit_at(delivery, now.at("15:31"))
    announce("routing.eta_changed", delivery, deliveries=[delivery.pk])
    announce("routing.eta_changed", delivery, deliveries=[delivery.pk])
    drain()
    assert texts()[1:] == [texts()[-1]]
    assert "new time for your delivery: today, 15:00-16:00" in texts()[-1]


@pytest.mark.covers("N19")
def test_a_change_is_told_once_and_the_newest_time_wins(drain: Drain, texts: Texts) -> None:
    """Two changes before the worker gets to it are one message with the second time."""
    delivery = alice()
    announce("delivery.created", delivery)
    drain()
    for start in (10, 14):
        delivery = services.change_window(
            delivery=delivery, window=world.hours(start, start + 2), revision=delivery.revision, actor="shopper"
        )
    drain()
    assert len(texts()) == 2
    assert "new time for your delivery: today, 14:00-16:00" in texts()[1]
    assert Promise.objects.get(delivery=delivery, closed_at=None).version == 3


def test_a_change_before_the_confirmation_leaves_one_message(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    announce("delivery.created", delivery)
    services.change_window(delivery=delivery, window=world.hours(14, 16), revision=delivery.revision, actor="shopper")
    drain()
    assert sum("14:00-16:00" in text for text in texts()) == len(texts())


def test_a_place_change_without_a_new_time_is_told_too(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    announce("delivery.created", delivery)
    drain()
    for name in ("Bob", "Charlie"):
        delivery = services.change_place(
            delivery=delivery,
            place=services.PlaceInput.of(world.place(name)),
            window=delivery.window,
            revision=delivery.revision,
            actor="shopper",
        )
        drain()
    assert len(texts()) == 3


@pytest.mark.covers("N1")
def test_failed_says_why_and_what_to_do(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    announce("delivery.created", delivery)
    delivery.attempts.create(number=1, place=delivery.place, started_at=delivery.created_at)
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    move(delivery, State.FAILED, "consignee_not_home")
    drain()
    assert "could not deliver today: nobody answered the door. Choose a new time: https://" in texts()[-1]


@pytest.mark.covers("N1", "P8")
def test_the_buyer_hears_that_it_arrived_without_the_recipients_link(drain: Drain) -> None:
    delivery = alice(email=None)
    buyer = world.delivery("Bob").recipient
    delivery.order.buyer = buyer
    delivery.order.save()
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    move(delivery, State.DELIVERED)
    drain()
    to_buyer = [letter for letter in mail.outbox if letter.to == [buyer.email]]
    assert [letter.subject for letter in to_buyer] == ["Your order A-0001 has been delivered"]
    assert "/t/" not in to_buyer[0].body
    assert services.token_of(delivery.links.get()) in next(
        letter.body
        for letter in mail.outbox
        if letter.to == [delivery.recipient.email] and "delivered" in letter.subject
    )


@pytest.mark.covers("N5")
def test_you_are_next_is_told_even_when_the_time_has_moved_meanwhile(
    drain: Drain, texts: Texts, now: FrozenClock
) -> None:
    """The van is late for its last stop but one; whoever comes next must still come to the door."""
    delivery = alice()
    visit_at(delivery, now.at("14:17"))
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    drain()
    announce("routing.next_stop", delivery)
    sweep("fast", 50)
    services.open_promise(delivery_id=delivery.pk, window=world.hours(15, 16))
    drain()
    assert Message.objects.get(trigger="next_stop").state == "delivered"


def test_nobody_is_told_that_they_are_next_for_another_day(drain: Drain, texts: Texts) -> None:
    delivery = alice()
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    announce("routing.next_stop", delivery)
    sweep("fast", 50)
    move(delivery, State.PLANNED)
    drain()
    assert Message.objects.get(trigger="next_stop").reason == "no_longer_out"


def test_what_no_longer_matters_is_not_sent(drain: Drain, texts: Texts) -> None:
    """Next stop, then delivered before the worker got to it: nobody reads that the van is coming."""
    delivery = alice()
    move(delivery, State.PLANNED)
    move(delivery, State.OUT)
    announce("routing.next_stop", delivery)
    move(delivery, State.DELIVERED)
    drain()
    assert texts() == [text for text in texts() if "has been delivered" in text]
    skipped = Message.objects.filter(state="suppressed")
    assert all(message.reason == "delivery_ended" for message in skipped)


@pytest.mark.covers("N1")
def test_german_people_read_german(drain: Drain, texts: Texts) -> None:
    delivery = alice(language="de")
    announce("delivery.created", delivery)
    drain()
    assert texts()[0].startswith("Alpenkorb: Wir haben Ihre Bestellung A-0001. Sie kommt heute, 08:00-18:00.")


@pytest.mark.covers("N12")
def test_ready_to_collect_names_the_point_and_the_last_day(drain: Drain, texts: Texts, now: FrozenClock) -> None:
    delivery = alice()
    place = delivery.place
    place.kind, place.name = "pickup_point", "Post Vaduz"
    place.save()
    delivery.collect_until = now.at("18:00", days=7)
    delivery.save()
    announce("redirection.stored", delivery, point=1)
    drain()
    assert texts()[0].startswith(
        "Alpenkorb: ready to collect at Post Vaduz until Tue 17 March, 18:00. Your code: https:"
    )


@pytest.mark.covers("N13")
def test_quiet_hours_defer_a_text_until_the_morning(drain: Drain, texts: Texts, now: FrozenClock) -> None:
    """23:30 in the delivery's zone: the change waits until 08:00, the code does not, a mail does not ring at all."""
    delivery = alice()
    announce("delivery.created", delivery)
    drain()
    now.set(now.at("23:30"))
    window = TimeWindow(delivery.window_earliest + timedelta(days=1), delivery.window_latest + timedelta(days=1))
    services.change_window(delivery=delivery, window=window, revision=delivery.revision, actor="shopper")
    access.request_code(access=access.open_link(services.token_of(delivery.links.get())), channel="sms")
    drain()
    assert len(texts()) == 2
    assert "is your code" in texts()[1]
    now.set(now.at("07:59", days=1))
    drain()
    assert len(texts()) == 2
    now.advance(minutes=1)
    drain()
    assert "new time for your delivery: today, 08:00-18:00" in texts()[2]


def test_a_mail_arrives_at_night(drain: Drain, now: FrozenClock) -> None:
    now.set(now.at("23:30"))
    announce("delivery.created", alice(email=None))
    drain()
    assert len(mail.outbox) == 1


def test_the_code_opens_the_step_up_and_only_the_last_one_does(drain: Drain, texts: Texts, wire: Wire) -> None:
    delivery = alice()
    gate = access.open_link(services.token_of(delivery.links.get()))
    access.request_code(access=gate, channel="sms")
    drain()
    code = texts()[0].split(": ")[1][:6]
    assert access.verify_code(access=gate, code=code)
    assert code not in Message.objects.get(trigger="code").body
    assert "••••••" in Message.objects.get(trigger="code").body


def test_a_code_overtakes_a_morning_of_departures(drain: Drain, texts: Texts) -> None:
    """Somebody waits at the screen for it; the others do not."""
    others = [alice() for _number in range(5)]
    for delivery in others:
        announce("delivery.created", delivery)
    access.request_code(access=access.open_link(services.token_of(others[0].links.get())), channel="sms")
    sweep("fast", 50)
    sweep("slow", 1)
    assert "is your code" in texts()[0]
    drain()
    assert len(texts()) == 6
