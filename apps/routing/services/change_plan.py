"""One delivery into, out of or across the standing plans: proposed in milliseconds, committed under route revisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db import transaction

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Place
from apps.deliveries.services import move_state
from apps.deliveries.states import ON_A_VAN, State
from apps.routing import collecting, words
from apps.routing.closures import shut
from apps.routing.models import Drop, Route, Visit
from apps.routing.new_stop import new_stop
from apps.routing.planner.insertion import FrozenStop, Insertion, Refusal, Timetable
from apps.routing.planner.problem import Stop
from apps.routing.services import answer
from apps.routing.services.clearing import Cleared, clear, delete_rows
from apps.routing.services.subject import Subject, subject_of
from apps.routing.services.write_routes import (
    RouteMoved,
    Written,
    announce,
    ask_for_replan,
    claim,
    ensure_plan,
    write,
)
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import Whereabouts, point_of, zone_of

TRIES = 3


@dataclass(frozen=True)
class Proposal:
    """Where the plan would put the delivery, and which days it would leave; true as of the snapshots it rests on."""

    subject: Subject
    window: TimeWindow
    target: Cleared
    stop: Stop
    insertion: Insertion
    timetable: Timetable = field(repr=False)
    vans: frozenset[str]
    """Those that change on the day itself: its own, and that of a stop that made room."""
    left: tuple[Cleared, ...] = ()
    collect: Stop | None = None
    """The stop at the shop that is made with it."""

    @property
    def snapshot(self) -> Snapshot:
        return self.target.snapshot

    @property
    def arrival(self) -> datetime:
        return self.snapshot.instant(self.timetable.times(self.insertion.merge_into or self.stop.id).start)


def propose(*, delivery: Delivery, place: Whereabouts, window: TimeWindow) -> Proposal:
    """Where the standing plan would hold the delivery at that place in that window. Refused when it cannot."""
    return propose_for(subject_of(delivery, place), window)


def propose_for(
    subject: Subject, window: TimeWindow, *, keep: bool = False, find: answer.Find | None = None
) -> Proposal:
    """`propose` for what may not exist yet. With `keep` the delivery also stays where it is (a hold).

    `find` answers instead of `answer.best`.
    """
    day = day_of(subject, window.earliest)
    subject.check_cutoff(day)
    loaded_on = subject.loaded_on(day)
    leaves = None if keep else subject.delivery
    days = set() if keep else {one.day for one in subject.standing} - {day}
    try:
        target = clear(plan_for(subject, day, [subject.place]), leaves, keep_collection=True)
        left = tuple(clear(take(depot=subject.depot, day=other), leaves) for other in sorted(days))
    except FrozenStop:
        raise Refused("too_late", str(words.TOO_LATE)) from None
    stop = stop_for(target.snapshot, subject, window, loaded_on)
    target, collect, stop = paired(target, subject, stop)
    if collect is None:
        found = (find or answer.best)(target, stop, subject.place)
    else:
        found = answer.best_pair(target, collect, stop)
    if isinstance(found, Refusal):
        raise words.refusal(found.code)
    vans = found.vans | target.vans
    return Proposal(subject, window, target, stop, found.insertion, found.timetable, vans, left, collect)


def plan_for(subject: Subject, day: date, places: Sequence[Whereabouts]) -> Snapshot:
    """The day's plan with the subject's places at hand. Both ends of a pair are asked about at once."""
    shop = subject.terms.collect_from
    if shop is None:
        return take(depot=subject.depot, day=day, places=places)
    return take(depot=subject.depot, day=day, places=[*places, shop], learn=True)


def paired(cleared: Cleared, subject: Subject, stop: Stop) -> tuple[Cleared, Stop | None, Stop]:
    """The stop as the other half of one at the shop, if its goods lie there: of the one that the van makes already, or
    of a new one.
    """
    shop, snapshot = subject.terms.collect_from, cleared.snapshot
    if shop is None or stop.loaded_on is not None:
        return cleared, None, stop
    stop = stop.replace(merge_key="", depots=frozenset(), pair=cleared.collection or collecting.NEW)
    if cleared.collection:
        problem = cleared.timetable.problem
        made = problem.stop[cleared.collection]
        problem = problem.without_stop(made.pair).with_stop(made.replace(pair=stop.id, load=stop.load))
        return replace(cleared, timetable=replace(cleared.timetable, problem=problem)), None, stop
    if snapshot.is_off_the_map(shop):
        raise Refused("off_the_map", str(words.OFF_THE_MAP))
    collect = collecting.collection(
        collecting.NEW,
        shop,
        location=snapshot.ground.location(point_of(shop)),
        load=stop.load,
        bring=stop.id,
        depot=snapshot.depot,
        day=snapshot.day,
    )
    return cleared, shut(collect, point_of(shop), snapshot.closed, snapshot.profiles, ""), stop


def stop_for(snapshot: Snapshot, subject: Subject, window: TimeWindow, loaded_on: str | None) -> Stop:
    """The subject as a stop of one day's plan. Refused("off_the_map") when no road comes near its place."""
    if snapshot.is_off_the_map(subject.place):
        raise Refused("off_the_map", str(words.OFF_THE_MAP))
    return new_stop(
        snapshot,
        place=subject.place,
        window=window,
        service=subject.service,
        load=subject.load,
        loaded_on=loaded_on,
        terms=subject.terms,
        lies_at=subject.lies_at,
        standing=subject.packed_at(snapshot.day),
    )


