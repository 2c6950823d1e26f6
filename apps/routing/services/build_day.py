"""A day's plan from nothing, what comes late into it, and the moment it counts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Q

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.deliveries.services import bump_pages, move_states
from apps.deliveries.states import State
from apps.events.services import emit
from apps.fleet.models import Depot
from apps.fleet.selectors import shifts_of
from apps.routing import collecting, events, roads
from apps.routing.models import DayPlan, Drop, Replan, Route, Visit
from apps.routing.one_stop import together
from apps.routing.planner.check import Code, violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.evenness import Evenness, evenness, in_use
from apps.routing.planner.insertion import Refusal, Timetable
from apps.routing.planner.jobs import Build
from apps.routing.planner.limits import Hear, Policy
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.second_wave import inserted
from apps.routing.planner.solution import Reason, Solution
from apps.routing.planner.solve import build
from apps.routing.planner.travel import Point
from apps.routing.planner_child import child
from apps.routing.policies import of_draft
from apps.routing.rows import REMAINING
from apps.routing.services.leave_behind import NO_TIMES, tell_unserved
from apps.routing.services.roll_back import remember
from apps.routing.services.subject import sends
from apps.routing.services.write_routes import (
    RouteMoved,
    announce,
    ask_for_closing,
    claim,
    ensure_plan,
    still_waiting,
    write,
)
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import SECONDS_PER_FURTHER_DROP, day_began, local_instant, point_of, zone_of

NEIGHBOUR_DAYS = 3
"""Customers move deliveries by some days, so a day's matrix knows the places of the days around it too."""
SPARE_SECONDS = 10.0
"""What building a day may take beyond its search: insertion first, the models, the pipe."""
MOST_LEFT = 500
"""Stops that are put in by insertion when a search ran out of time: some milliseconds each."""
_BROKEN = frozenset({Code.DROPPED, Code.WINDOW, Code.PROMISE})
"""What a draft that is built anew may do to nobody."""


@dataclass(frozen=True, slots=True)
class Search:
    """How the solvers are asked for a day's plan."""

    seconds: float
    hear: Hear | None
    aside: bool

    def run(self, problem: Problem, policy: Policy) -> Solution:
        if not self.aside:
            return build(problem, seconds=self.seconds, policy=policy, hear=self.hear)
        job = Build(problem, self.seconds, policy=policy)
        return child().ask(job, limit_seconds=self.seconds + SPARE_SECONDS, hear=self.hear)


def build_day(
    *, depot: Depot, day: date, seconds: float = 0.0, hear: Hear | None = None, aside: bool = False
) -> DayPlan:
    """The depot-day's plan with every delivery that is due then.

    A draft is built anew by the best solver at hand in so many seconds (0: by insertion only). What counts already
    (published, or a van is loaded or gone) is only added to. What no van can bring is kept with the reason. `hear` is
    told how far a search is. `aside`: in the planner child, which is killed when it does not end (PlannerUnavailable).
    """
    plan = ensure_plan(depot=depot, day=day)
    make_ready(plan)
    for _attempt in range(3):
        snapshot = take(depot=depot, day=day)
        solution = _solved(snapshot, plan, Search(seconds, hear, aside))
        try:
            put_down_draft(snapshot, solution, plan)
            return plan
        except RouteMoved:
            plan.refresh_from_db()
    raise RouteMoved(str(plan))


def make_ready(plan: DayPlan) -> None:
    """A route for every shift, a visit for every delivery that is due, the day's matrices."""
    _ensure_routes(plan)
    take_in(plan)
    prepare(depot=plan.depot, day=plan.day)


def put_down_draft(snapshot: Snapshot, solution: Solution, plan: DayPlan) -> None:
    """Writes a day's plan and keeps the draft before; RouteMoved when anything has changed since the snapshot."""
    with transaction.atomic():
        _same_stage(plan)
        if plan.stage == DayPlan.Stage.DRAFT:
            remember(snapshot)
        _write(snapshot, solution, plan)
        _tell(plan)


def publish(*, plan: DayPlan, actor: str = "system") -> bool:
    """From now on customers are told of this plan and stops move between vans only at a price; False if it was."""
    with transaction.atomic():
        published = DayPlan.objects.filter(pk=plan.pk, stage=DayPlan.Stage.DRAFT).update(
            stage=DayPlan.Stage.PUBLISHED, published_at=clock.now()
        )
        if published:
            emit(events.PLAN_PUBLISHED, plan_id=plan.pk, actor=actor)
            ask_for_closing(plan)
    plan.refresh_from_db()
    return bool(published)


