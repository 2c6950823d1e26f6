"""Today in figures. Every figure names the rows it counts, so that a number is a link."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Q, QuerySet

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.deliveries.states import OPEN, State
from apps.events.models import Event, Reaction
from apps.feedback.models import ThreadMessage
from apps.feedback.selectors import unanswered
from apps.fleet.models import Depot, Position
from apps.merchants.access import Person, merchants_of
from apps.notifications.models import Message
from apps.routing.models import Drop, Replan, Route, Visit

UNHEARD = ("routing.replan_refused", "storefront.endpoint_disabled")
CHANGE_KINDS = ("delivery.window_changed", "delivery.place_changed", "delivery.cancelled", "instructions.saved")
# So many rows fit into an address; a longer list is shown by its state alone.
_LISTED = 200


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Counts of one operator day, for the merchants one person may see."""

    out: int
    waiting: int
    delivered: int
    failed: int
    at_point: int
    late: tuple[int, ...]
    changes: int
    messages_failed: int
    since: datetime


@dataclass(frozen=True, slots=True)
class RouteLine:
    route: Route
    done: int
    failed: int
    total: int
    next_eta: datetime | None
    last_eta: datetime | None
    late: int
    position: Position | None


def operator_zone() -> ZoneInfo:
    """The zone of the operator's first depot."""
    name = Depot.objects.order_by("pk").values_list("time_zone", flat=True).first()
    return _zone(name or "UTC")


def operator_today() -> date:
    return clock.now().astimezone(operator_zone()).date()


def parked_count() -> int:
    return Reaction.objects.filter(state=Reaction.State.PARKED).count()


def unanswered_count(person: Person) -> int:
    """How many messages to the desk of this person's merchants nobody has answered."""
    return unanswered(ThreadMessage.objects.filter(delivery__merchant__in=merchants_of(person))).count()


def day_figures(person: Person) -> DayFigures:
    """Figures of today; three queries, whatever the number of rows."""
    zone = operator_zone()
    midnight = datetime.combine(clock.now().astimezone(zone).date(), time.min, zone)
    mine = Delivery.objects.filter(merchant__in=merchants_of(person))
    ended_today = Q(ended_at__gte=midnight)
    counts = mine.aggregate(
        out=Count("pk", filter=Q(state=State.OUT)),
        waiting=Count(
            "pk",
            filter=Q(
                state__in=[State.PLANNED, State.ARRIVED, State.LOADED],
                window_earliest__lt=midnight + timedelta(days=1),
                window_latest__gte=midnight,
            ),
        ),
        delivered=Count("pk", filter=Q(state__in=[State.DELIVERED, State.COLLECTED]) & ended_today),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        at_point=Count("pk", filter=Q(state=State.AT_POINT)),
    )
    changes = Event.objects.filter(kind__in=CHANGE_KINDS, at__gte=midnight)
    if not getattr(person, "is_superuser", False):
        changes = changes.filter(delivery_id__in=mine.values("pk"))
    failed = Message.objects.filter(state=Message.State.FAILED, created_at__gte=midnight, delivery__in=mine)
    return DayFigures(
        **counts,
        late=tuple(late_deliveries(mine).values_list("pk", flat=True)[:_LISTED]),
        changes=changes.count(),
        messages_failed=failed.count(),
        since=midnight,
    )


def late_deliveries(among: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Planned or on its way, and what the customer was told last (else what was agreed) no longer holds."""
    now = clock.now()
    told = Q(promises__closed_at=None, promises__isnull=False)
    behind = Q(drops__is_open=True, drops__is_hold=False)
    too_late = Q(drops__visit__planned_arrival__gt=F("promises__latest")) | Q(promises__latest__lt=now)
    untold = Q(promises__isnull=True) & (
        Q(drops__visit__planned_arrival__gt=F("window_latest")) | Q(window_latest__lt=now)
    )
    rows = among.filter(state__in=OPEN).filter(behind & ((told & too_late) | untold))
    return rows.order_by("pk").distinct()


def route_lines(day: date) -> list[RouteLine]:
    """How each van of the day is doing; three queries."""
    routes = list(
        Route.objects.filter(plan__day=day)
        .select_related("shift__vehicle__position", "shift__vehicle__depot", "shift__driver", "plan__depot")
        .annotate(
            total=Count("visits", filter=Q(visits__hold_until=None)),
            done=Count("visits", filter=Q(visits__state=Visit.State.DONE)),
            failed=Count("visits", filter=Q(visits__state=Visit.State.FAILED)),
            last_eta=Max("visits__eta_latest", filter=Q(visits__state=Visit.State.PLANNED)),
        )
        .order_by("shift__vehicle__code")
    )
    following = _next_etas(routes)
    late = _late_per_route(routes)
    return [
        RouteLine(
            route=route,
            done=_number(route, "done"),
            failed=_number(route, "failed"),
            total=_number(route, "total"),
            next_eta=following.get(route.pk),
            last_eta=getattr(route, "last_eta", None),
            late=late.get(route.pk, 0),
            position=getattr(route.shift.vehicle, "position", None),
        )
        for route in routes
    ]


def unheard_since(moment: datetime) -> Counter[str]:
    """How often each thing happened that no program reacts to, by kind of event."""
    return Counter(Event.objects.filter(kind__in=UNHEARD, at__gte=moment).values_list("kind", flat=True))


def replans_since(moment: datetime) -> dict[str, Any]:
    """How often the plan was looked at, how often that moved something, and whom it moved."""
    rows = Replan.objects.filter(started_at__gte=moment)
    return rows.aggregate(
        solves=Count("pk"),
        applied=Count("pk", filter=Q(outcome="applied")),
        moved=Max("moved_over_10_minutes"),
    )


def _next_etas(routes: Sequence[Route]) -> dict[int, datetime]:
    rows = (
        Visit.objects.filter(route__in=routes, state__in=[Visit.State.PLANNED, Visit.State.ARRIVED], hold_until=None)
        .order_by("route_id", "-sequence")
        .values_list("route_id", "eta_earliest")
    )
    # The lowest sequence comes last and stays.
    return {route_id: eta for route_id, eta in rows if route_id is not None and eta is not None}


def _late_per_route(routes: Sequence[Route]) -> dict[int, int]:
    late = late_deliveries(Delivery.objects.all()).values("pk")
    rows = Drop.objects.filter(visit__route__in=routes, is_open=True, is_hold=False, delivery__in=late)
    return Counter(rows.order_by().values_list("visit__route", flat=True))


def _number(route: Route, name: str) -> int:
    return int(getattr(route, name))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
