"""Pure decisions of the page: what may be shown to whom, and which changes are still open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, radians

from apps.deliveries.states import ENDED, State
from apps.merchants.models import Policy
from apps.tracking.progress import Progress

COARSE_METRES = 500
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Action:
    """`reason` is a code when the action is closed (failure_words.closed_reason says it in words)."""

    code: str
    reason: str | None
    needs_code: bool


def coarse_point(latitude: float, longitude: float) -> tuple[float, float]:
    """The middle of a fixed grid cell of about 500 m, the same for all addresses in it: nothing averages out."""
    step = COARSE_METRES / _METRES_PER_DEGREE
    row = int(latitude // step)
    wide = step / max(0.01, cos(radians((row + 0.5) * step)))
    column = int(longitude // wide)
    return round((row + 0.5) * step, 5), round((column + 0.5) * wide, 5)


def stops_shown(state: str, progress: Progress | None) -> int | None:
    """How many stops are before this one: told once the van is on the road."""
    return progress.stops_away if progress and state == State.OUT and progress.is_under_way else None


def van_is_near(state: str, progress: Progress | None, policy: Policy, now: datetime) -> bool:
    """The merchant's rule for showing the van: few enough stops, or close enough in time."""
    if state != State.OUT or progress is None or not progress.is_under_way or progress.stops_away is None:
        return False
    if progress.stops_away <= policy.dot_stops:
        return True
    soon = now + timedelta(minutes=policy.dot_minutes)
    return progress.eta is not None and progress.eta.earliest <= soon


def is_late(state: str, progress: Progress | None, told_latest: datetime, now: datetime) -> bool:
    """The customer was told `told_latest`, and that no longer holds."""
    if state not in (State.PLANNED, State.ARRIVED, State.LOADED, State.OUT):
        return False
    arrival = progress.arrival if progress else None
    return now > told_latest or (arrival is not None and arrival > told_latest)


def actions(
    state: str,
    progress: Progress | None,
    policy: Policy,
    *,
    change_count: int,
    is_verified: bool,
    can_confirm: bool,
    now: datetime,
) -> list[Action]:
    """The four changes in the order of the page; `can_confirm`: there is a contact a one-time code can be sent to."""
    moving = _closed_by_state(state) or _closed_by_route(state, progress, policy, now)
    changing = moving or ("limit" if change_count >= policy.change_limit else None)
    contact = None if can_confirm or is_verified else "no_contact"
    told = _closed_by_state(state) or ("next_stop" if _is_next(state, progress) else None)
    cancelling = _closed_by_state(state) or ("loaded" if state in (State.OUT, State.FAILED) else None)
    return [
        Action("time", changing if policy.allow_time_change else "policy", needs_code=False),
        Action("place", (changing or contact) if policy.allow_place_change else "policy", needs_code=not is_verified),
        Action("instructions", told if policy.allow_instructions else "policy", needs_code=False),
        Action("cancel", (cancelling or contact) if policy.allow_cancel else "policy", needs_code=not is_verified),
    ]


def turning_points(state: str, progress: Progress | None, policy: Policy, told_latest: datetime) -> Iterator[datetime]:
    """Instants at which the page changes although nothing happens: cut-offs pass, the van comes near, it gets late."""
    if state in ENDED:
        return
    yield told_latest
    if state == State.OUT and progress and progress.eta and progress.arrival:
        yield progress.eta.earliest - timedelta(minutes=policy.dot_minutes)
        yield progress.arrival - timedelta(minutes=policy.cutoff_minutes)


def _closed_by_state(state: str) -> str | None:
    if state in ENDED:
        return "ended"
    return {State.AT_POINT: "at_point", State.RETURNING: "returning"}.get(State(state))


def _closed_by_route(state: str, progress: Progress | None, policy: Policy, now: datetime) -> str | None:
    if state != State.OUT or progress is None or not progress.is_under_way:
        return None
    if progress.stops_away is not None and progress.stops_away < policy.freeze_stops:
        return "frozen"
    soon = now + timedelta(minutes=policy.cutoff_minutes)
    return "cutoff" if progress.arrival is not None and progress.arrival <= soon else None


def _is_next(state: str, progress: Progress | None) -> bool:
    return state == State.OUT and progress is not None and progress.is_under_way and progress.stops_away == 0