def take_in(plan: DayPlan) -> int:
    """Gives every delivery that is due that day and in no plan a visit without a route yet; how many."""
    began, ends = day_began(plan), local_instant(plan.depot, plan.day + timedelta(days=1), time())
    in_plan = Drop.objects.filter(is_open=True, is_hold=False).values("delivery")
    due = (
        Delivery.objects.filter(
            state__in=[State.CREATED, State.PLANNED, State.ARRIVED],
            window_earliest__gte=began,
            window_earliest__lt=ends,
        )
        .exclude(pk__in=in_plan)
        .select_related("place")
        .order_by("pk")
    )
    depots = {depot.pk: depot for depot in Depot.objects.select_related("parent")}
    tried = Drop.objects.filter(delivery__in=due, is_hold=False).exclude(lies_at=None)
    lie_at = dict(tried.order_by("pk").values_list("delivery", "lies_at"))
    mine: list[Delivery] = []
    for delivery in due:
        seen_at = depots.get(lie_at.get(delivery.pk, 0))
        if seen_at is not None and seen_at.plans_with != plan.depot:
            continue
        if seen_at is None and len(depots) > 1 and not sends(plan.depot, delivery.place, list(depots.values())):
            continue
        mine.append(delivery)
    with transaction.atomic():
        for group in together(mine, plan):
            service = max(delivery.service_seconds for delivery in group)
            visit = Visit.objects.create(
                plan=plan,
                place=group[0].place,
                service_seconds=service + SECONDS_PER_FURTHER_DROP * (len(group) - 1),
            )
            Drop.objects.bulk_create(
                Drop(visit=visit, delivery=delivery, lies_at_id=lie_at.get(delivery.pk)) for delivery in group
            )
            if collecting.shop_of(group[0]) is not None:
                collecting.make_visit(plan, group[0])
    return len(mine)


def prepare(*, depot: Depot, day: date, places: Iterable[tuple[float, float]] = ()) -> int:
    """Makes the depot-day's matrix files, which then know every place that may come into play; how many places.

    `places` are (latitude, longitude) pairs somebody may still choose, such as all pick-up points.
    """
    soon = Q(
        window_earliest__gte=local_instant(depot, day - timedelta(days=NEIGHBOUR_DAYS), time()),
        window_earliest__lt=local_instant(depot, day + timedelta(days=NEIGHBOUR_DAYS + 1), time()),
    )
    rows = Delivery.objects.filter(soon | Q(drops__visit__plan__depot=depot, drops__visit__plan__day=day))
    known = set(rows.values_list("place__latitude", "place__longitude")) | set(
        rows.values_list("home__latitude", "home__longitude")
    )
    shops = rows.exclude(collect_from=None)
    known |= set(shops.values_list("collect_from__latitude", "collect_from__longitude"))
    points = [*map(point_of, depot.together), *(Point(*pair) for pair in sorted({*known, *places}))]
    profiles = sorted(set(shifts_of(depot).values_list("vehicle__profile", flat=True)))
    return roads.keep_points(depot_code=depot.code, day=day, points=points, profiles=profiles)


def _ensure_routes(plan: DayPlan) -> None:
    shifts = shifts_of(plan.depot).filter(day=plan.day, route=None)
    for shift in shifts:
        Route.objects.get_or_create(shift=shift, defaults={"plan": plan})


def _solved(snapshot: Snapshot, plan: DayPlan, search: Search) -> Solution:
    if counts_already(snapshot, plan) or search.seconds <= 0:
        return _filled(snapshot.timetable).solution
    began, instant = monotonic(), clock.now()
    found, why = another_draft(snapshot, search)
    before, after = (_shares(snapshot.problem, one) for one in (snapshot.standing, found))
    Replan.objects.create(
        plan=plan,
        reason="build",
        mode="fleet",
        outcome="kept" if why else "applied",
        detail=why,
        started_at=instant,
        cost_before=_cost(snapshot, snapshot.standing),
        cost_after=_cost(snapshot, found),
        overlap_before=before.overlap_permille if before is not None else None,
        overlap_after=after.overlap_permille if after is not None else None,
        spread_before=before.spread if before is not None else None,
        spread_after=after.spread if after is not None else None,
        solve_milliseconds=int((monotonic() - began) * 1000),
    )
    return _filled(snapshot.timetable).solution if why else found


def _shares(problem: Problem, plan: Solution) -> Evenness | None:
    """How evenly the day is dealt out; None where no two vans share it."""
    return evenness(problem, plan) if sum(in_use(problem, route) for route in plan.routes) > 1 else None


def counts_already(snapshot: Snapshot, plan: DayPlan) -> bool:
    """Published, or a van is loaded or gone: the plan is no draft that may be built anew."""
    return (
        plan.stage == DayPlan.Stage.PUBLISHED
        or any(vehicle.started for vehicle in snapshot.problem.vehicles)
        or any(stop.loaded_on for stop in snapshot.problem.stops)
    )


