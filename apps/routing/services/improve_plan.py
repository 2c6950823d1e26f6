"""The re-plan: solved in the planner child with no transaction open, applied only where nothing moved meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final, cast

from django.db import transaction
from django.db.models import F, Max

from apps.core import clock
from apps.deliveries import events as delivery_events
from apps.events.models import Event
from apps.events.services import emit
from apps.routing import events, roads
from apps.routing.epoch_seconds import since
from apps.routing.models import DayPlan, EtaChange, Replan, Route
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.jobs import SECONDS, Improve
from apps.routing.planner.limits import CALM, THRIFTY, Hear, Policy
from apps.routing.planner.problem import ProblemError
from apps.routing.planner.solution import Solution
from apps.routing.planner.solve import Mode, Result, Verdict
from apps.routing.planner.worker import PlannerFailed, PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.policies import of_draft
from apps.routing.services.incidents import looked_at, still_to_look_at
from apps.routing.services.preview import Preview, moves_between
from apps.routing.services.write_routes import RouteMoved, announce, claim, still_waiting, write
from apps.routing.snapshot import Snapshot, take
from apps.routing.triggers import TRIGGERS

SPARE_SECONDS = 4.0
"""What a solve may take beyond its search: building the model, the pipe, a busy machine."""
SHARES: Final = (1.0, 0.25, 0.0)
"""Of a mode's search seconds, by turn: while a long search thinks vans go on, so a miss is followed by a shorter one,
and at last by plain insertion of what waits for a van, which takes milliseconds."""
MODES: Final = ("insertion", "one_van", "three_vans", "fleet")
"""From the narrowest to the widest."""
CHANGES: Final = (delivery_events.CREATED, delivery_events.WINDOW_CHANGED, delivery_events.PLACE_CHANGED)
_LEAST_SECONDS: Final = 0.2
_REFUSED = frozenset({Verdict.UNREST, Verdict.VIOLATES, Verdict.NO_SOLUTION})


@dataclass(frozen=True, slots=True)
class Touched:
    """What the planner is to look at: route and number of changes by van."""

    routes: Mapping[str, tuple[int, int]]
    mode: Mode
    policy: Policy = CALM
    looked_at: bool = True
    """Whether what comes out settles these routes' changes."""
    incidents: Mapping[int, str] = field(default_factory=dict)
    """Kinds by id of what has happened and is settled with them."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What somebody asked for: the whole day in this mode, by this policy ("": as the depot is set).

    `seconds` replaces how long that mode is searched; `hear` is told how far it is.
    """

    mode: str = ""
    policy: str = ""
    seconds: float | None = None
    hear: Hear | None = None


def improve_plan(
    *, plan_id: int, reason: str, by_hand: ByHand | None = None, spare_seconds: float = SPARE_SECONDS
) -> Replan | None:
    """Searches around the standing plan of a depot-day; what it did, or None when nobody had changed anything.

    A result is applied when it is clearly better and every route it touches stands as it did. When one has moved
    meanwhile it is searched again for a shorter time, and at last only what waits for a van is put in; after that miss
    too the plan stands as it is. Raises PlannerUnavailable when there was no answer: try again later.
    `by_hand` looks at every route, changed or not.
    """
    plan = DayPlan.objects.select_related("depot").get(pk=plan_id)
    outcome: Replan | None = None
    for share in SHARES:
        touched = look_at(plan, by_hand)
        if not touched.routes:
            return outcome
        snapshot = take(depot=plan.depot, day=plan.day)
        if not share:  # these routes are still to be looked at: with the next change, when there is time
            touched = replace(touched, mode="insertion", looked_at=touched.mode == "insertion")
        why = reason if by_hand else next(iter(touched.incidents.values()), reason)
        outcome = Replan(
            plan=plan, reason=why[:40], mode=touched.mode, policy=touched.policy.name, started_at=clock.now()
        )
        began = monotonic()
        try:
            result = _ask(snapshot, touched, spare_seconds, by_hand or ByHand(), share)
        except (PlannerUnavailable, PlannerFailed, ProblemError) as error:
            _record(outcome, "planner_down", began, detail=type(error).__name__)
            raise
        if _settle(outcome, snapshot, touched, result, began):
            break
    _remember_places(plan, snapshot)
    return outcome


