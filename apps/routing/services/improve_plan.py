"""The re-plan: solved in the planner child with no transaction open, applied only where nothing moved meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.events.services import emit
from apps.routing import events, roads
from apps.routing.epoch_seconds import since
from apps.routing.models import DayPlan, Replan, Route
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.jobs import SECONDS, Improve
from apps.routing.planner.problem import ProblemError
from apps.routing.planner.solve import Mode, Result, Verdict
from apps.routing.planner.worker import PlannerFailed, PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.services.write_routes import RouteMoved, announce, claim, write
from apps.routing.snapshot import Snapshot, take

SPARE_SECONDS = 4.0
"""What a solve may take beyond its search: building the model, the pipe, a busy machine."""
MISSES = 2
_REFUSED = frozenset({Verdict.UNREST, Verdict.VIOLATES, Verdict.NO_SOLUTION})


@dataclass(frozen=True, slots=True)
class Touched:
    """What the planner is to look at: route and number of changes by van."""

    routes: Mapping[str, tuple[int, int]]
    mode: Mode


def improve_plan(*, plan_id: int, reason: str, spare_seconds: float = SPARE_SECONDS) -> Replan | None:
    """Searches around the standing plan of a depot-day; what it did, or None when nobody had changed anything.

    A result is applied when it is clearly better and every route it touches stands as it did; otherwise, and after
    two misses, the plan stands as it is. Raises PlannerUnavailable when there was no answer: try again later.
    """
    plan = DayPlan.objects.select_related("depot").get(pk=plan_id)
    outcome: Replan | None = None
    for _attempt in range(MISSES):
        touched = _touched(plan)
        if not touched.routes:
            return outcome
        snapshot = take(depot=plan.depot, day=plan.day)
        outcome = Replan(plan=plan, reason=reason[:40], mode=touched.mode, started_at=clock.now())
        began = monotonic()
        try:
            result = _ask(snapshot, touched, spare_seconds)
        except (PlannerUnavailable, PlannerFailed, ProblemError) as error:
            _record(outcome, "planner_down", began, detail=type(error).__name__)
            raise
        if _settle(outcome, snapshot, touched, result, began):
            break
    _remember_places(plan, snapshot)
    return outcome


def _touched(plan: DayPlan) -> Touched:
    rows = (
        Route.objects.filter(plan=plan, finished_at=None)
        .exclude(changes=F("improved_changes"))
        .values_list("pk", "shift_id", "changes", "departed_at")
    )
    routes = {str(shift): (route, changes) for route, shift, changes, _left in rows}
    left = all(departed is not None for *_row, departed in rows)
    return Touched(routes, "one_van" if left else "three_vans")


def _ask(snapshot: Snapshot, touched: Touched, spare_seconds: float) -> Result:
    seconds = SECONDS[touched.mode]
    vans = tuple(van for van in touched.routes if van in snapshot.problem.vehicle)
    job = Improve(snapshot.problem, snapshot.standing, touched.mode, vans, seconds)
    return child().ask(job, limit_seconds=seconds + spare_seconds)


def _settle(outcome: Replan, snapshot: Snapshot, touched: Touched, result: Result, began: float) -> bool:
    """Applies the result or leaves the plan as it is, and writes down which; False when a route had moved."""
    outcome.engine, outcome.detail = result.engine, result.reason.value
    outcome.cost_before, outcome.cost_after = result.cost_before.total, result.cost_after.total
    outcome.moved_over_5_minutes, outcome.moved_over_10_minutes = result.moved_over_5_min, result.moved_over_10_min
    try:
        with transaction.atomic():
            if result.applied:
                apply(snapshot, result)
            for route, changes in touched.routes.values():
                Route.objects.filter(pk=route).update(improved_changes=changes)
            if result.reason in _REFUSED:
                emit(events.REPLAN_REFUSED, plan_id=outcome.plan_id, payload={"reason": result.reason.value})
    except RouteMoved:
        _record(outcome, "moved_meanwhile", began)
        return False
    kept = "infeasible" if result.reason in (Verdict.VIOLATES, Verdict.NO_SOLUTION) else "kept"
    _record(outcome, "applied" if result.applied else kept, began)
    return True


def apply(snapshot: Snapshot, result: Result) -> None:
    """Writes the routes that differ from the standing plan.

    Raises RouteMoved when one of them has changed since, or would change where the van is about to be by now.
    """
    before, after = snapshot.standing.route, result.solution.route
    vans = [van for van, route in after.items() if route.stops != before[van].stops]
    now = since(snapshot.epoch, clock.now())
    for van in vans:
        # Time went on while the planner thought: what has become frozen since stays as it is.
        frozen = snapshot.frozen_at(van, now)
        if after[van].stops[:frozen] != before[van].stops[:frozen]:
            raise RouteMoved(van)
    timetable = Timetable.of(snapshot.problem, result.solution)
    routes = claim(snapshot, vans, counts=False)
    written = write(snapshot, timetable, routes)
    if snapshot.plan is not None:
        announce(snapshot.plan, routes.values(), written, actor="system")


def _record(outcome: Replan, word: str, began: float, detail: str = "") -> None:
    outcome.outcome, outcome.solve_milliseconds = word, int((monotonic() - began) * 1000)
    outcome.detail = detail or outcome.detail
    outcome.save(force_insert=True)


def _remember_places(plan: DayPlan, snapshot: Snapshot) -> None:
    """Places that came in since the morning go into the matrix files, so that web processes need not ask again."""
    profiles = sorted(snapshot.ground.travel)
    roads.keep_points(depot_code=plan.depot.code, day=plan.day, points=snapshot.ground.points, profiles=profiles)
