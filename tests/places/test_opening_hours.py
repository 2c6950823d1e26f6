"""A closed point is never offered: holidays, the days the clocks change, and text nobody can read."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.places.selectors import is_open, is_understood, next_opening, opening_windows

VADUZ = ZoneInfo("Europe/Vaduz")
POST = "Mo-Fr 07:45-12:00,13:30-18:00; Sa 08:00-11:00"


def local(hours: str, day: date, country: str = "LI") -> list[str]:
    windows = opening_windows(hours, day, VADUZ, country)
    return [f"{w.earliest.astimezone(VADUZ):%H:%M}-{w.latest.astimezone(VADUZ):%H:%M}" for w in windows]


@pytest.mark.covers("A1")
@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        (POST, date(2026, 3, 10), ["07:45-12:00", "13:30-18:00"]),
        (POST, date(2026, 3, 14), ["08:00-11:00"]),
        (POST, date(2026, 3, 15), []),
        (POST, date(2026, 5, 1), []),
        ("Mo-Sa 08:00-18:00", date(2026, 8, 15), []),
        ("Mo-Su,PH 08:00-18:00", date(2026, 8, 15), ["08:00-18:00"]),
        ("24/7", date(2026, 8, 15), ["00:00-00:00"]),
        ("", date(2026, 8, 15), ["00:00-00:00"]),
        ("Tu 22:00-26:00", date(2026, 3, 11), ["00:00-02:00"]),
        ('Mo-Fr 08:00-12:00 "by appointment"', date(2026, 3, 10), []),
        ("Mo-Fr 08:00-12:00 unknown", date(2026, 3, 10), []),
    ],
)
def test_the_windows_of_a_day(hours: str, day: date, expected: list[str]) -> None:
    assert local(hours, day) == expected


def test_a_holiday_of_one_country_is_a_working_day_in_another() -> None:
    ascension_of_mary = date(2026, 9, 8)
    assert local("Mo-Fr 08:00-12:00", ascension_of_mary, "LI") == []
    assert local("Mo-Fr 08:00-12:00", ascension_of_mary, "CH") == ["08:00-12:00"]


def test_the_days_the_clocks_change_are_23_and_25_hours_long() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        (window,) = opening_windows("24/7", day, VADUZ)
        assert window.width.total_seconds() == hours * 3600
    (window,) = opening_windows("Su 08:00-10:00", date(2026, 3, 29), VADUZ)
    assert window.earliest == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "hours", ["Mo-", "foo", "\0", "x" * 10_000, "Mo-Fr 25:99", "(((((", "🙂", "Mo-Fr 08:00-12:00" * 50]
)
def test_text_nobody_can_read_means_not_offered(hours: str) -> None:
    assert opening_windows(hours, date(2026, 3, 10), VADUZ) == []
    assert not is_understood(hours)
    assert not is_open(hours, datetime(2026, 3, 10, 9, tzinfo=UTC), VADUZ)


@given(st.text(max_size=60))
def test_no_text_crashes(hours: str) -> None:
    for window in opening_windows(hours, date(2026, 3, 10), VADUZ):
        assert window.earliest < window.latest


def test_open_now_and_open_next() -> None:
    noon = datetime(2026, 3, 10, 11, 30, tzinfo=UTC)
    assert not is_open(POST, noon, VADUZ)
    after_lunch = next_opening(POST, noon, VADUZ)
    assert after_lunch is not None
    assert after_lunch.earliest == datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
    monday = next_opening(POST, datetime(2026, 3, 14, 12, tzinfo=UTC), VADUZ)
    assert monday is not None
    assert monday.earliest.astimezone(VADUZ).isoformat() == "2026-03-16T07:45:00+01:00"
    assert next_opening("foo", noon, VADUZ) is None