def day_of(subject: Subject, instant: datetime) -> date:
    """The depot's calendar day of an instant."""
    return instant.astimezone(zone_of(subject.depot)).date()


def commit(proposal: Proposal, *, delivery: Delivery, actor: str = "system", hold_until: datetime | None = None) -> int:
    """Writes the proposal; the id of the visit that the delivery is part of now.

    Must run inside the caller's transaction. Raises RouteMoved when a route it rests on has changed meanwhile.
    """
    snapshot, insertion = proposal.snapshot, proposal.insertion
    routes = claim(snapshot, proposal.vans)
    claimed = [(cleared, claim(cleared.snapshot, cleared.vans)) for cleared in proposal.left]
    delete_rows(proposal.target, delivery.pk)
    for cleared, _routes in claimed:
        delete_rows(cleared, delivery.pk)
    visit = _visit(proposal, delivery, routes[insertion.vehicle], hold_until)
    lies_at = proposal.subject.lies_at
    Drop.objects.create(visit_id=visit, delivery=delivery, is_hold=hold_until is not None, lies_at_id=lies_at)
    members = proposal.target.members
    if insertion.merge_into is None:
        members[visit] = [] if hold_until else [delivery.pk]
    else:
        others = members.get(visit) or [drop.delivery for drop in snapshot.drops[visit]]
        members[visit] = [*others, delivery.pk]
    made = {proposal.stop.id: visit}
    if proposal.collect is not None:
        made[proposal.collect.id] = _collection(proposal, delivery, routes[insertion.vehicle], hold_until)
    written = write(snapshot, proposal.timetable, routes, made=made, members=members)
    _tell(snapshot, routes, written, actor)
    for cleared, left in claimed:
        after = write(cleared.snapshot, cleared.timetable, left, members=cleared.members)
        _tell(cleared.snapshot, left, after, actor)
    return visit


def change_in_plan(
    *,
    delivery: Delivery,
    place: Whereabouts,
    window: TimeWindow,
    write: Callable[[], Delivery],
    actor: str = "system",
) -> Delivery:
    """Proposes, commits and lets `write` change the delivery, all in one transaction; tried again when a route moved.

    `write` must be conditional on the delivery's revision; what it raises undoes the plan's change too.
    """

    def act(proposal: Proposal) -> Delivery:
        visit = commit(proposal, delivery=delivery, actor=actor)
        written = write()
        settle(proposal, written, visit, actor)
        return written

    return with_retries(lambda: subject_of(delivery, place), window, act)


def with_retries[Answer](
    subject: Callable[[], Subject], window: TimeWindow, act: Callable[[Proposal], Answer], *, keep: bool = False
) -> Answer:
    """Proposes and acts on it in one transaction; again when a route moved meanwhile, at most three times.

    The third time the day's routes are locked first, so that it cannot be overtaken once more.
    """
    for _attempt in range(TRIES - 1):
        proposal = propose_for(subject(), window, keep=keep)
        try:
            with transaction.atomic():
                return act(proposal)
        except RouteMoved:
            continue
    try:
        with transaction.atomic():
            now = subject()
            _lock_routes(now, {day_of(now, window.earliest), *(one.day for one in now.standing)})
            return act(propose_for(now, window, keep=keep))
    except RouteMoved:
        raise Refused("plan_busy", str(words.BUSY)) from None


