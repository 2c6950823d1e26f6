"""The one table of what may follow what. "Late" is a flag, not a state."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    CREATED = "created", _("Order received")
    PLANNED = "planned", _("Planned")
    ARRIVED = "arrived", _("At the depot")
    LOADED = "loaded", _("Loaded")
    OUT = "out", _("Out for delivery")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Not delivered")
    AT_POINT = "at_point", _("Ready to collect")
    COLLECTED = "collected", _("Collected")
    RETURNING = "returning", _("On its way back")
    RETURNED = "returned", _("Returned to the sender")
    CANCELLED = "cancelled", _("Cancelled")


TRANSITIONS: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.PLANNED, State.ARRIVED, State.CANCELLED}),
    State.PLANNED: frozenset({State.CREATED, State.ARRIVED, State.LOADED, State.OUT, State.CANCELLED}),
    State.ARRIVED: frozenset({State.PLANNED, State.LOADED, State.OUT, State.CANCELLED}),
    # Back to *planned* from a van: the customer chose another day; the parcel comes back to the depot in the evening.
    State.LOADED: frozenset({State.PLANNED, State.ARRIVED, State.OUT, State.RETURNING, State.CANCELLED}),
    State.OUT: frozenset({State.PLANNED, State.DELIVERED, State.FAILED, State.AT_POINT, State.RETURNING}),
    State.FAILED: frozenset({State.PLANNED, State.ARRIVED, State.RETURNING}),
    State.AT_POINT: frozenset({State.COLLECTED, State.RETURNING}),
    State.RETURNING: frozenset({State.RETURNED, State.ARRIVED}),
    State.DELIVERED: frozenset(),
    State.COLLECTED: frozenset(),
    State.RETURNED: frozenset(),
    State.CANCELLED: frozenset({State.RETURNED}),
}

ENDED = frozenset({State.DELIVERED, State.COLLECTED, State.RETURNED, State.CANCELLED})
ONWARD = "onward"
"""The reason of a move to *out*: the same van goes on with it, to another place."""
# Still moving towards the customer, so still in a plan (or waiting to be).
OPEN = frozenset({State.CREATED, State.PLANNED, State.ARRIVED, State.LOADED, State.OUT})
ON_A_VAN = frozenset({State.LOADED, State.OUT})


def may_follow(before: str, after: str) -> bool:
    return State(after) in TRANSITIONS[State(before)]


def sources_of(after: State) -> list[State]:
    """The states from which `after` may be reached: the guard of a conditional UPDATE."""
    return [before for before, allowed in TRANSITIONS.items() if after in allowed]
