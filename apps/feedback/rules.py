"""Pure decisions: who may still rate, what may be reported."""

from datetime import datetime, timedelta

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy

from apps.deliveries.models import Attempt
from apps.deliveries.states import ENDED, State
from apps.feedback.models import ProblemReport
from apps.merchants.models import Policy

LONGEST_COMMENT = 600
LONGEST_TEXT = 1000
LONGEST_ANSWER = 300
LONGEST_MESSAGE = 300
MOST_PHOTOS = 4
# One delivery has no more trouble than this at a time; the rest is noise.
MOST_OPEN_REPORTS = 3

DISPUTABLE_FOR = timedelta(days=14)
# What a driver can only say who was at the door; the carrier's own troubles are no claim about the recipient.
_SAID_OF_THE_RECIPIENT = "consignee_"

# All that a driver may answer: nobody types at the wheel, and each is read in the recipient's language.
READY_SENTENCES: dict[str, LazyText] = {
    "on_my_way": gettext_lazy("On my way"),
    "at_door": gettext_lazy("I am at the door"),
    "two_minutes": gettext_lazy("I will wait two minutes"),
    "call_help": gettext_lazy("Please call our help line"),
}

RATED_STATES = frozenset({State.DELIVERED, State.COLLECTED})
_AFTER_ARRIVAL = ("damaged", "missing", "not_received", "wrong_item", "other")
# "Nobody came" has a way of its own: the dispute of that attempt.
_AFTER_FAILURE = ("other",)
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


def may_be_disputed(attempt: Attempt, now: datetime) -> bool:
    """Whether this attempt failed because of what its driver said of the recipient, not long ago."""
    if attempt.outcome != State.FAILED or attempt.ended_at is None:
        return False
    return attempt.reason_code.startswith(_SAID_OF_THE_RECIPIENT) and now < attempt.ended_at + DISPUTABLE_FOR


def thread_closed(state: str, policy: Policy) -> str | None:
    """Why no message can be written: "policy", "ended", or None when one can."""
    if not policy.allow_messages:
        return "policy"
    return "ended" if state in ENDED else None
