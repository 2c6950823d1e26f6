"""A slot hold: an expiring visit that keeps room in the plan until the customer has made up their mind."""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.events.services import react
from apps.routing import words
from apps.routing.models import Drop, Visit
from apps.routing.rows import VisitRow
from apps.routing.services.change_plan import TRIES, Proposal, commit, with_retries
from apps.routing.services.subject import subject_of
from apps.routing.services.write_routes import RouteMoved, announce, claim, write
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import Whereabouts

EXPIRE_HANDLER = "apps.routing.handlers.expire_hold"


def hold(*, delivery: Delivery, place: Whereabouts, window: TimeWindow, lasts: timedelta) -> Visit:
    """Room for the delivery in that window, beside the one it has; it goes by itself when `lasts` is over.

    An earlier hold of the same delivery is given up. Refused when the plan has no room.
    """
    release_holds(delivery_id=delivery.pk)
    until = clock.now() + lasts

    def act(proposal: Proposal) -> int:
        visit = commit(proposal, delivery=delivery, hold_until=until)
        react(EXPIRE_HANDLER, payload={"visit": visit}, due_at=until, dedupe_key=f"hold:{visit}")
        return visit

    return Visit.objects.get(pk=with_retries(lambda: subject_of(delivery, place), window, act, keep=True))


def release_holds(*, delivery_id: int) -> int:
    """Gives up every hold of a delivery; how many there were."""
    visits = list(Drop.objects.filter(delivery=delivery_id, is_hold=True, is_open=True).values_list("visit", flat=True))
    return sum(release_hold(visit_id=visit) for visit in visits)


def release_held(*, visit_ids: Collection[int]) -> int:
    """Gives up the holds among these visits, at the shop and at the door; how many there were."""
    held = Visit.objects.filter(pk__in=visit_ids, hold_until__isnull=False)
    drops = Drop.objects.filter(visit__in=held, is_hold=True, is_open=True)
    found = {*drops.values_list("delivery", flat=True), *held.values_list("collects", flat=True)} - {None}
    return sum(release_holds(delivery_id=pk) for pk in sorted(found))


def _rows_of_hold(snapshot: Snapshot, visit: Visit) -> list[VisitRow]:
    """The visit and, where its goods are collected on the way, the one at the shop."""
    held = {drop.delivery for drop in snapshot.drops.get(visit.pk, ())}
    return [
        row
        for row in snapshot.visits.values()
        if row.visit == visit.pk or (row.hold_until is not None and row.collects in held)
    ]


def release_hold(*, visit_id: int) -> bool:
    """Gives up one hold; False when it is gone already."""
    for _attempt in range(TRIES):
        visit = Visit.objects.select_related("plan__depot").filter(pk=visit_id, hold_until__isnull=False).first()
        if visit is None:
            return False
        snapshot = take(depot=visit.plan.depot, day=visit.plan.day)
        rows, timetable = _rows_of_hold(snapshot, visit), snapshot.timetable
        vans = {str(visit.route.shift_id)} if visit.route is not None else set()
        for row in rows:
            if (van := timetable.vehicle_of.get(row.key)) is not None:
                vans.add(van)
            timetable = timetable.without(row.key)
        try:
            with transaction.atomic():
                routes = claim(snapshot, vans)
                Visit.objects.filter(pk__in=[visit.pk, *(row.visit for row in rows)]).delete()
                written = write(snapshot, timetable, routes)
                announce(visit.plan_id, routes.values(), written, actor="system")
            return True
        except RouteMoved:
            continue
    raise Refused("plan_busy", str(words.BUSY))
