"""A draft that is built anew remembers the one before, and can go back to it."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.routing.models import DayPlan
from apps.routing.planner.check import violations
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.services.write_routes import announce, claim, write
from apps.routing.snapshot import Snapshot, take


def remember(snapshot: Snapshot) -> None:
    """Keeps the standing draft, if it brings anything, as the one to go back to."""
    if snapshot.plan is None or not snapshot.standing.vehicle_of:
        return
    routes = [{"van": r.vehicle, "stops": list(r.stops), "breaks": list(r.breaks)} for r in snapshot.standing.routes]
    DayPlan.objects.filter(pk=snapshot.plan).update(earlier={"routes": routes})


def roll_back(*, plan: DayPlan) -> int:
    """The draft as it stood before it was last built, with what came in since where it is; how many vans change.

    Refused("published" | "no_earlier" | "no_longer_holds") when there is nothing to go back to.
    """
    plan.refresh_from_db()
    if plan.stage != DayPlan.Stage.DRAFT:
        raise Refused("published", _("The plan is published already."))
    if plan.earlier is None:
        raise Refused("no_earlier", _("There is no draft to go back to."))
    snapshot = take(depot=plan.depot, day=plan.day)
    earlier = _earlier(snapshot, plan.earlier)
    if violations(snapshot.problem, earlier):
        raise Refused("no_longer_holds", _("The draft before no longer holds: too much has changed since."))
    vans = [van for van, route in earlier.route.items() if route != snapshot.standing.route.get(van)]
    with transaction.atomic():
        routes = claim(snapshot, vans, counts=False)
        written = write(snapshot, Timetable.of(snapshot.problem, earlier), routes)
        now = {"routes": [{"van": r.vehicle, "stops": r.stops, "breaks": r.breaks} for r in snapshot.standing.routes]}
        DayPlan.objects.filter(pk=plan.pk).update(earlier=now)
        announce(plan.pk, routes.values(), written, actor="system")
    plan.refresh_from_db()
    return len(vans)


def _earlier(snapshot: Snapshot, stored: dict[str, Any]) -> Solution:
    """The remembered routes with the stops there still are; a newer stop stays on the van it is on."""
    problem, standing = snapshot.problem, snapshot.standing
    remembered = {row["van"]: row for row in stored["routes"] if row["van"] in problem.vehicle}
    known = {stop for row in remembered.values() for stop in row["stops"]}
    routes = []
    for van in problem.vehicle:
        row = remembered.get(van, {"stops": [], "breaks": []})
        route = Route(van, tuple(row["stops"]), 0, tuple(row["breaks"]))
        for stop in row["stops"]:
            route = route if stop in problem.stop else route.removed(stop)
        for stop in standing.route[van].stops:
            route = route if stop in known else route.inserted(len(route.stops), stop)
        routes.append(route)
    served = {stop for route in routes for stop in route.stops}
    missing = [stop for stop in problem.stops if stop.id not in served and not stop.is_reload]
    left = {stop.id: standing.unserved.get(stop.id, Reason.NOT_PLANNED) for stop in missing}
    return Solution(tuple(routes), left)
