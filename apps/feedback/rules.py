"""Pure decisions: who may still rate, what may be reported."""

from datetime import datetime, timedelta

from apps.deliveries.states import State
from apps.feedback.models import ProblemReport
from apps.merchants.models import Policy

LONGEST_COMMENT = 600
LONGEST_TEXT = 1000
MOST_PHOTOS = 4
# One delivery has no more trouble than this at a time; the rest is noise.
MOST_OPEN_REPORTS = 3

RATED_STATES = frozenset({State.DELIVERED, State.COLLECTED})
_AFTER_ARRIVAL = ("damaged", "missing", "not_received", "wrong_item", "other")
_AFTER_FAILURE = ("nobody_came", "other")
_REPORTED: dict[str, tuple[str, ...]] = {
    State.DELIVERED: _AFTER_ARRIVAL,
    State.COLLECTED: ("damaged", "missing", "wrong_item", "not_received", "other"),
    State.FAILED: _AFTER_FAILURE,
    State.AT_POINT: ("other",),
    State.RETURNING: _AFTER_FAILURE,
    State.RETURNED: _AFTER_FAILURE,
}


def may_be_rated(state: str, policy: Policy) -> bool:
    return policy.allow_rating and state in RATED_STATES


def editable_until(rated_at: datetime, policy: Policy) -> datetime:
    """After this instant the rating stands."""
    return rated_at + timedelta(hours=policy.rating_edit_hours)


def reportable_kinds(state: str, policy: Policy) -> tuple[str, ...]:
    """What may be reported about a delivery in this state, the likeliest first; empty: nothing."""
    return _REPORTED.get(state, ()) if policy.allow_problem_reports else ()


def is_open(state: str) -> bool:
    """Whether a case still waits for somebody."""
    return state != ProblemReport.State.CLOSED