def _lock_routes(subject: Subject, days: set[date]) -> None:
    routes = Route.objects.select_for_update().filter(plan__depot=subject.depot, plan__day__in=days)
    list(routes.order_by("pk").values_list("pk", flat=True))


def settle(proposal: Proposal, delivery: Delivery, visit: int, actor: str) -> None:
    """Brings the visit's place and the delivery's state in line with what was committed."""
    if proposal.insertion.merge_into is None:
        Visit.objects.filter(pk=visit).exclude(place=delivery.place_id).update(place=delivery.place_id)
    state, today = State(delivery.state), proposal.snapshot.day
    other_day = all(one.day != today for one in proposal.subject.standing if not one.is_hold)
    if state in (State.CREATED, State.FAILED) or (state in ON_A_VAN and other_day):
        move_state(delivery_id=delivery.pk, to=State.PLANNED, actor=actor)
        delivery.refresh_from_db(fields=["state", "page_version"])


def release(*, delivery_id: int, actor: str = "system") -> bool:
    """Takes the delivery and its holds out of every plan; False when it was in none.

    Refused("too_late") when a van is already on its way to it. Runs inside the caller's transaction where there is one.
    """
    delivery = Delivery.objects.select_related("place").get(pk=delivery_id)
    for _attempt in range(TRIES):
        subject = subject_of(delivery)
        if not subject.standing:
            return False
        try:
            with transaction.atomic():
                for day in sorted({one.day for one in subject.standing}):
                    _release_from(clear(take(depot=subject.depot, day=day), delivery_id), delivery_id, actor)
            return True
        except FrozenStop:
            raise Refused("too_late", str(words.TOO_LATE)) from None
        except RouteMoved:
            continue
    raise Refused("plan_busy", str(words.BUSY))


def _release_from(cleared: Cleared, delivery_id: int, actor: str) -> None:
    routes = claim(cleared.snapshot, cleared.vans)
    delete_rows(cleared, delivery_id)
    written = write(cleared.snapshot, cleared.timetable, routes, members=cleared.members)
    _tell(cleared.snapshot, routes, written, actor)


def _visit(proposal: Proposal, delivery: Delivery, route: int, hold_until: datetime | None) -> int:
    """The visit for the delivery: the one it joins, or a new one whose place `settle` may still replace."""
    joined = proposal.insertion.merge_into
    if joined is not None:
        visit = int(joined[1:])
        Visit.objects.filter(pk=visit).update(service_seconds=proposal.timetable.problem.stop[joined].service)
        return visit
    place = proposal.subject.place
    window = proposal.window if hold_until else None
    made = Visit.objects.create(
        plan=ensure_plan(depot=proposal.snapshot.depot, day=proposal.snapshot.day),
        route_id=route,
        place=place if isinstance(place, Place) and place.pk else delivery.place,
        service_seconds=proposal.stop.service,
        hold_until=hold_until,
        window_earliest=window.earliest if window else None,
        window_latest=window.latest if window else None,
    )
    return int(made.pk)


def _collection(proposal: Proposal, delivery: Delivery, route: int, hold_until: datetime | None) -> int:
    assert proposal.collect is not None
    assert delivery.collect_from is not None
    made = Visit.objects.create(
        plan=ensure_plan(depot=proposal.snapshot.depot, day=proposal.snapshot.day),
        route_id=route,
        place=delivery.collect_from,
        kind=Visit.Kind.COLLECT,
        collects=delivery,
        service_seconds=proposal.collect.service,
        hold_until=hold_until,
    )
    return int(made.pk)


def _tell(snapshot: Snapshot, routes: dict[str, int], written: Written, actor: str) -> None:
    if not routes:
        return
    plan = ensure_plan(depot=snapshot.depot, day=snapshot.day).pk
    announce(plan, routes.values(), written, actor=actor)
    ask_for_replan(plan)
