"""How the outbox is doing."""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.db.models import F

from apps.core import clock
from apps.events.models import Reaction

# Work that has been due this long means that no worker is alive (wall seconds).
UNHEALTHY_SECONDS = 60.0
_LOOKED_AT = 1000


@dataclass(frozen=True)
class Health:
    """oldest_due_seconds: how long (wall) the longest waiting due reaction has been due; 0 when none is."""

    oldest_due_seconds: float
    due: int
    parked: int

    @property
    def is_healthy(self) -> bool:
        return self.oldest_due_seconds < UNHEALTHY_SECONDS

    def as_dict(self) -> dict[str, object]:
        return {"status": "ok" if self.is_healthy else "late", **asdict(self)}


def health() -> Health:
    now, wall = clock.now(), clock.wall()
    open_ones = Reaction.objects.filter(state__in=[Reaction.State.WAITING, Reaction.State.RUNNING])
    due = open_ones.filter(due_at__lte=now, next_try_at__lte=wall)
    waits = [
        # Due means both clocks agree, so it has been due since the later of the two moments.
        min((wall - next_try_at).total_seconds(), (now - due_at).total_seconds() / settings.CLOCK_SPEED)
        for due_at, next_try_at in due.order_by(F("next_try_at")).values_list("due_at", "next_try_at")[:_LOOKED_AT]
    ]
    return Health(
        oldest_due_seconds=round(max(waits, default=0.0), 1),
        due=len(waits),
        parked=Reaction.objects.filter(state=Reaction.State.PARKED).count(),
    )
