"""Writes changed routes: claims them by revision, numbers and times their visits in one statement, tells who must know.

Row order everywhere: plan, route (by id), visit, delivery.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Max

from apps.core import clock
from apps.deliveries.models import Place
from apps.deliveries.services import bump_pages
from apps.events.services import emit, react
from apps.fleet.models import Depot
from apps.fleet.selectors import shifts_of
from apps.routing import events, roads
from apps.routing.expected import Expected, expect
from apps.routing.models import DayPlan, Forecast, Route, Visit
from apps.routing.planner.insertion import Timetable
from apps.routing.rows import VisitRow, promises_of
from apps.routing.services.moved_times import keep, moved_of
from apps.routing.snapshot import Snapshot
from apps.routing.spare_calls import SPARE_RELOAD
from apps.routing.stops import local_instant
from apps.routing.vans import stored_breaks

LEADS_MINUTES = (1440, 120, 60, 30, 10)
"""Forecasts are kept at so many minutes before, to be held against the arrival."""
_LEAD_GRACE = 0.8
"""A forecast counts for a lead while at least so much of it is left."""
REPLAN_HANDLER = "apps.routing.handlers.replan"
REPLAN_DEBOUNCE_SECONDS = 0.5
PREPARE_HANDLER = "apps.routing.handlers.prepare_day"
PUBLISH_HANDLER = "apps.routing.handlers.publish_day"
PUBLISHED_AT = time(6)
BUILD_HANDLER = "apps.routing.handlers.build_draft"
BUILT_AT = time(20)
"""On the evening before, by the depot's clock, the solvers build the draft."""
CLOSE_HANDLER = "apps.routing.handlers.close_day_of"
CLOSED_AT = time(23, 30)
"""Where no roster says when the day is over."""
GRACE = timedelta(minutes=60)
"""How much longer than its shift a van may take before its customers may choose another day."""
_ROWS_PER_STATEMENT = 400

type Row = tuple[int, int, int, Expected, int]
"""Visit, route, turn, what is expected of it, and when it was expected as its time was last told."""


class RouteMoved(Exception):
    """A route was changed by somebody else after the snapshot was taken; nothing is written."""


@dataclass
class Written:
    """What a change of routes did to other people's pages."""

    moved: set[int] = field(default_factory=set)
    """Deliveries whose ETA pair moved past the tolerance."""
    renumbered: set[int] = field(default_factory=set)
    """Deliveries whose number of stops ahead changed."""
    explained: set[int] = field(default_factory=set)
    """Deliveries whose pair stands, with another reason."""
    notices: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What to say to a delivery whose new pair does not lie inside the one its page showed."""
    kept: list[int] = field(default_factory=list)
    """Rows that say why times moved (`EtaChange`)."""


def ensure_plan(*, depot: Depot, day: date) -> DayPlan:
    """The depot-day's plan, made when there is none yet."""
    plan, is_new = DayPlan.objects.get_or_create(
        depot=depot, day=day, defaults={"travel_source": roads.travel_source()}
    )
    if is_new:
        # The plan becomes the day's by itself: nobody has to be at the depot at six.
        opens, closes = local_instant(depot, day, PUBLISHED_AT), local_instant(depot, day, CLOSED_AT)
        react(PREPARE_HANDLER, plan_id=plan.pk, lane="planner", dedupe_key=f"prepare:{plan.pk}")
        if clock.now() < opens:
            evening = local_instant(depot, day - timedelta(days=1), BUILT_AT)
            react(BUILD_HANDLER, plan_id=plan.pk, lane="planner", due_at=evening, dedupe_key=f"build:{plan.pk}")
        react(PUBLISH_HANDLER, plan_id=plan.pk, due_at=opens, dedupe_key=f"publish:{plan.pk}")
        react(CLOSE_HANDLER, plan_id=plan.pk, due_at=closes, dedupe_key=f"close:{plan.pk}")
    return plan


