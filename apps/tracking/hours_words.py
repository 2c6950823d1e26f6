"""Opening hours as people read them: what matters today, and the week in a few lines."""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.places.selectors import next_opening, opening_windows
from apps.tracking.day_words import day_words, local_day, range_words, reader_locale, time_words

WEEK = 7


@dataclass(frozen=True)
class HoursLine:
    days: str
    times: str


def opening_today(opening_hours: str | None, zone: str) -> str:
    """ "Open today until 18:00", "Opens tomorrow at 08:00"; empty when nothing sure is known."""
    if not opening_hours:
        return ""
    now = clock.now()
    window = next_opening(opening_hours, now, ZoneInfo(zone))
    if window is None:
        return ""
    day = local_day(window.earliest, zone)
    if window.earliest <= now:
        return _("Open today until %(time)s") % {"time": time_words(window.latest, zone)}
    return _("Opens %(day)s at %(time)s") % {"day": day_words(day, zone), "time": time_words(window.earliest, zone)}


def opening_week(opening_hours: str | None, zone: str) -> list[HoursLine]:
    """The next seven days from Monday on, days in a row with the same hours in one line."""
    if not opening_hours:
        return []
    today = local_day(clock.now(), zone)
    days = sorted((today + timedelta(days=ahead) for ahead in range(WEEK)), key=date.weekday)
    lines: list[tuple[list[date], str]] = []
    for day in days:
        times = _times(opening_windows(opening_hours, day, ZoneInfo(zone)), zone)
        if lines and lines[-1][1] == times:
            lines[-1][0].append(day)
        else:
            lines.append(([day], times))
    return [HoursLine(_span(group), times) for group, times in lines]


def _times(windows: list[TimeWindow], zone: str) -> str:
    return ", ".join(range_words(window, zone) for window in windows) or _("closed")


def _span(days: list[date]) -> str:
    names = [format_skeleton("EEE", day, locale=reader_locale()) for day in days]
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
