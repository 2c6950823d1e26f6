"""When a place is open, from OpenStreetMap's opening_hours, with the country's public holidays."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, ParserError, State, UnknownCountryError  # type: ignore[attr-defined]

from apps.core.time_windows import TimeWindow

LONGEST_TEXT = 255


def opening_windows(opening_hours: str, day: date, zone: ZoneInfo, country: str = "LI") -> list[TimeWindow]:
    """The stretches of that local day in which the place is surely open, in order, UTC.

    Empty text means always. Text that cannot be read, and hours that are only "unknown" or by appointment, are no
    reason to send anybody there: no windows.
    """
    start, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    if not opening_hours.strip():
        return [TimeWindow(start, end)]
    parsed = _parsed(opening_hours, zone.key, country)
    if parsed is None:
        return []
    windows = []
    for opens, closes, state, comment in parsed.intervals(start.astimezone(zone), end.astimezone(zone)):
        if state == State.OPEN and not comment:
            utc = (max(start, opens.astimezone(start.tzinfo)), min(end, closes.astimezone(start.tzinfo)))
            if utc[0] < utc[1]:
                windows.append(TimeWindow(*utc))
    return windows


def is_open(opening_hours: str, instant: datetime, zone: ZoneInfo, country: str = "LI") -> bool:
    day = instant.astimezone(zone).date()
    return any(
        window.earliest <= instant < window.latest for window in opening_windows(opening_hours, day, zone, country)
    )


def next_opening(
    opening_hours: str, instant: datetime, zone: ZoneInfo, country: str = "LI", days: int = 8
) -> TimeWindow | None:
    """What is left of the window that is open at `instant`, else the next one within so many days."""
    first = instant.astimezone(zone).date()
    for ahead in range(days):
        for window in opening_windows(opening_hours, first + timedelta(days=ahead), zone, country):
            if window.latest > instant:
                return TimeWindow(max(window.earliest, instant), window.latest)
    return None


def is_understood(opening_hours: str, country: str = "LI") -> bool:
    return not opening_hours.strip() or _parsed(opening_hours, "UTC", country) is not None


@lru_cache(maxsize=4096)
def _parsed(text: str, zone: str, country: str) -> OpeningHours | None:
    if len(text) > LONGEST_TEXT:
        return None
    if "PH" not in text and "24/7" not in text:
        # Mappers rarely write it, but a shop that says nothing about public holidays is closed on them.
        text = f"{text}; PH off"
    try:
        return OpeningHours(text, timezone=ZoneInfo(zone), country=country, auto_country=False, auto_timezone=False)
    except (ParserError, UnknownCountryError):
        return None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant a local day begins, UTC: the next one is 23 or 25 hours away when the clocks change."""
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)