def ask_for_closing(plan: DayPlan) -> None:
    """Closes the day once the last shift of its roster, and some grace, is over."""
    ends: datetime | None = shifts_of(plan.depot).filter(day=plan.day).aggregate(last=Max("ends_at"))["last"]
    if ends is not None:
        react(CLOSE_HANDLER, plan_id=plan.pk, due_at=ends + GRACE, dedupe_key=f"close-early:{plan.pk}")


def claim(snapshot: Snapshot, vans: Collection[str], *, counts: bool = True) -> dict[str, int]:
    """Takes the routes of these vans for the rest of the transaction; their ids, by van.

    Raises RouteMoved unless each still stands as in the snapshot, promises included. With `counts` the planner will
    look at them.
    """
    plan = ensure_plan(depot=snapshot.depot, day=snapshot.day)
    found: dict[str, int] = {}
    for van in sorted(vans, key=lambda van: (snapshot.shifts[van].route or 0, van)):
        row = snapshot.shifts[van]
        if row.route is None or row.revision is None:
            route, is_new = Route.objects.get_or_create(
                shift_id=row.shift, defaults={"plan": plan, "changes": int(counts)}
            )
            if not is_new:
                raise RouteMoved(van)
            found[van] = route.pk
            continue
        taken = Route.objects.filter(pk=row.route, revision=row.revision).update(
            revision=F("revision") + 1, **({"changes": F("changes") + 1} if counts else {})
        )
        if not taken:
            raise RouteMoved(van)
        found[van] = row.route
    _same_promises(snapshot, vans)
    return found


def still_waiting(snapshot: Snapshot, stops: Iterable[str]) -> None:
    """Takes the visits of these stops, which had no van, for the rest of the transaction.

    RouteMoved when one has found a van, or is gone: no revision of a route would say so.
    """
    asked = {pk: snapshot.visits[pk].shift for pk in (int(stop[1:]) for stop in stops)}
    rows = Visit.objects.select_for_update(of=("self",)).filter(pk__in=asked).order_by("pk")
    if dict(rows.values_list("pk", "route__shift")) != asked:
        raise RouteMoved("waiting")


def confirm(snapshot: Snapshot, vans: Collection[str]) -> dict[str, int]:
    """Locks the routes of these vans without changing their revision; their ids, by van. Raises RouteMoved."""
    found: dict[str, int] = {}
    for van in sorted(vans, key=lambda van: (snapshot.shifts[van].route or 0, van)):
        row = snapshot.shifts[van]
        if row.route is None or row.revision is None:
            raise RouteMoved(van)
        standing = Route.objects.select_for_update().filter(pk=row.route, revision=row.revision)
        if standing.values_list("pk", flat=True).first() is None:
            raise RouteMoved(van)
        found[van] = row.route
    return found


def touch(route_id: int) -> None:
    """Raises a route's revision, so that whoever worked with how it stood before looks again."""
    Route.objects.filter(pk=route_id).update(revision=F("revision") + 1)


def _same_promises(snapshot: Snapshot, vans: Collection[str]) -> None:
    """A promise opened since the snapshot was not part of the answer, so the answer must be worked out again."""
    ids = [
        drop.delivery
        for visit, row in snapshot.visits.items()
        if row.shift is not None and str(row.shift) in vans
        for drop in snapshot.drops[visit]
    ]
    known = {delivery: snapshot.promises[delivery] for delivery in ids if delivery in snapshot.promises}
    if promises_of(ids, snapshot.epoch) != known:
        raise RouteMoved("promise")