def another_draft(snapshot: Snapshot, search: Search) -> tuple[Solution, str]:
    """What the solvers make of the day, and why it should not replace the standing draft ("": it should)."""
    found = _with_the_rest(snapshot, search.run(snapshot.problem, of_draft(snapshot.depot)))
    return found, _why_kept(snapshot, found)


def _with_the_rest(snapshot: Snapshot, found: Solution) -> Solution:
    """What a search had no time for goes where it fits: a busy machine must not leave anybody out."""
    if Reason.NOT_PLANNED not in found.unserved.values() or len(found.unserved) > MOST_LEFT:
        return found
    return _filled(Timetable.of(snapshot.problem, found)).solution


def _why_kept(snapshot: Snapshot, found: Solution) -> str:
    """Why the draft is not built anew: that would throw out who has been told yes, or cost no less. "": it is."""
    problem, standing = snapshot.problem, snapshot.standing
    if {one.code for one in violations(problem, found, standing=standing)} & _BROKEN:
        return "dropped"
    dearer = _cost(snapshot, found) >= _cost(snapshot, standing)
    return "no_gain" if dearer and not violations(problem, standing) else ""


def _cost(snapshot: Snapshot, plan: Solution) -> int:
    return plan_cost(snapshot.problem, plan, of_draft(snapshot.depot)).total


def _same_stage(plan: DayPlan) -> None:
    """RouteMoved when a draft was published while it was searched: what counts is only added to."""
    if DayPlan.objects.select_for_update().values_list("stage", flat=True).get(pk=plan.pk) != plan.stage:
        raise RouteMoved(str(plan))


def _filled(timetable: Timetable) -> Timetable:
    """The standing plan with what it left out put in where it fits, the tightest windows first."""
    left_out = [timetable.problem.stop[stop] for stop in timetable.unserved]
    waiting = [stop for stop in left_out if not stop.is_reload]
    for stop in sorted(waiting, key=_turn):
        if stop.id in timetable.vehicle_of:  # came with what it is collected by
            continue
        # A visit that joined another one would have no row of its own to stand for it: they stay neighbours.
        found = inserted(timetable, stop.replace(merge_key=""))
        if isinstance(found, Refusal):
            timetable = replace(timetable, unserved={**timetable.unserved, stop.id: found.code})
        else:
            timetable = found
    return timetable


def _turn(stop: Stop) -> tuple[int, int, str]:
    """What must not be left out goes first, then the tightest windows."""
    return -stop.priority, stop.windows[-1][1] if stop.windows else 0, stop.id


def _write(snapshot: Snapshot, solution: Solution, plan: DayPlan) -> None:
    timetable = Timetable.of(snapshot.problem, solution)
    standing = snapshot.standing.route
    found = {van: timetable.tables[van].route for van in snapshot.shifts}
    vans = [
        van
        for van, route in found.items()
        if (route.stops, route.breaks) != (standing[van].stops, standing[van].breaks)
    ]
    routes = claim(snapshot, vans, counts=False)
    still_waiting(snapshot, snapshot.standing.unserved)
    left_out = {stop: why for stop, why in solution.unserved.items() if not snapshot.problem.stop[stop].is_reload}
    for stop, reason in left_out.items():
        Visit.objects.filter(pk=int(stop[1:])).update(**NO_TIMES, unserved_reason=reason.value)
    off = [int(stop[1:]) for stop in left_out if stop in snapshot.standing.vehicle_of]
    bump_pages(delivery_ids=Drop.objects.filter(visit__in=off, is_open=True).values_list("delivery_id", flat=True))
    written = write(snapshot, timetable, routes)
    served = Drop.objects.filter(
        visit__plan=plan, visit__route__isnull=False, visit__state__in=REMAINING, delivery__state=State.CREATED
    )
    move_states(delivery_ids=served.values_list("delivery_id", flat=True), to=State.PLANNED, actor="system")
    DayPlan.objects.filter(pk=plan.pk).update(travel_source=roads.travel_source())
    plan.refresh_from_db()
    announce(plan.pk, routes.values(), written, actor="system")


def _tell(plan: DayPlan) -> None:
    """On the day itself, whoever no van brings hears of it."""
    if plan.stage != DayPlan.Stage.PUBLISHED or clock.now().astimezone(zone_of(plan.depot)).date() != plan.day:
        return
    left = Drop.objects.filter(
        is_open=True, is_hold=False, visit__plan=plan, visit__route=None, visit__state__in=REMAINING
    )
    reasons = dict(left.values_list("delivery_id", "visit__unserved_reason"))
    tell_unserved(dict.fromkeys(reasons, plan.pk), reasons, once=True)
