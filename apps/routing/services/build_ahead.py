"""A draft is built by the solvers while nobody waits: the evening before its day, and once more before it counts."""

import logging
from datetime import time
from zlib import crc32

from apps.core import clock
from apps.events.services import react
from apps.fleet.selectors import shifts_of
from apps.routing.models import DayPlan, Drop, Visit
from apps.routing.services.build_day import build_day, take_in
from apps.routing.services.write_routes import BUILD_HANDLER, PUBLISHED_AT
from apps.routing.stops import local_instant

AGAIN_AT = time(5, 30)
"""Before the plan counts, by the depot's clock, what changed overnight is part of a second search."""
MOST_SECONDS = 20.0
SECONDS_PER_STOP = 0.1
TOLD_EVERY = 0.25
log = logging.getLogger(__name__)


def build_ahead(*, plan: DayPlan, seen: int | None = None) -> bool:
    """Lets the planner child build the draft; False when the plan counts already, or stands as it was `seen`.

    Nobody who has been told yes loses their place (see `build_day`). Raises PlannerUnavailable: ask again later.
    """
    if plan.stage != DayPlan.Stage.DRAFT or clock.now() >= local_instant(plan.depot, plan.day, PUBLISHED_AT):
        return False
    take_in(plan)
    if seen is not None and seen == mark_of(plan):
        return False
    stops = Visit.objects.filter(plan=plan, kind=Visit.Kind.STOP).count()
    seconds = min(MOST_SECONDS, max(1.0, SECONDS_PER_STOP * stops))
    build_day(depot=plan.depot, day=plan.day, seconds=seconds, hear=_Told(plan).hear, aside=True)
    again = local_instant(plan.depot, plan.day, AGAIN_AT)
    if clock.now() < again:
        key, mark = f"build:{plan.pk}", {"seen": mark_of(plan)}
        react(BUILD_HANDLER, payload=mark, plan_id=plan.pk, lane="planner", due_at=again, dedupe_key=key)
    return True


def mark_of(plan: DayPlan) -> int:
    """Another number whenever somebody has changed what the plan is made of; what the planner does leaves it."""
    shifts = shifts_of(plan.depot).filter(day=plan.day, sick_at=None, broken_down_at=None)
    drops = Drop.objects.filter(visit__plan=plan, is_open=True, is_hold=False)
    standing = (
        list(plan.routes.order_by("pk").values_list("pk", "changes")),
        list(shifts.order_by("pk").values_list("pk", "starts_at", "ends_at", "vehicle_id")),
        list(drops.order_by("delivery_id").values_list("delivery_id", flat=True)),
    )
    return crc32(repr(standing).encode())


class _Told:
    """Writes into the log how far the search is, and ends it when the plan has been published meanwhile."""

    def __init__(self, plan: DayPlan) -> None:
        self.plan, self.next = plan, TOLD_EVERY

    def hear(self, part: float, best: int | None) -> bool:
        """`planner.limits.Hear`."""
        if part < self.next:
            return False
        self.next = part + TOLD_EVERY
        log.info("Building %s: %.0f %%, best %s.", self.plan, 100 * part, best)
        return not DayPlan.objects.filter(pk=self.plan.pk, stage=DayPlan.Stage.DRAFT).exists()
