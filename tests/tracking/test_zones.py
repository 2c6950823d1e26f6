"""Times in the delivery's zone and the reader's clock, also on the two days a year that are not 24 hours long."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from icalendar import Calendar

from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, token_of
from apps.routing.models import Visit
from apps.routing.services import publish
from tests import world
from tests.conftest import FrozenClock

pytestmark = pytest.mark.django_db
# In Vaduz clocks jump from 02:00 to 03:00 on 29 March 2026 and back from 03:00 to 02:00 on 25 October.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def page(delivery: Delivery, language: str = "en") -> str:
    token = token_of(make_link(delivery=delivery))
    return Client(headers={"Accept-Language": language}).get(f"/t/{token}").content.decode()


def agreed(*hours: int, day: date) -> Delivery:
    """A window given in UTC hours of the day."""
    made = world.delivery()
    start, end = (datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for hour in hours)
    Delivery.objects.filter(pk=made.pk).update(window_earliest=start, window_latest=end)
    return Delivery.objects.get(pk=made.pk)


@pytest.mark.covers("T18", "T23")
@pytest.mark.parametrize(
    ("day", "before", "after"), [(SPRING, "01:00", "03:00"), (AUTUMN, "02:00", "02:00")], ids=["spring", "autumn"]
)
def test_an_hour_across_the_change_of_clocks_is_told_by_both_clocks(
    day: date, before: str, after: str, now: FrozenClock
) -> None:
    """One real hour: 00:00 to 01:00 UTC."""
    now.set(datetime(day.year, day.month, day.day, 6, tzinfo=UTC) - timedelta(days=1))
    made = agreed(0, 1, day=day)
    shown = page(made)
    assert "Arriving tomorrow," in shown
    expected = f"{before}–{after}" if before != after else before
    assert expected in shown
    token = token_of(make_link(delivery=made))
    entry = Calendar.from_ical(Client().get(f"/t/{token}/calendar.ics").content).walk("VEVENT")[0]
    assert entry["DTEND"].dt - entry["DTSTART"].dt == timedelta(hours=1)
    assert entry["DTSTART"].dt == made.window.earliest


@pytest.mark.covers("T18", "T5")
def test_the_eta_of_the_short_day_is_right_to_the_minute(now: FrozenClock) -> None:
    """On the plan it is an instant; on the page it is what the wall in Vaduz shows: two hours ahead of UTC by then."""
    now.set(datetime(2026, 3, 29, 6, 30, tzinfo=UTC))
    made = agreed(6, 16, day=SPRING)
    world.shift("van-1", SPRING)
    made = world.put_in_plan(made)
    visit = Visit.objects.get(drops__delivery=made)
    publish(plan=visit.plan, actor="system")
    arrival = datetime(2026, 3, 29, 12, 10, tzinfo=UTC)
    Visit.objects.filter(pk=visit.pk).update(eta_earliest=arrival, eta_latest=arrival + timedelta(minutes=30))
    Delivery.objects.filter(pk=made.pk).update(page_version=made.page_version + 1)
    assert "14:10–14:40" in page(made)


@pytest.mark.covers("T18")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "14:00–16:00"),
        ("de", "14:00–16:00"),
        ("fr", "14:00–16:00"),
        ("pt", "14:00–16:00"),
        ("pl", "14:00–16:00"),
        # Twelve hours and the marks for before and after noon.
        ("ar", "2:00 م–4:00 م"),
    ],
)
def test_every_language_has_its_own_clock(language: str, words: str) -> None:
    shown = page(agreed(13, 15, day=world.TODAY), language).replace("\u202f", " ").replace("\u00a0", " ")
    assert words in shown
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in shown


@pytest.mark.covers("T18")
def test_a_reader_elsewhere_still_sees_the_time_at_the_door(settings: object) -> None:
    made = agreed(13, 15, day=world.TODAY)
    made.merchant.time_zone = "Europe/Lisbon"
    made.merchant.save()
    assert "13:00–15:00" in page(made)