def write(
    snapshot: Snapshot,
    timetable: Timetable,
    routes: Mapping[str, int],
    *,
    made: Mapping[str, int] | None = None,
    members: Mapping[int, Iterable[int]] | None = None,
) -> Written:
    """Numbers and times every visit of these routes as the timetable says.

    `made` gives the visit behind a stop that the snapshot does not have; `members` the deliveries of visits whose
    drops have changed since.
    """
    members, written, rows, moves = members or {}, Written(), [], []
    made = {**(made or {}), **_calls_at_depot(snapshot, timetable, routes)}
    for van, route in routes.items():
        shift, table = snapshot.shifts[van], timetable.tables[van]
        base = snapshot.done[shift.shift][-1].sequence if shift.shift in snapshot.done else 0
        visits = [made[stop] if stop in made else int(stop[1:]) for stop in table.route.stops]
        standing = [snapshot.visits.get(visit) for visit in visits]
        for index, look in enumerate(expect(snapshot, van, table, standing)):
            visit, before = visits[index], standing[index]
            deliveries = members.get(visit) or _deliveries(snapshot, visit)
            if before is None or (before.eta_earliest, before.eta_latest, before.eta_reason) != (
                *look.shown,
                look.reason,
            ):
                written.moved.update(deliveries)
            if look.notice:
                written.notices.update(dict.fromkeys(deliveries, _notice(snapshot, look)))
            if before is None or (before.shift, before.sequence) != (shift.shift, base + index + 1):
                written.renumbered.update(deliveries)
            move = moved_of(snapshot, van, table.route.stops[index], before, look, deliveries)
            if move is not None:
                moves.append(move)
            rows.append((visit, route, base + index + 1, look, _reference(before, look, told=move is not None)))
    _store(snapshot, rows)
    written.kept = keep(snapshot, timetable, moves, made)
    _keep_forecasts(snapshot, rows)
    _store_breaks(snapshot, timetable, routes, made)
    return written


def _reference(before: VisitRow | None, look: Expected, *, told: bool) -> int:
    """When service was expected as its time was last told: now, where this write tells it."""
    if before is None or before.shown_start is None or told:
        return look.times.start
    stands = (before.eta_earliest, before.eta_latest) == tuple(look.shown)
    return before.shown_start if stands else look.times.start


def _calls_at_depot(snapshot: Snapshot, timetable: Timetable, routes: Mapping[str, int]) -> dict[str, int]:
    """Rows for the calls at the depot that these routes make anew, by stop; those they no longer make are deleted."""
    made: dict[str, int] = {}
    for van, route in routes.items():
        stops = timetable.tables[van].route.stops
        gone = [stop for stop in snapshot.standing.route[van].stops if stop not in stops]
        rows = [int(stop[1:]) for stop in gone if snapshot.problem.stop[stop].is_reload]
        if rows:
            Visit.objects.filter(pk__in=rows, state=Visit.State.PLANNED).delete()
        for stop in stops:
            if stop.startswith(SPARE_RELOAD):
                made[stop] = _call_at_depot(snapshot, van, route, timetable.problem.stop[stop].service)
    return made


def _call_at_depot(snapshot: Snapshot, van: str, route: int, seconds: int) -> int:
    depot = Depot.objects.get(code=snapshot.shifts[van].depot)
    key = f"depot:{depot.code}"
    place = Place.objects.filter(merge_key=key, latitude=depot.latitude, longitude=depot.longitude).first()
    if place is None:
        place = Place.objects.create(
            name=depot.name,
            street=depot.street,
            postcode="",
            town=depot.town,
            latitude=depot.latitude,
            longitude=depot.longitude,
            merge_key=key,
        )
    plan = ensure_plan(depot=snapshot.depot, day=snapshot.day)
    visit = Visit.objects.create(
        plan=plan, route_id=route, place=place, kind=Visit.Kind.RELOAD, service_seconds=seconds
    )
    return int(visit.pk)


def _store_breaks(snapshot: Snapshot, timetable: Timetable, routes: Mapping[str, int], made: Mapping[str, int]) -> None:
    for van, route in routes.items():
        shift, table = snapshot.shifts[van], timetable.tables[van]
        if not shift.breaks:
            continue
        visits = [made[stop] if stop in made else int(stop[1:]) for stop in table.route.stops]
        behind = {row.visit for row in snapshot.done.get(shift.shift, ())}
        behind |= {pk for pk in visits if pk in snapshot.visits and snapshot.visits[pk].state == Visit.State.ARRIVED}
        breaks = stored_breaks(shift, table.vehicle, table.route, visits, behind)
        if breaks != shift.planned_breaks:
            Route.objects.filter(pk=route).update(breaks=breaks)


