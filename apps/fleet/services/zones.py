"""A zone was drawn, changed or taken away."""

from apps.events.services import emit
from apps.fleet import events


def note_zone(*, zone_id: int, actor: str = "system") -> None:
    """Says so, inside the caller's transaction: the plan takes off its vans what they may no longer bring."""
    emit(events.ZONE_CHANGED, payload={"zone": zone_id}, actor=actor)
