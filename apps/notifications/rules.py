"""Pure decisions: when a phone may ring, what is promised, what a provider's answer means, what to try next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.core.time_windows import TimeWindow

PROMISE_WIDTH = timedelta(minutes=60)
PROMISE_MARK_MINUTES = 10
# Wall time: providers do not run faster with the demo. A text that was accepted is reported on within the first.
CALLBACK_WINDOW = timedelta(minutes=2)
UNREACHABLE_PAUSE = timedelta(minutes=10)
TRANSIENT_TRIES = 3
UNREACHABLE_TRIES = 2

# Numbers that will never take a text again; the person's other channel is used from now on.
DEAD_NUMBER = frozenset({"21211", "21614", "21610"})
# Phone off, unknown handset, unknown error: one more try later, then the other channel.
UNREACHABLE = frozenset({"30003", "30005", "30008"})
TRANSIENT = "transient"

# A status never goes back: what arrives late and is lower is old news.
RANKS = {
    "started": 0,
    "lost": 1,
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "canceled": 5,
    "failed": 5,
    "undelivered": 5,
    "delivered": 6,
    "read": 7,
}
FAILED = frozenset({"canceled", "failed", "undelivered", "lost"})
ARRIVED = frozenset({"delivered", "read"})


def lower_statuses(status: str) -> list[str]:
    """The statuses that `status` may overwrite; none for a word nobody knows."""
    rank = RANKS.get(status, 0)
    return [name for name, value in RANKS.items() if value < rank]


def quiet_ends(instant: datetime, zone: ZoneInfo, quiet_from: time, quiet_until: time) -> datetime | None:
    """When the quiet hours around `instant` end; None outside them. They may span midnight; equal ends mean none."""
    local = instant.astimezone(zone)
    clock = local.time()
    if quiet_from <= quiet_until:
        quiet = quiet_from <= clock < quiet_until
    else:
        quiet = clock >= quiet_from or clock < quiet_until
    if not quiet:
        return None
    end_day = local.date() + timedelta(days=1) if clock >= quiet_until else local.date()
    return datetime.combine(end_day, quiet_until, zone).astimezone(instant.tzinfo)


def promise_around(eta: TimeWindow, window: TimeWindow, zone: ZoneInfo) -> TimeWindow:
    """The ETA pair widened outward to an hour on ten-minute marks, inside the agreed window where the ETA is.

    An ETA outside the window (the van is late) is promised as it is: a promise is what will be true.
    """
    inside = window.contains(eta.earliest + eta.width / 2)
    floor = window.earliest if inside else eta.earliest - PROMISE_WIDTH
    ceiling = window.latest if inside else eta.latest + PROMISE_WIDTH
    step = timedelta(minutes=PROMISE_MARK_MINUTES)
    earliest, latest = max(floor, mark_before(eta.earliest, zone)), min(ceiling, mark_after(eta.latest, zone))
    while latest - earliest < PROMISE_WIDTH and (latest < ceiling or earliest > floor):
        latest = min(ceiling, latest + step)
        if latest - earliest < PROMISE_WIDTH:
            earliest = max(floor, earliest - step)
    return TimeWindow(earliest, latest)


def mark_before(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    surplus = timedelta(minutes=local.minute % PROMISE_MARK_MINUTES, seconds=local.second)
    return instant - surplus - timedelta(microseconds=local.microsecond)


def mark_after(instant: datetime, zone: ZoneInfo) -> datetime:
    before = mark_before(instant, zone)
    return before if before == instant else before + timedelta(minutes=PROMISE_MARK_MINUTES)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt as the rules see it, in wall time. `error` is the provider's number, or "transient"."""

    channel: str
    status: str
    error: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Send:
    channel: str


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is left to do: a try was accepted, or every channel has been used up (`reason`)."""

    reason: str = ""


def next_step(
    tries: Sequence[Try], channels: Sequence[str], *, now: datetime, repeat_at_once: bool
) -> Send | Wait | Settled:
    """What to do for a message after these tries, oldest first.

    A try without an answer belongs to a process that died between sending and writing it down. A one-time code is
    sent again at once (`repeat_at_once`: the person waits at the screen, and the old code dies). An e-mail as well:
    its Message-ID is the same, so mailboxes show one. Any other text waits for the provider's call-back first.
    """
    for channel in channels:
        mine = [one for one in tries if one.channel == channel]
        if not mine:
            return Send(channel)
        last = mine[-1]
        if last.status == "started":
            patience = last.started_at + CALLBACK_WINDOW
            if channel == "sms" and not repeat_at_once and now < patience:
                return Wait(patience)
        elif last.status not in FAILED:
            return Settled()
        step = _after_failure(channel, mine, now)
        if step is not None:
            return step
    return Settled("all_channels_failed" if channels else "no_contact")


def _after_failure(channel: str, mine: Sequence[Try], now: datetime) -> Send | Wait | None:
    last = mine[-1]
    if last.status in {"started", "lost"} or last.error == TRANSIENT:
        return Send(channel) if len(mine) < TRANSIENT_TRIES else None
    if last.error in UNREACHABLE and len(mine) < UNREACHABLE_TRIES:
        again = last.started_at + UNREACHABLE_PAUSE
        return Wait(again) if now < again else Send(channel)
    return None