def _deliveries(snapshot: Snapshot, visit: int) -> list[int]:
    return [drop.delivery for drop in snapshot.drops.get(visit, ()) if not drop.is_hold]


def _notice(snapshot: Snapshot, look: Expected) -> dict[str, Any]:
    return {"to": [snapshot.instant(seconds).isoformat() for seconds in look.shown], "reason": look.reason}


def _keep_forecasts(snapshot: Snapshot, rows: list[Row]) -> None:
    """What is expected now of the stops that are about so many minutes away; the first such forecast counts."""
    kept = []
    for visit, _route, _sequence, look, _reference in rows:
        ahead = (look.honest.expected - snapshot.now) / 60
        for lead in LEADS_MINUTES:
            if _LEAD_GRACE * lead < ahead <= lead:
                earliest, expected, latest = map(snapshot.instant, look.honest[1:4])
                made_at = snapshot.instant(snapshot.now)
                kept.append(
                    Forecast(
                        visit_id=visit,
                        lead_minutes=lead,
                        made_at=made_at,
                        earliest=earliest,
                        expected=expected,
                        latest=latest,
                    )
                )
    Forecast.objects.bulk_create(kept, ignore_conflicts=True)


def _store(snapshot: Snapshot, rows: list[Row]) -> None:
    """One UPDATE for many visits, each with its own values."""
    adapt = connection.ops.adapt_datetimefield_value
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        part = rows[start : start + _ROWS_PER_STATEMENT]
        values: list[Any] = []
        for visit, route, sequence, look, reference in part:
            instants = (look.times.start, look.times.departure, *look.shown, *look.sure, reference)
            times = (adapt(snapshot.instant(seconds)) for seconds in instants)
            values += [visit, route, sequence, *times, look.reason]
        holders = ", ".join([f"({', '.join(['%s'] * 11)})"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE routing_visit SET route_id = v.column2, sequence = v.column3,"  # noqa: S608
                " planned_arrival = v.column4, planned_departure = v.column5, eta_earliest = v.column6,"
                " eta_latest = v.column7, sure_earliest = v.column8, sure_latest = v.column9,"
                " shown_start = v.column10, eta_reason = v.column11,"
                f" unserved_reason = '' FROM (VALUES {holders}) AS v"
                " WHERE routing_visit.id = v.column1",
                values,
            )


def announce(plan: int, routes: Iterable[int], written: Written, *, actor: str) -> None:
    """Events for the routes and for the customers whose ETA moved, and new versions of every page that shows it."""
    for route in routes:
        emit(events.ROUTE_CHANGED, plan_id=plan, payload={"route": route}, actor=actor)
    if written.moved:
        emit(events.ETA_CHANGED, plan_id=plan, payload={"deliveries": sorted(written.moved)}, actor=actor)
    if written.notices and DayPlan.objects.filter(pk=plan, stage=DayPlan.Stage.PUBLISHED).exists():
        # Nobody has seen the pairs of a draft.
        for delivery, notice in sorted(written.notices.items()):
            emit(events.ETA_MOVED, delivery_id=delivery, plan_id=plan, payload=notice, actor=actor)
    if pages := written.moved | written.renumbered | written.explained:
        bump_pages(delivery_ids=pages)


def ask_for_replan(plan: int, *, reason: str = "change") -> None:
    """Lets the planner improve the plan soon; what is asked meanwhile is part of the same solve."""
    react(
        REPLAN_HANDLER,
        payload={"reason": reason},
        plan_id=plan,
        lane="planner",
        delay_seconds=REPLAN_DEBOUNCE_SECONDS,
        dedupe_key=f"replan:{plan}",
        due_at=clock.now(),
    )
