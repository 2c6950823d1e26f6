"""What the page shows of every stop of a van, and what a message may promise: quantiles, narrowing, and the reason."""

from collections.abc import Sequence
from math import hypot
from typing import Final, NamedTuple

from apps.routing.planner.eta import EtaPair, pair
from apps.routing.planner.intervals import opening, permitted
from apps.routing.planner.narrowing import Told, tell
from apps.routing.planner.problem import Stop
from apps.routing.planner.quantiles import Honest, scales
from apps.routing.planner.replay import Today
from apps.routing.planner.solution import StopTimes
from apps.routing.planner.timetable import RouteTable
from apps.routing.rows import VisitRow
from apps.routing.snapshot import Snapshot

STALE_POSITION, OFF_ROUTE, TRAFFIC, BEHIND = "stale_position", "off_route", "traffic", "behind"
SLOW_ROADS: Final = 1.10
"""A van whose drives take so much longer than expected today is held up by traffic."""
START_SECONDS: Final = 480.0
"""How far a departure strays from the roster (standard deviation)."""


class Expected(NamedTuple):
    """One stop. `shown` is the pair of the page, `sure` what a message may promise, `honest` the quantiles behind."""

    times: StopTimes
    shown: EtaPair
    sure: EtaPair
    honest: Honest
    reason: str = ""
    notice: bool = False


def expect(snapshot: Snapshot, van: str, table: RouteTable, before: Sequence[VisitRow | None]) -> list[Expected]:
    """Every stop of one van's route; `before` are the rows of its visits, None for a new one."""
    if table.vehicle.is_carrier:
        return [_agreed(stop, times) for stop, times in zip(table.stops, table.times, strict=True)]
    shift, today = snapshot.shifts[van], snapshot.today.get(van, Today())
    now = snapshot.now if shift.departed is not None else max(snapshot.now, shift.starts)
    honest = _honest(snapshot, van, table, now, today)
    signal = snapshot.signals.get(shift.shift)
    found = []
    for stop, times, row, quantiles in zip(table.stops, table.times, before, honest, strict=True):
        shown = _shown(row)
        opens = opening(permitted(stop), times.start)
        told = tell(shown, EtaPair(quantiles.earliest, quantiles.latest), quantiles.expected, opens=opens)
        sure = EtaPair(quantiles.surest_earliest, quantiles.surest_latest)
        reason = _reason(row, told, signal, today) if shift.departed is not None else ""
        found.append(Expected(times, told.pair, sure, quantiles, reason, told.notice))
    return found


def _honest(snapshot: Snapshot, van: str, table: RouteTable, now: int, today: Today) -> list[Honest]:
    """The calibrated quantiles; the documented spread where too little was learned."""
    learned = snapshot.learned
    opened = [opening(permitted(stop), times.start) for stop, times in zip(table.stops, table.times, strict=True)]
    if learned.errors is None:
        return [
            _spread(times, pair(times.arrival, now=now, stops_ahead=index, opens=opens), now)
            for index, (times, opens) in enumerate(zip(table.times, opened, strict=True))
        ]
    road, door = learned.times.road_pace, learned.times.door_pace
    start = 0.0 if snapshot.shifts[van].departed is not None else START_SECONDS
    own = scales(table.times, now=now, road=road, door=door, seen=today.seen)
    deviations = [hypot(scale, start) for scale in own]
    return [
        learned.errors.honest(times.arrival, now=now, scale=scale, opens=opens)
        for times, scale, opens in zip(table.times, deviations, opened, strict=True)
    ]


def _spread(times: StopTimes, found: EtaPair, now: int) -> Honest:
    expected = min(max(times.start, found.earliest, now), found.latest)
    return Honest(found.earliest, found.earliest, expected, found.latest, found.latest)


def _agreed(stop: Stop, times: StopTimes) -> Expected:
    """Another firm's vans: all we know of them is what was agreed, the window that holds the start."""
    windows = permitted(stop) or ((times.start, times.start),)
    window = EtaPair(*next((window for window in windows if times.start <= window[1]), windows[-1]))
    honest = Honest(window.earliest, window.earliest, times.start, window.latest, window.latest)
    return Expected(times, window, window, honest)


def _shown(row: VisitRow | None) -> EtaPair | None:
    if row is None or row.eta_earliest is None or row.eta_latest is None:
        return None
    return EtaPair(row.eta_earliest, row.eta_latest)


def _reason(row: VisitRow | None, told: Told, signal: str | None, today: Today) -> str:
    """Why the pair is what it is: a code, or nothing to say. `signal` is what the van's position tells, None: unasked.

    A stop that fell behind says so until its pair narrows again.
    """
    known = row.eta_reason if row is not None else ""
    if signal is None and known in (STALE_POSITION, OFF_ROUTE):
        return known
    if signal:
        return signal
    if today.road >= SLOW_ROADS:
        return TRAFFIC
    shown = _shown(row)
    if shown is None:
        return ""
    if told.notice:
        return BEHIND if told.pair.latest > shown.latest else ""
    return known if known == BEHIND and told.pair == shown else ""
