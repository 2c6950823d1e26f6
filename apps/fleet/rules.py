"""Which measured positions are believed, and what staff may write about vehicles and shifts: pure rules."""

from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.core.geo import distance_metres, is_coordinate
from apps.places.selectors import is_understood

LARGEST_MAP_METRES = 400_000
"""Nobody delivers this far from the depot."""
FUTURE = timedelta(seconds=60)
OLDEST = timedelta(hours=12)
FASTEST_METRES_PER_SECOND = 70.0
JUMP_METRES = 10_000
# Degrees both ways that are certainly less than the metres above: a degree is never more than 111.7 km.
_NEAR_DEPOT, _NO_JUMP = 2.0, 0.06
BELIEVED_AFTER = 3
"""So many positions in a row that agree with each other are right, and what they jumped away from was wrong."""
SAMPLE_METRES = 25.0
SAMPLE_SECONDS, SPARSE_SECONDS = 6.0, 15.0
_SAMPLED_AGAIN = timedelta(seconds=SAMPLE_SECONDS)
"""Of a fix a second every sixth is kept while the van moves, and one each quarter of a minute when it does not."""


class Fix(NamedTuple):
    """One measurement of a phone. Degrees, metres per second, degrees clockwise from north."""

    latitude: float
    longitude: float
    at: datetime
    heading: float | None = None
    speed: float | None = None

    @property
    def point(self) -> tuple[float, float]:
        return self.latitude, self.longitude


class Doubt(NamedTuple):
    """The newest of some positions in a row that no van could have reached from the one on file."""

    fix: Fix
    times: int


def doubted_with(fix: Fix, before: Doubt | None) -> Doubt:
    """The doubt after one more position that jumped: a longer row when it agrees with the last, else a new one."""
    agrees = before is not None and fix.at > before.fix.at and not _is_jump(before.fix, fix)
    return Doubt(fix, before.times + 1 if agrees and before is not None else 1)


def drop_reason(fix: Fix, depot: tuple[float, float], before: Fix | None, now: datetime) -> str | None:
    """Why a position is thrown away; None when it is believed."""
    if not is_coordinate(fix.latitude, fix.longitude):
        return "not_a_place"
    if fix.at.tzinfo is None or fix.at > now + FUTURE:
        return "from_the_future"
    if fix.at < now - OLDEST:
        return "too_old"
    if not _is_within(fix.point, depot, _NEAR_DEPOT) and distance_metres(fix.point, depot) > LARGEST_MAP_METRES:
        return "off_the_map"
    if before is not None and _is_jump(before, fix):
        return "too_fast"
    return None


def is_plain(fix: Fix, depot: tuple[float, float], before: Fix, now: datetime) -> bool:
    """True only where drop_reason() finds none: the one look that nearly all positions need."""
    latitude, longitude, at, *_more = fix
    # Comparisons with what is no number are false.
    return (
        at.tzinfo is not None
        and abs(latitude - before[0]) < _NO_JUMP
        and abs(longitude - before[1]) < _NO_JUMP
        and abs(latitude - depot[0]) < _NEAR_DEPOT
        and abs(longitude - depot[1]) < _NEAR_DEPOT
        and abs(latitude) <= 90
        and abs(longitude) <= 180
        and -OLDEST <= at - now <= FUTURE
    )


def _is_within(one: tuple[float, float], other: tuple[float, float], degrees: float) -> bool:
    """Whether both differ by less than this, which saves the exact distance for nearly all positions."""
    return abs(one[0] - other[0]) < degrees and abs(one[1] - other[1]) < degrees


def _is_jump(before: Fix, fix: Fix) -> bool:
    if _is_within(before.point, fix.point, _NO_JUMP):
        return False
    metres = distance_metres(before.point, fix.point)
    seconds = abs((fix.at - before.at).total_seconds())
    return metres > JUMP_METRES and metres > FASTEST_METRES_PER_SECOND * seconds


def cleaned(fix: Fix) -> Fix:
    """Heading and speed only where they make sense."""
    if fix.heading is None and fix.speed is None:
        return fix
    heading = fix.heading if fix.heading is not None and isfinite(fix.heading) and 0 <= fix.heading <= 360 else None
    speed = fix.speed if fix.speed is not None and isfinite(fix.speed) and 0 <= fix.speed <= 100 else None
    return fix._replace(heading=heading, speed=speed)


def check_hours(words: str) -> None:
    """ValidationError for hours that nobody understands: a zone must not stop counting because of a slip."""
    if not is_understood(words):
        raise ValidationError(_("These hours are not understood."), code="hours")


def check_skills(value: Any) -> None:
    """Field validator: a list of short words."""
    if not isinstance(value, list) or not all(isinstance(word, str) and 0 < len(word) <= 30 for word in value):
        raise ValidationError(_('Write a list of short words, such as ["cold", "two_person"].'))


def check_breaks(value: Any) -> None:
    """Field validator: each break begins between two seconds of the day, in order, and lasts a while."""
    if not isinstance(value, list) or not all(_is_break(one) for one in value):
        raise ValidationError(_("Each break needs whole seconds: earliest, latest (not before it) and seconds."))
    if any(before["latest"] > after["earliest"] for before, after in pairwise(value)):
        raise ValidationError(_("Breaks stand in order and do not overlap."))


def _is_break(one: Any) -> bool:
    if not isinstance(one, dict) or set(one) != {"earliest", "latest", "seconds"}:
        return False
    if not all(type(second) is int and 0 <= second <= 2 * 86_400 for second in one.values()):
        return False
    return bool(one["earliest"] <= one["latest"] and one["seconds"] > 0)


def is_worth_keeping(fix: Fix, kept: Fix | None) -> bool:
    """Whether the history gains by this fix; `kept` is the last one in it."""
    if kept is None:
        return True
    since = fix[2] - kept[2]
    if -_SAMPLED_AGAIN < since < _SAMPLED_AGAIN:
        return False
    seconds = since.total_seconds()
    if seconds >= SPARSE_SECONDS:
        return True
    return abs(seconds) >= SAMPLE_SECONDS and distance_metres(kept.point, fix.point) > SAMPLE_METRES
