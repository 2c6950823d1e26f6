"""Instants in the words a shopper uses: "today", "Thu 12 March", "14:10–14:40", always in the delivery's zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from django.utils.translation import get_language, gettext, to_locale

from apps.core import clock
from apps.core.time_windows import TimeWindow

# Plain "en" would mean the twelve-hour clock of the United States to Babel, plain "pt" Brazil.
_REGIONS = {"en": "en_GB", "pt": "pt_PT"}


def reader_locale() -> Locale:
    """The reader's language with its customs of writing days and times."""
    name = to_locale(get_language() or "en")
    return Locale.parse(_REGIONS.get(name, name))


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def date_words(day: date) -> str:
    """ "Thu 12 March"."""
    locale = reader_locale()
    if locale.language == "en":
        return format_date(day, "EEE d MMMM", locale=locale)
    return format_skeleton("MMMMEd", day, locale=locale)


def day_words(day: date, zone: str) -> str:
    """ "today", "tomorrow", "yesterday" or the date; lower case, for the middle of a sentence."""
    distance = day - local_day(clock.now(), zone)
    if distance == timedelta(0):
        return gettext("today")
    if distance == timedelta(days=1):
        return gettext("tomorrow")
    if distance == timedelta(days=-1):
        return gettext("yesterday")
    return date_words(day)


def day_heading(day: date, zone: str) -> str:
    """ "Today", "Tomorrow" or the date, as the heading of a group."""
    words = day_words(day, zone)
    return words[:1].upper() + words[1:]


def time_words(instant: datetime, zone: str) -> str:
    """ "14:10" by the reader's clock."""
    return format_time(instant.astimezone(ZoneInfo(zone)), "short", locale=reader_locale())


def range_words(window: TimeWindow, zone: str) -> str:
    """ "14:10–14:40"; one time when both ends show the same minute."""
    earliest, latest = time_words(window.earliest, zone), time_words(window.latest, zone)
    return earliest if earliest == latest else f"{earliest}–{latest}"


def moment_words(instant: datetime, zone: str) -> str:
    """ "today, 14:22"."""
    return gettext("%(day)s, %(time)s") % {
        "day": day_words(local_day(instant, zone), zone),
        "time": time_words(instant, zone),
    }


def window_words(window: TimeWindow, zone: str) -> str:
    """ "tomorrow, 18:00–20:00"."""
    return gettext("%(day)s, %(time)s") % {
        "day": day_words(local_day(window.earliest, zone), zone),
        "time": range_words(window, zone),
    }


def capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]
