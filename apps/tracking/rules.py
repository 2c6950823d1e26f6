"""Pure decisions of the page: what may be shown to whom, and which changes are still open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.core.geo import COARSE_METRES as COARSE_METRES
from apps.core.geo import coarse_point as coarse_point
from apps.deliveries.models import Place
from apps.deliveries.states import ENDED, TRANSITIONS, State
from apps.merchants.models import Policy
from apps.tracking.progress import Progress

# What the prepared page shows by rule; the road is on the dot alone.
ON_THE_PAGE = ("position", "eta", "stops", "distance")
METRES_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Action:
    """`reason` is a code when the action is closed (failure_words.closed_reason says it in words)."""

    code: str
    reason: str | None
    needs_code: bool


def shows(
    element: str, state: str, progress: Progress | None, policy: Policy, now: datetime, *, metres: float | None = None
) -> bool:
    """The merchant's rule for an element of the page; thresholds count once the van is on the road.

    `metres` to go are known where the van's position is.
    """
    rule = policy.visibility(element)
    if rule.is_always:
        return True
    if state != State.OUT or progress is None or not progress.is_under_way:
        return False
    seconds = (progress.eta.earliest - now).total_seconds() if progress.eta else None
    return rule.shows(stops=progress.stops_away, seconds=seconds, metres=metres)


def stops_shown(
    state: str, progress: Progress | None, policy: Policy, now: datetime, *, metres: float | None = None
) -> int | None:
    """How many stops are before this one: told once the van is on the road."""
    if state != State.OUT or progress is None or not progress.is_under_way:
        return None
    return progress.stops_away if shows("stops", state, progress, policy, now, metres=metres) else None


def is_on_the_way(state: str, progress: Progress | None, now: datetime) -> bool:
    """Whether the van is out for this delivery and its driver at work: not on a break, not after the shift."""
    if state != State.OUT or progress is None or not progress.is_under_way or progress.stops_away is None:
        return False
    return not progress.is_resting and progress.on_duty is not None and progress.on_duty.contains(now)


def van_is_near(
    state: str, progress: Progress | None, policy: Policy, now: datetime, *, metres: float | None = None
) -> bool:
    """Whether the van may be shown at all: its driver is at work, and the merchant's rule for the position is met."""
    return is_on_the_way(state, progress, now) and shows("position", state, progress, policy, now, metres=metres)


def distance_shown(
    state: str, progress: Progress | None, policy: Policy, now: datetime, *, metres: float | None
) -> int | None:
    """Metres still to drive, rounded; unsaid, like the position, while the van stands at somebody else's door."""
    if metres is None or progress is None or progress.is_at_other_door or not is_on_the_way(state, progress, now):
        return None
    return rounded_metres(metres) if shows("distance", state, progress, policy, now, metres=metres) else None


def rounded_metres(metres: float) -> int:
    """To 100 m up to ten kilometres, then whole kilometres; never less than the area the link alone may know."""
    step = 100 if metres < 10_000 else 1_000
    return max(COARSE_METRES, round(metres / step) * step)


def is_late(state: str, progress: Progress | None, told_latest: datetime, now: datetime) -> bool:
    """The customer was told `told_latest`, and that no longer holds."""
    if state not in (State.PLANNED, State.ARRIVED, State.LOADED, State.OUT):
        return False
    arrival = progress.arrival if progress else None
    return now > told_latest or (arrival is not None and arrival > told_latest)


def actions(
    state: str,
    place_kind: str,
    progress: Progress | None,
    policy: Policy,
    *,
    change_count: int,
    is_verified: bool,
    can_confirm: bool,
    now: datetime,
) -> list[Action]:
    """The four changes in the order of the page, as the services behind them would answer (tests hold them to it).

    `can_confirm`: there is a contact a one-time code can be sent to.
    """
    ended = _closed_by_state(state)
    limit = "limit" if change_count >= policy.change_limit else None
    van = _closed_by_van(progress, policy, now)
    van_near = _closed_by_eta(progress, policy, now)
    contact = None if can_confirm or is_verified else "no_contact"
    elsewhere = "to_point" if place_kind != Place.Kind.ADDRESS else None
    at_door = "next_stop" if progress and progress.is_at_own_door else None
    on_van = "loaded" if State.CANCELLED not in TRANSITIONS[State(state)] else None
    return [
        Action("time", _first(policy.allow_time_change, ended, limit, van), needs_code=False),
        Action("place", _first(policy.allow_place_change, ended, limit, van_near, contact), needs_code=not is_verified),
        Action("instructions", _first(policy.allow_instructions, ended, elsewhere, at_door), needs_code=False),
        Action("cancel", _first(policy.allow_cancel, ended, van, on_van, contact), needs_code=not is_verified),
    ]


def _first(is_offered: bool, *reasons: str | None) -> str | None:
    return next((reason for reason in reasons if reason), None) if is_offered else "policy"


def turning_points(
    state: str, progress: Progress | None, policy: Policy, told_latest: datetime, now: datetime
) -> Iterator[datetime]:
    """Instants at which the page changes although nothing happens: cut-offs pass, the van comes near, it gets late."""
    if state in ENDED:
        return
    yield told_latest
    if progress is None or not progress.has_departed:
        return
    cutoff = timedelta(minutes=policy.cutoff_minutes)
    if progress.planned_arrival is not None:
        yield progress.planned_arrival - cutoff
    if progress.eta is not None:
        yield progress.eta.earliest - cutoff
    if state != State.OUT or not progress.is_under_way:
        return
    for rule in map(policy.visibility, ON_THE_PAGE):
        if rule.minutes is not None and progress.eta is not None:
            yield progress.eta.earliest - timedelta(minutes=rule.minutes)
        if rule.metres is not None:
            # Driving announces nothing, so the page looks again itself.
            yield now + METRES_EVERY
    if progress.on_duty is not None:
        yield progress.on_duty.latest


def _closed_by_state(state: str) -> str | None:
    if state in ENDED:
        return "ended"
    return {State.AT_POINT: "at_point", State.RETURNING: "returning"}.get(State(state))


def _closed_by_van(progress: Progress | None, policy: Policy, now: datetime) -> str | None:
    if progress is None:
        return None
    if progress.is_at_own_door:
        return "next_stop"
    if not progress.has_departed:
        return None
    if progress.stops_away is not None and progress.stops_away < policy.freeze_stops:
        return "frozen"
    arrival = progress.planned_arrival
    return "cutoff" if arrival is not None and arrival <= now + timedelta(minutes=policy.cutoff_minutes) else None


def _closed_by_eta(progress: Progress | None, policy: Policy, now: datetime) -> str | None:
    """Another place takes the van out of its way, so the earliest arrival counts."""
    if progress is None or not progress.has_departed or progress.eta is None:
        return None
    return "cutoff" if progress.eta.earliest < now + timedelta(minutes=policy.cutoff_minutes) else None