def preview_plan(*, plan_id: int, by_hand: ByHand) -> Preview | None:
    """What `improve_plan` by hand would do now, stop by stop; None when no route could change. Writes nothing."""
    plan = DayPlan.objects.select_related("depot").get(pk=plan_id)
    touched = look_at(plan, by_hand)
    if not touched.routes:
        return None
    snapshot = take(depot=plan.depot, day=plan.day)
    outcome = Replan(plan=plan, mode=touched.mode, policy=touched.policy.name, outcome="dry_run")
    result = _ask(snapshot, touched, SPARE_SECONDS, by_hand, share=1.0)
    _describe(outcome, result)
    moves = moves_between(snapshot, result.solution)
    return Preview(outcome, moves, snapshot, result.solution, result.cost_before, result.cost_after)


def look_at(plan: DayPlan, by_hand: ByHand | None = None) -> Touched:
    """The routes to look at, how far, and what the unrest may cost."""
    routes = Route.objects.filter(plan=plan, finished_at=None)
    if by_hand is None:
        routes = routes.exclude(changes=F("improved_changes"))
    rows = list(routes.values_list("pk", "shift_id", "changes", "departed_at"))
    found = {str(shift): (route, changes) for route, shift, changes, _left in rows}
    left = all(departed is not None for *_row, departed in rows)
    incidents = still_to_look_at(plan)
    usual = "one_van" if left else "three_vans"
    mode = (by_hand and by_hand.mode) or plan.depot.replan_mode or _widest(usual, incidents.values())
    policy = (by_hand and by_hand.policy) or (
        THRIFTY.name if plan.stage == DayPlan.Stage.DRAFT else plan.depot.replan_policy
    )
    weights = THRIFTY if policy == THRIFTY.name else CALM
    weights = of_draft(plan.depot, weights) if plan.stage == DayPlan.Stage.DRAFT else weights
    return Touched(found, cast("Mode", mode), weights, incidents=incidents)


def _widest(mode: str, incidents: Iterable[str]) -> str:
    """The mode after an ordinary change, or a wider one that something asks for that has happened since."""
    asked = [TRIGGERS[kind].mode for kind in incidents]
    return max([mode, *filter(None, asked)], key=MODES.index)


def _ask(snapshot: Snapshot, touched: Touched, spare_seconds: float, by_hand: ByHand, share: float) -> Result:
    job = job_of(snapshot, touched, by_hand.seconds)
    if share:
        job = replace(job, seconds=max(_LEAST_SECONDS, share * job.seconds))
    return child().ask(job, limit_seconds=job.seconds + spare_seconds, hear=by_hand.hear)


def job_of(snapshot: Snapshot, touched: Touched, seconds: float | None = None) -> Improve:
    """What the planner child is asked."""
    vans = tuple(van for van in touched.routes if van in snapshot.problem.vehicle)
    return Improve(
        snapshot.problem,
        snapshot.standing,
        touched.mode,
        vans,
        seconds or _seconds(touched.mode, len(vans)),
        touched.policy,
        changed=tuple(_changed(snapshot)),
    )


