"""A message on the way: who reads it is said before, that it was read is said by the driver's phone and nobody else."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from apps.core import clock
from apps.deliveries.models import AccessCode, Delivery, Link, Place
from apps.deliveries.services import move_state
from apps.deliveries.states import State
from apps.drivers.models import PhoneEvent
from apps.events.models import Event, Reaction
from apps.feedback.models import ThreadMessage
from apps.feedback.services import forget_words
from apps.fleet.models import Driver
from apps.merchants.models import Membership, Merchant, Policy
from tests import world
from tests.conftest import HOME_ZONE, FrozenClock
from tests.drivers.phones import browser_of, leave, one_van_day, phone_of, post, visits
from tests.feedback.pages import confirmed, delivery_in, token_for
from tests.tracking.shopper import Shopper
from tests.tracking.verify_change import COMMITS, verify_change

pytestmark = pytest.mark.django_db
WRITE, WORDS = "/message$", "<b>Ring</b> at <img src=x onerror=alert(1)> Zimtstern & Co"
LITERAL = "&lt;b&gt;Ring&lt;/b&gt; at &lt;img src=x onerror=alert(1)&gt; Zimtstern &amp; Co"
HOLD, BATCH = "/driver/api/hold", "/driver/api/events"


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def near(names: tuple[str, ...] = ("Alice", "Bob")) -> tuple[Delivery, Delivery, Driver]:
    """The deliveries of the first and the second stop of a van on the road, and its driver."""
    _all, driver = one_van_day(names)
    leave(driver)
    first, second = (visit.drops.get().delivery for visit in visits(driver)[:2])
    return first, second, driver


def wrote(delivery: Delivery, text: str = WORDS) -> ThreadMessage:
    Shopper(token_for(delivery)).follow(WRITE).send(text=text)
    return ThreadMessage.objects.filter(delivery=delivery).latest("pk")


@pytest.mark.django_db(transaction=COMMITS)
@pytest.mark.covers("T16")
def test_a_message_is_delivered_read_and_answered_and_each_mark_is_pushed(
    now: FrozenClock, drain: Callable[..., int]
) -> None:
    first, _second, driver = near()
    drain()
    token = token_for(first)
    shopper = Shopper(token).follow(WRITE)
    assert "Your driver reads it before your stop." in shopper.text
    with verify_change(drain, first):
        shopper.send(text=WORDS)
    assert "It is on its way to the driver's phone." in shopper.text
    assert "Sent" in Shopper(token).text
    with verify_change(drain, first):
        held = post(phone_of(driver), HOLD).json()["stops"][0]["html"]["planned"]
    assert LITERAL in held
    assert "<img src=x" not in held
    assert "On the driver's phone" in Shopper(token).text
    message = ThreadMessage.objects.get()
    tapped = now.instant + timedelta(minutes=2)
    now.advance(minutes=30)
    event = {"id": "tap-00000001", "kind": "message", "at": tapped.isoformat(), "message": message.pk}
    phone = phone_of(driver)
    with verify_change(drain, first):
        (answer,) = post(phone, BATCH, {"events": [{**event, "sentence": "two_minutes"}]}).json()["answers"]
    assert answer["ok"]
    again = post(phone, BATCH, {"events": [event, {**event, "id": "tap-00000002", "at": clock.now().isoformat()}]})
    assert [one["again"] for one in again.json()["answers"]] == [True, True]
    message.refresh_from_db()
    assert message.read_at == tapped
    assert PhoneEvent.objects.count() == 2
    assert Event.objects.filter(kind="feedback.message_opened").count() == 1
    assert ThreadMessage.objects.filter(by="driver", sentence="two_minutes").count() == 1
    page = Shopper(token)
    assert re.search(rf"Read by the driver,[^.]* {tapped.astimezone(HOME_ZONE):%H:%M}", page.text), page.text
    assert "I will wait two minutes" in page.text
    german = Client(headers={"Accept-Language": "de"}).get(f"/t/{token}").content.decode()
    assert "Ich warte zwei Minuten" in german
    for row in (*Event.objects.values_list("payload", flat=True), *Reaction.objects.values_list("payload", flat=True)):
        assert "Zimtstern" not in json.dumps(row)


@pytest.mark.covers("T16", "T2")
def test_words_are_for_verified_eyes_and_a_shared_link_sees_and_writes_nothing() -> None:
    first, second, _driver = near()
    token, share = token_for(first), token_for(first, Link.Kind.VIEW)
    wrote(first)
    alone = Client().get(f"/t/{token}").content.decode() + Client().get(f"/t/{token}/state").content.decode()
    assert "Your message" in alone
    assert "Zimtstern" not in alone
    owner = confirmed(Shopper(token), token)
    page = owner.client.get(f"/t/{token}").content.decode()
    assert LITERAL in page
    assert "<img src=x" not in page
    shared = Client().get(f"/t/{share}/state").json()
    assert shared["thread"] is None
    assert Shopper(share).open(f"/t/{share}/message").status == 404
    assert Client().post(f"/t/{share}/message", {"text": "Hello"}).status_code == 404
    other = token_for(second)
    stranger = confirmed(Shopper(other), other)
    assert "Zimtstern" not in stranger.client.get(f"/t/{other}").content.decode()
    assert ThreadMessage.objects.count() == 1


@pytest.mark.covers("T16")
def test_no_other_driver_and_no_customer_can_set_the_mark(now: FrozenClock) -> None:
    first, _second, driver = near()
    message = wrote(first)
    stranger = Driver.objects.create(name="Stranger")
    world.shift("van-2")
    colleague = Driver.objects.get(name="Driver of van-2")
    event = {"id": "tap-00000001", "kind": "message", "at": now.instant.isoformat(), "message": message.pk}
    for one in (stranger, colleague):
        (answer,) = post(phone_of(one), BATCH, {"events": [event]}).json()["answers"]
        assert not answer["ok"]
    assert Client().post(f"/driver/messages/{message.pk}/read").status_code == 401
    token = token_for(first)
    Shopper(token).open(f"/t/{token}/message?done=1")
    (answer,) = post(phone_of(driver), BATCH, {"events": [{**event, "sentence": "<script>"}]}).json()["answers"]
    assert answer["code"] == "sentence_unknown"
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator"))
    change = f"/admin/feedback/threadmessage/{message.pk}/change/"
    assert operator.post(change, {"read_at_0": "2026-03-10", "read_at_1": "08:31"}).status_code == 403
    message.refresh_from_db()
    assert (message.read_at, message.delivered_at) == (None, None)
    plain = browser_of(driver)
    assert LITERAL in plain.get("/driver/").content.decode()
    plain.post(f"/driver/messages/{message.pk}/read", {"sentence": "at_door"})
    message.refresh_from_db()
    assert message.read_at == now.instant
    assert "You answered: I am at the door" in plain.get("/driver/").content.decode()


@pytest.mark.covers("T16")
def test_a_door_code_in_a_message_moves_to_the_protected_field() -> None:
    first, _second, driver = near()
    message = wrote(first, "The gate code is 4711#, thank you")
    assert message.text == "The gate code is •••, thank you"
    assert AccessCode.objects.get(delivery=first).code == "4711#"
    held = post(phone_of(driver), HOLD).json()
    assert held["codes"][first.public_id] == "4711#"
    assert "4711" not in json.dumps(held["stops"])
    token = token_for(first)
    for who in (Shopper(token), confirmed(Shopper(token), token).open(f"/t/{token}")):
        form = who.follow(WRITE).send(text="The gate code is 0815#")
        assert form.status == 422
        assert "another door code on file" in form.text
        assert form.forms[0].fields["text"] == "The gate code is 0815#"
        assert AccessCode.objects.get(delivery=first).code == "4711#", "a message replaced a door code"
    assert ThreadMessage.objects.count() == 1


@pytest.mark.covers("T16")
@pytest.mark.parametrize(
    ("text", "shown", "code"),
    [
        ("Is this the parcel A#48213 from the shop?", None, ""),
        ("Please bring #48213 and #48214 together", None, ""),
        ("I lost the code of order A#48213", None, ""),
        ("It is 4711# at the side", "It is ••• at the side", "4711#"),
    ],
)
def test_an_order_number_is_no_door_code(text: str, shown: str | None, code: str) -> None:
    made = world.delivery("Alice")
    form = Shopper(token_for(made)).follow(WRITE).send(text=text)
    assert ThreadMessage.objects.get().text == (shown or text)
    assert [row.code for row in AccessCode.objects.all()] == ([code] if code else [])
    assert ("locked away for the driver" in form.text) is bool(code)


@pytest.mark.covers("T16")
def test_at_a_point_nothing_is_taken_out_of_a_message() -> None:
    made = world.delivery("Alice")
    Place.objects.filter(pk=made.place_id).update(kind=Place.Kind.LOCKER)
    assert wrote(made, "The yard gate code is 4471, please").text == "The yard gate code is 4471, please"
    assert not AccessCode.objects.exists()


@pytest.mark.covers("T16")
def test_before_the_van_is_near_the_desk_reads_and_answers(drain: Callable[..., int]) -> None:
    (alice, *_rest), driver = one_van_day(("Alice", "Bob"))
    token = token_for(alice)
    shopper = Shopper(token).follow(WRITE)
    assert "The help desk reads it." in shopper.text
    shopper.send(text=WORDS)
    leave(driver)
    assert ThreadMessage.objects.get().to_driver is False
    assert "Zimtstern" not in json.dumps(post(phone_of(driver), HOLD).json())
    agent = Client()
    agent.force_login(User.objects.create_superuser("agent"))
    Merchant.objects.update(time_zone="Asia/Tokyo")
    desk = agent.get(f"/admin/deliveries/delivery/{alice.pk}/change/").content.decode()
    Merchant.objects.update(time_zone=alice.merchant.time_zone)
    sent = ThreadMessage.objects.get().sent_at
    assert f"{sent.astimezone(ZoneInfo('Asia/Tokyo')):%a %H:%M}; for the help desk" in desk
    queue, none = "/admin/feedback/threadmessage/?waits=1", User.objects.create_user("elsewhere", is_staff=True)
    Membership.objects.create(user=none, merchant=world.merchant("ski-werk", "Ski-Werk"), role=Membership.Role.AGENT)
    for user, waiting in ((None, 1), (none, 0)):
        desk_client = agent if user is None else Client()
        if user is not None:
            desk_client.force_login(user)
        page = desk_client.get(queue)
        assert page.context["cl"].result_count == waiting
        entries = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
        (entry,) = [item for item in entries if item["link"] == queue]
        assert entry.get("badge") == ("1" if waiting else None)
    desk = agent.get(f"/admin/deliveries/delivery/{alice.pk}/change/").content.decode()
    assert LITERAL in desk
    assert "<img src=x" not in desk
    assert LITERAL in agent.get("/admin/feedback/threadmessage/").content.decode()
    form = {"text": "We tell <i>her</i>.", "key": "a" * 32}
    for _twice in range(2):
        assert agent.post(f"/admin/desk/{alice.pk}/answer", form).status_code == 302
    agent.post(f"/admin/desk/{alice.pk}/answer", {**form, "text": "And him."})
    drain()
    assert "An answer for you" in Shopper(token).text
    assert (
        "We tell &lt;i&gt;her&lt;/i&gt;." in confirmed(Shopper(token), token).client.get(f"/t/{token}").content.decode()
    )
    assert ThreadMessage.objects.filter(by="desk").count() == 2
    assert agent.get(queue).context["cl"].result_count == 0
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    assert stranger.post(f"/admin/desk/{alice.pk}/answer", {**form, "key": "b" * 32}).status_code == 404


@pytest.mark.covers("T16")
def test_a_thread_ends_with_its_delivery_can_be_switched_off_and_is_forgotten(now: FrozenClock) -> None:
    ended = delivery_in(State.DELIVERED)
    token = token_for(ended)
    assert not [link for link in Shopper(token).links if link.endswith("/message")]
    assert Shopper(token).open(f"/t/{token}/message").status == 410
    made = world.delivery("Bob")
    token = token_for(made)
    form = Shopper(token).follow(WRITE)
    assert form.send(text="x" * 301).status == 422
    form.send(text="Hello", key="c" * 32)
    form.open(f"/t/{token}/message").send(text="Hello", key="c" * 32)
    assert ThreadMessage.objects.filter(delivery=made).count() == 1
    # The browser's way back, and other words in the same form.
    form.open(f"/t/{token}/message").send(text="Hello again", key="c" * 32)
    assert "Your message is sent" in form.text
    assert list(made.thread.order_by("pk").values_list("text", flat=True)) == ["Hello", "Hello again"]
    form.open(f"/t/{token}/message")
    move_state(delivery_id=made.pk, to=State.CANCELLED, actor="shopper")
    assert form.send(text="Too late").status == 410
    assert "Sent to the help desk" in Shopper(token).text
    now.advance(days=made.merchant.policy.words_days + 1)
    forget_words()
    assert not ThreadMessage.objects.exists()
    off = world.delivery("Charlie")
    Policy.objects.update(allow_messages=False)
    token = token_for(off)
    page = Shopper(token)
    assert not [link for link in page.links if link.endswith("/message")]
    assert "The sender does not offer this." in page.text
    assert Shopper(token).open(f"/t/{token}/message").status == 422


@pytest.mark.covers("T16")
def test_writing_has_a_limit_for_each_delivery() -> None:
    made = world.delivery("Alice")
    token = token_for(made)
    form = Shopper(token).follow(WRITE)
    answers = [form.send(text="x" * 301).status for _try in range(11)]
    assert (answers[0], answers[-1]) == (422, 429)
    assert Shopper(token_for(world.delivery("Bob"))).follow(WRITE).send(text="Hello").status == 200
