"""The calendar file: one entry however often it is imported, moved when the time moves, gone when it is called off."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from icalendar import Calendar, Event

from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link, open_promise, token_of
from apps.merchants.models import Merchant
from apps.redirection.services import move_to_point
from apps.rescheduling.services import cancel_delivery, change_window
from tests import world
from tests.redirection.points import point, verified
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def alice() -> Delivery:
    return world.planned_day(("Alice", "Bob"))[0]


@pytest.fixture
def token(alice: Delivery) -> str:
    return token_of(make_link(delivery=alice))


def downloaded(token: str, language: str = "en") -> Any:
    return Client(headers={"Accept-Language": language}).get(f"/t/{token}/calendar.ics")


def entry(token: str) -> Event:
    return Calendar.from_ical(downloaded(token).content).walk("VEVENT")[0]


def imported(calendar: dict[str, Event], token: str) -> dict[str, Event]:
    """What a calendar does (RFC 5546): by UID, a higher SEQUENCE replaces, CANCELLED removes."""
    new = entry(token)
    known = calendar.get(str(new["UID"]))
    if known is not None and int(new["SEQUENCE"]) < int(known["SEQUENCE"]):
        return calendar
    rest = {uid: old for uid, old in calendar.items() if uid != str(new["UID"])}
    return rest if new["STATUS"] == "CANCELLED" else rest | {str(new["UID"]): new}


@pytest.mark.covers("T23", "T20")
def test_imported_again_after_a_change_it_is_one_entry_and_moved(alice: Delivery, token: str) -> None:
    shopper = Shopper(token)
    assert any(link.endswith("/calendar.ics") for link in shopper.links)
    mine = imported({}, token)
    first = next(iter(mine.values()))
    assert (first["DTSTART"].dt, first["DTEND"].dt) == (alice.window.earliest, alice.window.latest)
    assert imported(mine, token) == mine
    change_window(delivery=alice, window=world.hours(14, 16), revision=alice.revision, actor="shopper")
    mine = imported(mine, token)
    assert len(mine) == 1
    moved = next(iter(mine.values()))
    assert moved["DTSTART"].dt == datetime(2026, 3, 10, 13, 0, tzinfo=UTC)
    assert int(moved["SEQUENCE"]) > int(first["SEQUENCE"])


@pytest.mark.covers("T23")
def test_what_is_called_off_is_taken_out(alice: Delivery, token: str) -> None:
    mine = imported({}, token)
    before = int(next(iter(mine.values()))["SEQUENCE"])
    cancel_delivery(delivery=alice, reason="other", revision=alice.revision, actor="shopper", access=verified(alice))
    answer = downloaded(token)
    assert b"METHOD:CANCEL" in answer.content
    assert "method=CANCEL" in answer["Content-Type"]
    assert int(entry(token)["SEQUENCE"]) > before
    assert imported(mine, token) == {}
    assert any(link.endswith("/calendar.ics") for link in Shopper(token).links)


@pytest.mark.covers("T23")
def test_the_sequence_rises_with_every_told_time_and_with_the_place(
    alice: Delivery, token: str, drain: Callable[..., int]
) -> None:
    seen = [int(entry(token)["SEQUENCE"])]
    open_promise(delivery_id=alice.pk, window=world.hours(10, 12))
    seen.append(int(entry(token)["SEQUENCE"]))
    assert entry(token)["DTSTART"].dt == world.hours(10, 12).earliest
    alice.refresh_from_db()
    place = point()
    move_to_point(delivery=alice, point=place, revision=alice.revision, actor="shopper", access=verified(alice))
    drain()
    seen.append(int(entry(token)["SEQUENCE"]))
    assert seen == sorted(set(seen))
    assert place.street in str(entry(token)["LOCATION"])


@pytest.mark.covers("T23", "T2")
def test_it_says_no_more_than_the_page_and_survives_odd_names(alice: Delivery, token: str) -> None:
    name = 'Käse, Wurst; Co\\ "A"\nEND:VEVENT'
    Merchant.objects.filter(pk=alice.merchant_id).update(name=name)
    raw = downloaded(token).content
    assert raw.count(b"END:VEVENT") == 1 or b"\\nEND:VEVENT" in raw.replace(b"\r\n ", b"")
    assert str(entry(token)["SUMMARY"]) == f"Delivery from {name}"
    assert b"DTSTART:20260310T070000Z" in raw
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    plain = raw.replace(b"\r\n ", b"").decode()
    assert "Vaduz" in plain
    assert not [word for word in ("Landstrasse", "Alice", "Muster", alice.recipient.phone, "9490") if word in plain]
    shared = token_of(make_link(delivery=alice, kind=Link.Kind.VIEW))
    assert token not in downloaded(shared).content.replace(b"\r\n ", b"").decode()
    assert entry(shared)["UID"] == entry(token)["UID"]
    assert downloaded(shared)["Cache-Control"] == "private, no-store"
