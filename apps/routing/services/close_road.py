"""A road that is closed for a while: every van drives around it, and the plan says so."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput
from apps.core.geo import is_coordinate
from apps.fleet.models import Depot
from apps.routing.models import Closure, DayPlan, Incident, Route
from apps.routing.services.incidents import note
from apps.routing.services.roll_forward import roll_forward_soon

WIDEST_METRES = 20_000


def close_road(
    *, depot: Depot, name: str, point: tuple[float, float], radius_metres: int, begins: datetime, ends: datetime
) -> Closure:
    """Keeps the depot's cars out of a round area (degrees, metres). InvalidInput when that makes no sense."""
    if not is_coordinate(*point) or not 0 < radius_metres <= WIDEST_METRES or ends <= begins:
        raise InvalidInput("closure_not_understood", _("A closure needs a place, a radius and an end."))
    with transaction.atomic():
        closure = Closure.objects.create(
            depot=depot,
            name=name[:80],
            latitude=point[0],
            longitude=point[1],
            radius_metres=radius_metres,
            begins_at=begins,
            ends_at=ends,
        )
        note_closure(closure)
    return closure


def open_road(*, closure: Closure) -> None:
    """The road is free again from now on."""
    with transaction.atomic():
        Closure.objects.filter(pk=closure.pk).update(ends_at=min(closure.ends_at, clock.now()))
        note_closure(closure, word="open")


def note_closure(closure: Closure, *, word: str = "closed") -> None:
    """Lets the planner look at every day that the closure touches, and times at every van under way."""
    plans = DayPlan.objects.filter(depot=closure.depot, routes__shift__ends_at__gt=closure.begins_at)
    plans = plans.filter(routes__shift__starts_at__lt=closure.ends_at, routes__finished_at=None).distinct()
    for plan in plans:
        routes = list(Route.objects.filter(plan=plan, finished_at=None))
        key, kind = f"road:{closure.pk}:{word}", Incident.Kind.ROAD_CLOSED
        note(plan=plan, kind=kind, key=key, routes=[route.pk for route in routes], figures={"closure": closure.pk})
        for route in routes:
            if route.departed_at is not None:
                roll_forward_soon(route_id=route.pk)
