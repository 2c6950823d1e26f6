"""The one place that knows what time it is.

`now()` is the domain's time: windows, ETAs, cut-offs, timers. In the demo it runs SPEED times faster than the wall and
skips the nights. `wall()` is for one-time codes, throttles and leases, which must not speed up with the demo.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings

# A demo day by its own clock: it starts where CLOCK_DOMAIN_START says and lasts this long, then the next one begins.
DEMO_DAY = timedelta(hours=11, minutes=30)
_frozen: list[datetime] = []


def wall() -> datetime:
    """The computer's clock, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The domain's time, UTC."""
    if _frozen:
        return _frozen[-1]
    if not settings.CLOCK_DOMAIN_START:
        return wall()
    domain_start, wall_start = _anchors()
    return demo_time((wall() - wall_start) * settings.CLOCK_SPEED, domain_start)


def demo_time(elapsed: timedelta, domain_start: datetime) -> datetime:
    """The demo's instant `elapsed` domain time after its start: DEMO_DAY long days, nights and Sundays skipped."""
    days, into_day = divmod(elapsed, DEMO_DAY)
    day = domain_start
    for _ in range(days):
        day = next_working_day(day)
    return day + into_day


def next_working_day(instant: datetime) -> datetime:
    """The same time of day on the next day that is not a Sunday."""
    following = instant + timedelta(days=1)
    return following + timedelta(days=1) if following.weekday() == 6 else following


@contextmanager
def frozen(instant: datetime) -> Iterator[None]:
    """Holds the domain's time still (tests, benchmarks, what-if questions)."""
    _frozen.append(instant.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.pop()


@cache
def _anchors() -> tuple[datetime, datetime]:
    return datetime.fromisoformat(settings.CLOCK_DOMAIN_START), datetime.fromisoformat(settings.CLOCK_WALL_START)
