"""Why an expected time moved, in words for staff. Other deliveries are causes without a name."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.routing import plan_words
from apps.routing.models import EtaChange


@dataclass(frozen=True, slots=True)
class MovedTime:
    """One move. `causes` are (minutes and seconds, words) that add up to `by`."""

    at: str
    before: str
    after: str
    by: str
    vans: str
    shown: str
    causes: tuple[tuple[str, str], ...]
    replan: int | None


def moved_time(row: EtaChange, zone: ZoneInfo) -> MovedTime:
    """`zone` is that of the delivery."""
    seconds = int((row.start_after - row.start_before).total_seconds())
    return MovedTime(
        at=f"{row.at.astimezone(zone):%Y-%m-%d %H:%M}",
        before=_clock(row.start_before, zone),
        after=_clock(row.start_after, zone),
        by=signed(seconds),
        vans=_vans(row),
        shown=_shown(row, zone),
        causes=tuple((signed(share), plan_words.cause(code)) for code, share, _visit in _summed(row.causes)),
        replan=row.replan_id,
    )


def signed(seconds: int) -> str:
    """Minutes and seconds with their sign: "+18:00", "−0:40"."""
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'+' if seconds >= 0 else '−'}{minutes}:{rest:02d}"


def _summed(causes: list[tuple[str, int, int | None]]) -> list[tuple[str, int, None]]:
    """Causes of one kind are one line."""
    found: dict[str, int] = {}
    for code, seconds, _visit in causes:
        found[code] = found.get(code, 0) + seconds
    return [(code, seconds, None) for code, seconds in sorted(found.items(), key=lambda one: -abs(one[1])) if seconds]


def _vans(row: EtaChange) -> str:
    if not row.van_before or row.van_before == row.van_after:
        return row.van_after
    return _("%(before)s to %(after)s") % {"before": row.van_before, "after": row.van_after}


def _shown(row: EtaChange, zone: ZoneInfo) -> str:
    """What the page said before and after, where that changed."""
    pairs = [
        [_clock(datetime.fromisoformat(text), zone) for text in pair] for pair in (row.shown_before, row.shown_after)
    ]
    if not all(pairs) or pairs[0] == pairs[1]:
        return ""
    before, after = ("–".join(pair) for pair in pairs)
    return _("the page said %(before)s, then %(after)s") % {"before": before, "after": after}


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"
