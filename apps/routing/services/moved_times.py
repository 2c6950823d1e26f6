"""Why an expected time moved, kept for staff once it passes the tolerance: causes in seconds that add up.

What a change of the plan moves is explained by the planner (`explain_eta`); what remains is how the van's day went
since the time was last told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from apps.core import clock
from apps.routing.expected import OFF_ROUTE, STALE_POSITION, TRAFFIC, Expected
from apps.routing.models import DayPlan, EtaChange
from apps.routing.planner.explain_eta import explain_eta
from apps.routing.planner.insertion import Timetable
from apps.routing.rows import VisitRow
from apps.routing.snapshot import Snapshot

LEAST_SECONDS = 300
"""A plan that moves a start by so much is told of, whether or not the pair of the page held."""
MOST_PER_DELIVERY = 20
KEPT = timedelta(days=30)
SINCE_TOLD = "since_told"
"""What no change of this moment explains: how the van's day went, and changes too small to be kept."""
MOST_EXPLAINED = 80
"""Stops of one write that are explained one cause after the other; the rest of a great upheaval by one."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One visit that a write gives another time. `reference`: when it was expected as its time was last told."""

    visit: int
    stop: str
    van: str
    before: VisitRow
    look: Expected
    reference: int
    deliveries: tuple[int, ...]


def moved_of(
    snapshot: Snapshot, van: str, stop: str, before: VisitRow | None, look: Expected, deliveries: Iterable[int]
) -> Moved | None:
    """The move, if it passes the tolerance: the pair no longer held, or the plan itself moved it."""
    if before is None or before.arrived is not None:
        return None
    reference = before.shown_start if before.shown_start is not None else before.planned
    if reference is None:
        return None
    standing = _standing_start(snapshot, stop)
    by_plan = standing is None or abs(look.times.start - standing) >= LEAST_SECONDS
    if look.times.start == reference or not (look.notice or by_plan):
        return None
    if not look.notice and abs(look.times.start - reference) < LEAST_SECONDS:
        return None
    return Moved(before.visit, stop, van, before, look, reference, tuple(deliveries))


def keep(snapshot: Snapshot, timetable: Timetable, moves: Iterable[Moved], made: Mapping[str, int]) -> list[int]:
    """Writes them down for a plan that counts; the rows' ids. `made`: visits behind stops without a row before."""
    moves = [move for move in moves if move.deliveries]
    plan = snapshot.plan
    if not moves or plan is None or not DayPlan.objects.filter(pk=plan, stage=DayPlan.Stage.PUBLISHED).exists():
        return []
    now, rows = clock.now(), []
    for number, move in enumerate(moves):
        causes = _causes(snapshot, timetable, move, made, in_full=number < MOST_EXPLAINED)
        row = _row(snapshot, plan, move, causes, now)
        rows += [EtaChange(delivery_id=delivery, **row) for delivery in move.deliveries]
    kept = EtaChange.objects.bulk_create(rows)
    _forget_beyond(sorted({row.delivery_id for row in rows}))
    return [row.pk for row in kept]


def forget_old() -> int:
    """Called by night."""
    return EtaChange.objects.filter(at__lt=clock.now() - KEPT).delete()[0]


def _row(
    snapshot: Snapshot, plan: int, move: Moved, causes: list[tuple[str, int, int | None]], now: datetime
) -> dict[str, Any]:
    """The columns that are the same for every delivery of the visit."""
    before = move.before
    codes = {shift.shift: shift.code for shift in snapshot.shifts.values()}
    shown = [before.eta_earliest, before.eta_latest] if before.eta_earliest and before.eta_latest else []
    return {
        "plan_id": plan,
        "at": now,
        "van_before": codes.get(before.shift, "") if before.shift is not None else "",
        "van_after": snapshot.shifts[move.van].code,
        "start_before": snapshot.instant(move.reference),
        "start_after": snapshot.instant(move.look.times.start),
        "shown_before": [snapshot.instant(seconds).isoformat() for seconds in shown if seconds is not None],
        "shown_after": [snapshot.instant(seconds).isoformat() for seconds in move.look.shown],
        "causes": [list(cause) for cause in causes],
    }


def _causes(
    snapshot: Snapshot, timetable: Timetable, move: Moved, made: Mapping[str, int], *, in_full: bool
) -> list[tuple[str, int, int | None]]:
    """(code, seconds, visit) whose seconds are the whole move, the largest share first."""
    standing, whole = snapshot.timetable, move.look.times.start - move.reference
    if move.stop not in standing.vehicle_of:
        return [("other_van", whole, None)]
    found: list[tuple[str, int, int | None]] = []
    by_plan = move.look.times.start - standing.times(move.stop).start
    if by_plan and in_full:
        explained = explain_eta(standing, timetable, move.stop)
        found = [(cause.code, cause.seconds, _visit(cause.stop, made)) for cause in explained]
    elif by_plan:
        same = standing.vehicle_of[move.stop] == move.van
        found = [("reordered" if same else "other_van", by_plan, None)]
    rest = whole - sum(seconds for _code, seconds, _visit_id in found)
    if rest:
        found.append((_of_the_day(move.look.reason), rest, None))
    return sorted(found, key=lambda cause: -abs(cause[1]))


def _of_the_day(reason: str) -> str:
    return reason if reason in (TRAFFIC, OFF_ROUTE, STALE_POSITION) else SINCE_TOLD


def _visit(stop: str, made: Mapping[str, int]) -> int | None:
    if stop in made:
        return made[stop]
    return int(stop[1:]) if stop.startswith("v") else None


def _standing_start(snapshot: Snapshot, stop: str) -> int | None:
    standing = snapshot.timetable
    return standing.times(stop).start if stop in standing.vehicle_of else None


def _forget_beyond(deliveries: list[int]) -> None:
    """The newest few of each are enough to tell a story."""
    counts = EtaChange.objects.filter(delivery__in=deliveries).values("delivery").annotate(rows=Count("pk"))
    for delivery in counts.filter(rows__gt=MOST_PER_DELIVERY).values_list("delivery", flat=True):
        mine = EtaChange.objects.filter(delivery=delivery).order_by("-pk").values_list("pk", flat=True)
        EtaChange.objects.filter(pk__in=list(mine[MOST_PER_DELIVERY:])).delete()
