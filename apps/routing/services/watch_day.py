"""Looks at every van under way from time to time: who stands too long, and who runs too late."""

from datetime import datetime, timedelta

from apps.core import clock
from apps.events.services import react
from apps.routing.collecting import shop_hours
from apps.routing.models import DayPlan, Incident, Route, Visit
from apps.routing.planner.intervals import lateness, permitted
from apps.routing.services.incidents import note
from apps.routing.snapshot import Snapshot, take
from apps.routing.triggers import LATE_AGAIN, TRIGGERS, WATCH_EVERY

HANDLER = "apps.routing.handlers.watch_day_of"
# On the wall's clock, for demos whose day runs fast.
AGAIN_SECONDS = 10.0


def keep_watching(*, plan_id: int) -> None:
    """Looks again in a while, as long as a van of the day is out."""
    if Route.objects.filter(plan=plan_id, departed_at__isnull=False, finished_at=None).exists():
        react(
            HANDLER,
            plan_id=plan_id,
            due_at=clock.now() + WATCH_EVERY,
            delay_seconds=AGAIN_SECONDS,
            dedupe_key=f"watch:{plan_id}",
        )


def watch_day(*, plan: DayPlan) -> int:
    """Notes what has become an incident since the last look; how many."""
    found = sum(_long_stops(plan))
    snapshot = take(depot=plan.depot, day=plan.day)
    return found + sum(
        _is_late(plan, snapshot, van) for van, row in snapshot.shifts.items() if row.departed is not None
    )


def _long_stops(plan: DayPlan) -> list[bool]:
    now, longer = clock.now(), TRIGGERS[Incident.Kind.LONG_STOP].after
    standing = Visit.objects.filter(plan=plan, state=Visit.State.ARRIVED, route__finished_at=None).select_related(
        "route"
    )
    noted = []
    for visit in standing.select_related("route"):
        over = _begun(visit, now) + timedelta(seconds=visit.service_seconds) + longer
        if visit.route is None or now < over:
            continue
        seconds = int((now - over + longer).total_seconds())
        noted.append(
            note(
                plan=plan,
                kind=Incident.Kind.LONG_STOP,
                key=f"long:{visit.pk}",
                routes=[visit.route.pk],
                visit=visit,
                figures={"seconds_over": seconds},
            )
        )
    return noted


def _begun(visit: Visit, now: datetime) -> datetime:
    """When handing over began: a van that came early waits for the window, which is no long stop."""
    came = visit.arrived_at or now
    opens = list(visit.drops.filter(is_open=True).values_list("delivery__window_earliest", flat=True))
    hours = shop_hours(visit)
    return max([came, *opens, *([hours.earliest] if hours else [])])


def _is_late(plan: DayPlan, snapshot: Snapshot, van: str) -> bool:
    """Whether somebody on this van will be served so much too late as nobody has noted yet."""
    table = snapshot.timetable.tables[van]
    late = [
        (lateness(permitted(snapshot.problem.stop[stop]), times.start), stop)
        for stop, times in zip(table.route.stops, table.times, strict=True)
    ]
    route, (worst, stop) = snapshot.shifts[van].route, max(late, default=(0, ""))
    threshold = int(TRIGGERS[Incident.Kind.LATE_VAN].after.total_seconds())
    if worst < threshold or route is None:
        return False
    step = (worst - threshold) // int(LATE_AGAIN.total_seconds())
    return note(
        plan=plan,
        kind=Incident.Kind.LATE_VAN,
        key=f"late:{route}:{step}",
        routes=[route],
        visit=Visit.objects.filter(pk=int(stop[1:])).first(),
        figures={"seconds_late": worst, "stops_late": sum(seconds > 0 for seconds, _stop in late)},
    )
