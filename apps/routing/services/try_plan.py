"""What a re-plan, or another draft, would change: worked out aside for a dispatcher, then applied exactly, or dropped.

The planner lane works it out and nothing is written but the preview itself. It is applied only while every van that it
would change still has the revision it was worked out on; then the judge looks at it once more, as of now.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.events.services import react
from apps.routing.models import DayPlan, EtaChange, PlanPreview, Replan
from apps.routing.planner.check import Code, violations
from apps.routing.planner.cost import Cost, moved_over, plan_cost, starts
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.problem import ProblemError
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.worker import PlannerFailed, PlannerUnavailable
from apps.routing.policies import of_draft
from apps.routing.services.build_day import Search, another_draft, counts_already, make_ready, put_down_draft
from apps.routing.services.improve_plan import ByHand, preview_plan, put_down
from apps.routing.services.preview import Move, moves_between
from apps.routing.services.write_routes import RouteMoved
from apps.routing.snapshot import Snapshot, take

HANDLER = "apps.routing.handlers.work_out_preview"
HOLDS = timedelta(minutes=10)
"""How long a dispatcher may look at it (on the wall's clock)."""
BUILD_SECONDS = 10.0
TOLD_PERCENT = 4
State = PlanPreview.State
_HARM = frozenset({Code.WINDOW, Code.PROMISE, Code.DROPPED})


def ask_preview(*, plan: DayPlan, kind: str, actor: str, mode: str = "", policy: str = "") -> PlanPreview:
    """Lets the planner work it out; the one before is dropped. Refused("published") for a draft that is none."""
    if kind == PlanPreview.Kind.BUILD and plan.stage != DayPlan.Stage.DRAFT:
        raise Refused("published", _("The plan is published already."))
    with transaction.atomic():
        standing_previews(plan).update(state=State.DROPPED)
        made = PlanPreview.objects.create(
            plan=plan, kind=kind, mode=mode, policy=policy, asked_by=actor, asked_at=clock.wall()
        )
        react(HANDLER, payload={"preview": made.pk}, plan_id=plan.pk, lane="planner", dedupe_key=f"preview:{made.pk}")
        # A day needs no more than the last few.
        old = PlanPreview.objects.filter(plan=plan).order_by("-pk").values_list("pk", flat=True)[10:]
        PlanPreview.objects.filter(pk__in=list(old)).delete()
    return made


def standing_previews(plan: DayPlan) -> Any:
    """Asked for or worked out, and neither applied nor dropped."""
    return PlanPreview.objects.filter(plan=plan).exclude(state__in=[State.APPLIED, State.DROPPED])


def work_out(*, preview_id: int) -> None:
    """Runs in the planner's lane. No answer is an answer as well: the dispatcher asks again."""
    preview = PlanPreview.objects.select_related("plan__depot").get(pk=preview_id)
    if preview.state != State.ASKED:
        return
    try:
        content = _replanned(preview) if preview.kind == PlanPreview.Kind.REPLAN else _built(preview)
    except (PlannerUnavailable, PlannerFailed, ProblemError) as error:
        _settle(preview, State.FAILED, {"detail": type(error).__name__})
        return
    _settle(preview, State.READY if content.get("vans") else State.NOTHING, content)


def drop_preview(*, preview: PlanPreview) -> None:
    """Nobody wants it; a search that is still going on ends."""
    PlanPreview.objects.filter(pk=preview.pk).exclude(state=State.APPLIED).update(state=State.DROPPED)


def apply_preview(*, preview: PlanPreview, actor: str) -> int:
    """Exactly what was shown becomes the plan; how many vans change.

    Refused("not_ready" | "expired" | "moved") when it is no longer what was shown: look again.
    """
    if preview.state != State.READY:
        raise Refused("not_ready", _("There is nothing to apply. Please look again."))
    if preview.expires_at is None or preview.expires_at <= clock.wall():
        raise Refused("expired", _("This was worked out too long ago. Please look again."))
    plan = DayPlan.objects.select_related("depot").get(pk=preview.plan_id)
    snapshot = take(depot=plan.depot, day=plan.day)
    try:
        found = as_shown(snapshot, preview)
        with transaction.atomic():
            if not PlanPreview.objects.filter(pk=preview.pk, state=State.READY).update(state=State.APPLIED):
                raise RouteMoved("preview")
            if preview.kind == PlanPreview.Kind.BUILD:
                put_down_draft(snapshot, found, plan)
                _record(preview)
            else:
                moved = put_down(snapshot, found, actor=actor)
                EtaChange.objects.filter(pk__in=moved).update(replan=_record(preview))
    except RouteMoved:
        raise Refused("moved", _("The plan has changed since this was worked out. Please look again.")) from None
    return len(preview.content["vans"])


def as_shown(snapshot: Snapshot, preview: PlanPreview) -> Solution:
    """The plan of the preview in today's terms; RouteMoved when what it rests on has changed."""
    if preview.kind == PlanPreview.Kind.BUILD and preview.plan.stage != DayPlan.Stage.DRAFT:
        raise RouteMoved("stage")
    found, problem = snapshot.standing, snapshot.problem
    for row in preview.content["vans"]:
        found = found.with_route(_route(snapshot, row))
    served = found.vehicle_of
    left = {stop: why for stop, why in snapshot.standing.unserved.items() if stop not in served}
    left |= {
        stop: Reason(why)
        for stop, why in preview.content["left_out"].items()
        if stop in problem.stop and stop not in served
    }
    found = found.replace(unserved=left)
    if violations(problem, found, standing=snapshot.standing):
        raise RouteMoved("judge")
    return found


def _route(snapshot: Snapshot, row: dict[str, Any]) -> Route:
    shift = snapshot.shifts.get(row["van"])
    if shift is None or shift.revision != row["revision"]:
        raise RouteMoved(row["van"])
    standing = snapshot.standing.route[row["van"]]
    after = tuple(stop for stop, *_times in row["after"])
    same = standing.stops == tuple(stop for stop, *_times in row["before"])
    if not same or any(stop not in snapshot.problem.stop for stop in after):
        raise RouteMoved(row["van"])
    return Route(row["van"], after, standing.frozen, tuple(row["breaks"]))


def _replanned(preview: PlanPreview) -> dict[str, Any]:
    hear, began = _Told(preview).hear, clock.now()
    found = preview_plan(plan_id=preview.plan_id, by_hand=ByHand(preview.mode, preview.policy, hear=hear))
    if found is None:
        return {"detail": "no_route"}
    outcome = found.outcome
    PlanPreview.objects.filter(pk=preview.pk).update(mode=outcome.mode, policy=outcome.policy)
    churn = {
        "over_5": outcome.moved_over_5_minutes,
        "over_10": outcome.moved_over_10_minutes,
        "vans": outcome.vans_changed,
        "reordered": outcome.reordered,
    }
    told = {"detail": outcome.detail, "engine": outcome.engine, "churn": churn, "began": began.isoformat()}
    return told | _content(found.snapshot, found.found, found.moves, found.before, found.after)


def _built(preview: PlanPreview) -> dict[str, Any]:
    plan, began = preview.plan, clock.now()
    make_ready(plan)
    snapshot = take(depot=plan.depot, day=plan.day)
    if counts_already(snapshot, plan):
        return {"detail": "counts_already"}
    found, why = another_draft(snapshot, Search(BUILD_SECONDS, _Told(preview).hear, aside=True))
    if why:
        return {"detail": why}
    problem, standing = snapshot.problem, snapshot.standing
    before, after = starts(problem, standing), starts(problem, found)
    old, new = standing.vehicle_of, found.vehicle_of
    churn = {
        "over_5": moved_over(before, after, 300),
        "over_10": moved_over(before, after, 600),
        "vans": sum(stop in new and new[stop] != van for stop, van in old.items()),
        "reordered": 0,
    }
    weights = of_draft(plan.depot)
    costs = plan_cost(problem, standing, weights), plan_cost(problem, found, weights)
    told = {"detail": "better", "churn": churn, "began": began.isoformat()}
    return told | _content(snapshot, found, moves_between(snapshot, found), *costs)


def _content(snapshot: Snapshot, found: Solution, moves: Iterable[Move], before: Cost, after: Cost) -> dict[str, Any]:
    """Language-free: each van that changes before and after, who moves, and the figures. Instants are ISO 8601."""
    standing, problem = snapshot.standing, snapshot.problem
    harm = [one for one in violations(problem, found, standing=standing) if one.code in _HARM]
    tables = snapshot.timetable, Timetable.of(problem, found)
    changed = [
        van
        for van, route in found.route.items()
        if van in snapshot.shifts
        and (route.stops, route.breaks) != (standing.route[van].stops, standing.route[van].breaks)
    ]
    return {
        "vans": [
            {
                "van": van,
                "code": snapshot.shifts[van].code,
                "revision": snapshot.shifts[van].revision,
                "before": _line(snapshot, tables[0], van),
                "after": _line(snapshot, tables[1], van),
                "breaks": list(found.route[van].breaks),
            }
            for van in changed
        ],
        "left_out": {stop: why.value for stop, why in found.unserved.items() if not problem.stop[stop].is_reload},
        "moves": [
            {
                "visit": move.visit,
                "vans": [move.van_before, move.van_after],
                "times": [at and at.isoformat() for at in (move.before, move.after)],
                "minutes": move.minutes,
                "cause": move.cause,
            }
            for move in moves
        ],
        "before": _figures(before),
        "after": _figures(after),
        "at_risk": len(harm),
    }


def _line(snapshot: Snapshot, timetable: Timetable, van: str) -> list[list[str]]:
    """[stop, start, end] in driving order."""
    table = timetable.tables[van]
    return [
        [stop, snapshot.instant(at.start).isoformat(), snapshot.instant(at.departure).isoformat()]
        for stop, at in zip(table.route.stops, table.times, strict=True)
    ]


def _figures(cost: Cost) -> dict[str, int]:
    even = {} if cost.even is None else {"overlap": cost.even.overlap_permille, "spread": cost.even.spread}
    return even | {
        "total": cost.total,
        "money": cost.minor_units,
        "seconds": cost.driving,
        "metres": cost.metres,
        "grams": cost.grams_co2e,
        "late": cost.late,
        "left_out": cost.dropped,
    }


def _settle(preview: PlanPreview, state: str, content: dict[str, Any]) -> None:
    """Unless it was dropped meanwhile."""
    PlanPreview.objects.filter(pk=preview.pk, state=State.ASKED).update(
        state=state, content=content, percent=100, expires_at=clock.wall() + HOLDS
    )


def _record(preview: PlanPreview) -> Replan:
    content, churn = preview.content, preview.content["churn"]
    before, after = content["before"], content["after"]
    return Replan.objects.create(
        plan=preview.plan,
        reason="dispatcher",
        mode=preview.mode or "fleet",
        policy=preview.policy,
        engine=content.get("engine", ""),
        outcome="applied",
        detail="as_shown",
        cost_before=before["total"],
        cost_after=after["total"],
        overlap_before=before.get("overlap"),
        overlap_after=after.get("overlap"),
        spread_before=before.get("spread"),
        spread_after=after.get("spread"),
        moved_over_5_minutes=churn["over_5"],
        moved_over_10_minutes=churn["over_10"],
        vans_changed=churn["vans"],
        reordered=churn["reordered"],
        # What people have changed since the search began, it has not looked at.
        started_at=datetime.fromisoformat(content["began"]),
    )


class _Told:
    """Writes down how far the search is, and ends it when nobody wants it any more."""

    def __init__(self, preview: PlanPreview) -> None:
        self.rows, self.told = PlanPreview.objects.filter(pk=preview.pk, state=State.ASKED), 0

    def hear(self, part: float, best: int | None) -> bool:
        """`planner.limits.Hear`."""
        percent = min(99, int(100 * part))
        if percent < self.told + TOLD_PERCENT:
            return False
        self.told = percent
        return not self.rows.update(percent=percent)