def _seconds(mode: Mode, vans: int) -> float:
    """Every three vans have their own second, as long as that is not longer than the whole fleet."""
    parts = -(-vans // 3) if mode == "three_vans" else 1
    return min(SECONDS[mode] * max(parts, 1), max(SECONDS.values()))


def _changed(snapshot: Snapshot) -> list[str]:
    """The stops that people have changed since the planner last looked, and those that wait for a van."""
    looks = Replan.objects.filter(plan=snapshot.plan).exclude(reason=Replan.SEARCHED)
    last = looks.aggregate(last=Max("started_at"))["last"]
    standing = {drop.delivery for drops in snapshot.drops.values() for drop in drops}
    told = Event.objects.filter(kind__in=CHANGES, delivery_id__in=standing)
    if last is not None:
        told = told.filter(at__gte=last)
    deliveries = {pk for pk in told.values_list("delivery_id", flat=True) if pk is not None}
    rows = [snapshot.visits[visit].key for pk in sorted(deliveries) for visit in snapshot.visits_of(pk)]
    return list(dict.fromkeys([*rows, *snapshot.standing.unserved]))


def _settle(outcome: Replan, snapshot: Snapshot, touched: Touched, result: Result, began: float) -> bool:
    """Applies the result or leaves the plan as it is, and writes down which; False when a route had moved."""
    _describe(outcome, result)
    moved: list[int] = []
    try:
        with transaction.atomic():
            if result.applied:
                moved = apply(snapshot, result)
            for route, changes in touched.routes.values() if touched.looked_at else ():
                Route.objects.filter(pk=route).update(improved_changes=changes)
            if touched.looked_at:
                looked_at(touched.incidents)
            if result.reason in _REFUSED:
                emit(events.REPLAN_REFUSED, plan_id=outcome.plan_id, payload={"reason": result.reason.value})
    except RouteMoved:
        _record(outcome, "moved_meanwhile", began)
        return False
    kept = "infeasible" if result.reason in (Verdict.VIOLATES, Verdict.NO_SOLUTION) else "kept"
    _record(outcome, "applied" if result.applied else kept, began)
    EtaChange.objects.filter(pk__in=moved).update(replan=outcome)
    return True


def _describe(outcome: Replan, result: Result) -> None:
    """What was found, and what it would cost and move."""
    outcome.engine, outcome.detail = result.engine, result.reason.value
    outcome.cost_before, outcome.cost_after = result.cost_before.total, result.cost_after.total
    before, after = result.cost_before.even, result.cost_after.even
    if before is not None and after is not None:
        outcome.overlap_before, outcome.overlap_after = before.overlap_permille, after.overlap_permille
        outcome.spread_before, outcome.spread_after = before.spread, after.spread
    churn = result.churn
    outcome.moved_over_5_minutes, outcome.moved_over_10_minutes = churn.moved_over_5_min, churn.moved_over_10_min
    outcome.vans_changed, outcome.reordered = churn.vans_changed, churn.reordered


def apply(snapshot: Snapshot, result: Result) -> list[int]:
    """Writes the routes that differ from the standing plan (see `put_down`)."""
    return put_down(snapshot, result.solution)


def put_down(snapshot: Snapshot, found: Solution, *, actor: str = "system") -> list[int]:
    """Writes the routes of this plan that differ from the standing one; the rows that say why times moved.

    Raises RouteMoved when one of them has changed since, or would change where the van is about to be by now.
    """
    before, after = snapshot.standing.route, found.route
    vans = [
        van for van, route in after.items() if (route.stops, route.breaks) != (before[van].stops, before[van].breaks)
    ]
    now = since(snapshot.epoch, clock.now())
    for van in vans:
        # Time went on while the planner thought: what has become frozen since stays as it is.
        frozen = snapshot.frozen_at(van, now)
        if after[van].stops[:frozen] != before[van].stops[:frozen]:
            raise RouteMoved(van)
    timetable = Timetable.of(snapshot.problem, found)
    routes = claim(snapshot, vans, counts=False)
    still_waiting(snapshot, found.vehicle_of.keys() & snapshot.standing.unserved.keys())
    written = write(snapshot, timetable, routes)
    if snapshot.plan is not None:
        announce(snapshot.plan, routes.values(), written, actor=actor)
    return written.kept


def _record(outcome: Replan, word: str, began: float, detail: str = "") -> None:
    outcome.outcome, outcome.solve_milliseconds = word, int((monotonic() - began) * 1000)
    outcome.detail = detail or outcome.detail
    outcome.save(force_insert=True)


def _remember_places(plan: DayPlan, snapshot: Snapshot) -> None:
    """Places that came in since the morning go into the matrix files, so that web processes need not ask again."""
    profiles = sorted(snapshot.ground.travel)
    roads.keep_points(depot_code=plan.depot.code, day=plan.day, points=snapshot.ground.points, profiles=profiles)
