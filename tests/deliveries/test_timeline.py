"""One history in words, from one table, for the page, messages and agents."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from apps.deliveries import access, selectors, services, words
from apps.deliveries.states import State
from tests import world

pytestmark = pytest.mark.django_db
VADUZ = ZoneInfo("Europe/Vaduz")


def sentences(delivery_id: int, *, staff: bool = False) -> list[str]:
    entries = selectors.timeline(delivery_id, staff=staff)
    return [words.timeline_sentence(entry.code, entry.data, zone=VADUZ) for entry in entries]


@pytest.mark.covers("T9")
def test_it_tells_the_story_newest_first() -> None:
    delivery = world.delivery(window=world.hours(9, 11))
    move = services.move_state
    for state in (State.PLANNED, State.CREATED, State.PLANNED, State.ARRIVED):
        move(delivery_id=delivery.pk, to=state, actor="system")
    services.change_window(delivery=delivery, window=world.hours(14, 16), revision=1, actor="shopper")
    for state in (State.LOADED, State.OUT):
        move(delivery_id=delivery.pk, to=state, actor="driver:1")
    move(delivery_id=delivery.pk, to=State.FAILED, actor="driver:1", reason="consignee_not_home")
    assert sentences(delivery.pk) == [
        "We could not deliver: nobody answered the door.",
        "The van is on its way.",
        "The parcel is on the van.",
        "New time: today, 14:00–16:00.",
        "The parcel reached our depot.",
        "Your delivery has a place on a route.",
    ]


@pytest.mark.covers("S2")
def test_staff_read_more_than_the_shopper() -> None:
    delivery = world.delivery()
    link = services.make_link(delivery=delivery)
    access.request_code(access=access.open_link(services.token_of(link)), channel="sms")
    services.open_promise(delivery_id=delivery.pk, window=world.hours(9, 11))
    assert sentences(delivery.pk) == []
    assert sentences(delivery.pk, staff=True) == [
        "The customer was told a time (version 1).",
        "A one-time code was requested.",
    ]


@pytest.mark.covers("T9")
def test_every_state_and_code_has_a_sentence() -> None:
    for state in State:
        assert state == State.CREATED or words.TIMELINE[state]
    for code in words.TIMELINE:
        text = words.timeline_sentence(
            code, {"reason": "unheard_of", "to": ["2026-03-11T13:00:00+00:00"] * 2}, zone=VADUZ
        )
        assert text.endswith(".")
        assert "{" not in text


def test_days_are_named_as_people_do_in_their_zone() -> None:
    def at(day: int, hour: int = 8) -> datetime:
        return datetime(2026, 3, day, hour, tzinfo=UTC)

    assert words.window_words(at(10, 13), at(10, 15), zone=VADUZ) == "today, 14:00–16:00"
    assert words.window_words(at(10, 23), at(11, 1), zone=VADUZ) == "tomorrow, 00:00–02:00"
    assert words.window_words(at(12), at(12, 10), zone=VADUZ) == "Thu 12 March, 09:00–11:00"
    with translation.override("de"):
        assert words.day_words(at(12).astimezone(VADUZ)) == "Do 12 März"
    # The day the clocks go forward.
    assert words.window_words(at(29, 0), at(29, 1), zone=VADUZ) == "Sun 29 March, 01:00–03:00"


@pytest.mark.covers("S1")
@pytest.mark.parametrize(
    "text",
    ["A-0001", "a-0001", "alice", "Muster", "+423 791 00 01", "00423 791 00 01", "791 00 01", "7910001", "0001",
     "alice1@example.com", "ALICE1@example.com", "9490", "DS00000001"],
)  # fmt: skip
def test_an_agent_finds_a_delivery_by_whatever_the_caller_says(text: str) -> None:
    alice, bob = world.delivery("Alice"), world.delivery("Bob")
    found = set(selectors.search(text))
    assert alice in found
    assert bob not in found or text == "Muster"


@pytest.mark.parametrize("text", ["\0", "%", "'; --", "x" * 5000, "+", "(((", "🙂", "999999999"])
def test_odd_searches_find_nothing_and_break_nothing(text: str) -> None:
    world.delivery("Alice")
    assert not selectors.search(text).exists() or not text.strip("\0")
