"""A change that fits nowhere at once, searched for in the planner child: other stops may be put in another order.

Only the planner's process asks for it. No transaction is open while the child thinks; what it finds is committed with
the change itself, under the revisions of every route that it touches.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from django.db import transaction

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.routing import collecting
from apps.routing.epoch_seconds import since
from apps.routing.models import Replan
from apps.routing.new_places import known_everywhere
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Insertion, Refusal, Timetable
from apps.routing.planner.jobs import FitIn
from apps.routing.planner.limits import CALM
from apps.routing.planner.problem import NEW_PLACE, Stop
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.solve import churn_of
from apps.routing.planner.worker import PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.services import answer
from apps.routing.services.change_plan import TRIES, Proposal, commit, propose_for, settle
from apps.routing.services.clearing import Cleared
from apps.routing.services.subject import subject_of
from apps.routing.services.write_routes import RouteMoved
from apps.routing.stops import Whereabouts, point_of

SPARE_SECONDS: Final = 2.0
"""What the child may take beyond its search before it is killed: the pipe, a busy machine."""

SEARCHABLE: Final = frozenset({Reason.WINDOW.value, Reason.OTHERS.value})
"""Refusals that another order of stops could change."""


def may_be_searched(*, delivery: Delivery, code: str) -> bool:
    """Whether another order of stops could bring what was refused with this code: no pair is searched for."""
    return code in SEARCHABLE and collecting.shop_of(delivery) is None


def change_by_search(
    *,
    delivery: Delivery,
    place: Whereabouts,
    window: TimeWindow,
    write: Callable[[], Delivery],
    actor: str = "system",
) -> Delivery:
    """`change_in_plan` for what that has refused: half a second's search for an order in which everybody's word holds.

    Refused when there is none. PlannerUnavailable when nobody could look, or routes moved three times meanwhile: ask
    again.
    """
    for _attempt in range(TRIES):
        search = _Search()
        proposal = propose_for(subject_of(delivery, place), window, find=search)
        try:
            with transaction.atomic():
                _still_free(proposal)
                visit = commit(proposal, delivery=delivery, actor=actor)
                written = write()
                settle(proposal, written, visit, actor)
                search.record(proposal)
                return written
        except RouteMoved:
            continue
    # Nothing may be locked while the child thinks, so that the last look cannot be the one that nobody overtakes.
    raise PlannerUnavailable("routes moved while the planner thought")


@dataclass
class _Search:
    """Asks the instant answers first, as the plan may have changed since they refused, then the child."""

    asked: Cleared | None = None
    before: Solution | None = None
    milliseconds: int = 0

    def __call__(self, cleared: Cleared, stop: Stop, place: Whereabouts) -> answer.Answer | Refusal:
        found = answer.best(cleared, stop, place)
        if not isinstance(found, Refusal) or found.code not in SEARCHABLE:
            return found
        bare = _bare(cleared)
        if stop.location == NEW_PLACE:
            bare, stop = _with_place(cleared, bare, stop, place)
        job = FitIn(bare.problem, bare.solution, stop, policy=CALM)
        began = monotonic()
        plan = child().ask(job, limit_seconds=job.seconds + SPARE_SECONDS)
        self.asked, self.before = cleared, bare.solution
        self.milliseconds = int((monotonic() - began) * 1000)
        if isinstance(plan, Refusal):
            self._record("infeasible", plan.code.value)
            return plan
        return _answer(bare, plan, stop)

    def record(self, proposal: Proposal) -> None:
        """What the search did to other people, where there was one."""
        if self.asked is None or self.before is None:
            return
        problem, after = proposal.timetable.problem, proposal.timetable.solution
        churn = churn_of(problem, self.before, after)
        self._record(
            "applied",
            "repaired",
            cost_before=plan_cost(problem, self.before, CALM).total,
            cost_after=plan_cost(problem, after, CALM).total,
            moved_over_5_minutes=churn.moved_over_5_min,
            moved_over_10_minutes=churn.moved_over_10_min,
            vans_changed=churn.vans_changed,
            reordered=churn.reordered,
        )

    def _record(self, outcome: str, detail: str, **figures: int) -> None:
        if self.asked is None or self.asked.snapshot.plan is None:
            return
        Replan.objects.create(
            plan_id=self.asked.snapshot.plan,
            reason=Replan.SEARCHED,
            mode="three_vans",
            policy=CALM.name,
            engine="ortools",
            outcome=outcome,
            detail=detail,
            started_at=clock.now(),
            solve_milliseconds=self.milliseconds,
            **figures,
        )


def _bare(cleared: Cleared) -> Timetable:
    """The plan without the visits that the delivery leaves behind, which the judge would call forgotten."""
    gone = {cleared.snapshot.visits[visit].key for visit in cleared.gone}
    if not gone:
        return cleared.timetable
    problem = cleared.timetable.problem
    left = problem.replace(stops=tuple(stop for stop in problem.stops if stop.id not in gone))
    return replace(cleared.timetable, problem=left)


def _with_place(cleared: Cleared, bare: Timetable, stop: Stop, place: Whereabouts) -> tuple[Timetable, Stop]:
    """The same with the stop's place in every matrix: in this process nobody waits for the road network."""
    ground = cleared.snapshot.ground
    travel = known_everywhere(ground, bare.problem.travel, point_of(place), cleared.snapshot.closed)
    like = next(iter(ground.nearest(point_of(place), 1)), 0)
    return replace(bare, problem=bare.problem.grown(travel, like)), stop.replace(location=len(ground.points))


def _answer(bare: Timetable, plan: Solution, stop: Stop) -> answer.Answer:
    timetable = Timetable.of(bare.problem.with_stop(stop), plan)
    van = timetable.vehicle_of[stop.id]
    times, position = timetable.times(stop.id), timetable.tables[van].route.stops.index(stop.id)
    slack = timetable.tables[van].slack(position)
    found = Insertion(van, position, 0, 0, times.arrival, times.start, slack)
    before = {name: (table.route.stops, table.route.breaks) for name, table in bare.tables.items()}
    changed = {name for name, route in plan.route.items() if (route.stops, route.breaks) != before[name]}
    return answer.Answer(found, timetable, frozenset(changed))


def _still_free(proposal: Proposal) -> None:
    """Time went on while the planner thought: RouteMoved when the new order would change what is frozen by now."""
    snapshot = proposal.snapshot
    now = since(snapshot.epoch, clock.now())
    for van in proposal.vans:
        frozen = snapshot.frozen_at(van, now)
        standing = snapshot.standing.route[van].stops
        if proposal.timetable.tables[van].route.stops[:frozen] != standing[:frozen]:
            raise RouteMoved(van)
