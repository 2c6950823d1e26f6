"""The database's part of a snapshot: a handful of queries whose rows are plain tuples.

Instants are whole seconds since an epoch (UTC posix seconds) that the caller chooses.
Routes and their revisions are read first: whatever changes behind them makes a later conditional write fail.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)

from apps.deliveries.models import Delivery, Parcel, Promise
from apps.deliveries.states import ON_A_VAN, State
from apps.fleet.models import Depot
from apps.merchants.models import Policy
from apps.routing.epoch_seconds import seconds_of
from apps.routing.models import DayPlan, Drop, Visit
from apps.routing.planner.problem import Load
from apps.routing.shift_rows import ShiftRow, shift_rows

REMAINING = Visit.REMAINING


class VisitRow(NamedTuple):
    """A visit that is not done yet."""

    visit: int
    shift: int | None
    sequence: int
    visit_kind: str
    state: str
    planned: int | None
    eta_earliest: int | None
    eta_latest: int | None
    arrived: int | None
    hold_until: int | None
    window_earliest: int | None
    window_latest: int | None
    unserved_reason: str
    place: int
    latitude: float
    longitude: float
    kind: str
    opening_hours: str
    merge_key: str
    postcode: str
    floor: int | None
    eta_reason: str
    shown_start: int | None
    collects: int | None

    @property
    def is_reload(self) -> bool:
        return self.visit_kind == Visit.Kind.RELOAD

    @property
    def key(self) -> str:
        """The stop's id in the planner's problem."""
        return f"v{self.visit}"


class DropRow(NamedTuple):
    """One delivery's open part in a visit."""

    visit: int
    delivery: int
    is_hold: bool
    merchant: int
    state: str
    service: int
    earliest: int
    latest: int
    scanned: bool
    kind: str
    priority: int
    needs: list[str]
    lies_at: int | None
    at_shop: bool
    preferred_earliest: int | None
    preferred_latest: int | None

    @property
    def is_return(self) -> bool:
        """Collected at the customer's: nothing has to be on the van beforehand."""
        return self.kind == Delivery.Kind.RETURN

    @property
    def wish(self) -> tuple[int, int] | None:
        if self.preferred_earliest is None or self.preferred_latest is None:
            return None
        return self.preferred_earliest, self.preferred_latest

    @property
    def is_aboard(self) -> bool:
        return not self.is_return and is_on_van(self.state, scanned=self.scanned)


class DoneRow(NamedTuple):
    """A visit that a van has finished."""

    shift: int
    visit: int
    sequence: int
    visit_kind: str
    left: int | None
    latitude: float
    longitude: float

    @property
    def is_reload(self) -> bool:
        return self.visit_kind == Visit.Kind.RELOAD


class PlanRows(NamedTuple):
    plan: int | None
    shifts: list[ShiftRow]
    visits: list[VisitRow]
    drops: dict[int, list[DropRow]]
    done: dict[int, list[DoneRow]]
    """What each van has behind it, in order."""
    collected: dict[int, Load]
    """What was taken along at a finished visit, by visit."""
    promises: dict[int, tuple[int, int]]
    loads: dict[int, Load]
    freezes: dict[int, tuple[int, int]]


def read(*, depot: Depot, day: date, epoch: int, shift_id: int | None = None) -> PlanRows:
    """Everything a snapshot of a depot-day needs, or of one van of it, in at most ten queries."""
    shifts = shift_rows(depot, day, epoch, shift_id)
    plan = DayPlan.objects.filter(depot=depot, day=day).values_list("pk", flat=True).first()
    if plan is None:
        return PlanRows(None, shifts, [], {}, {}, {}, {}, {}, {})
    visits = Visit.objects.filter(plan=plan, state__in=REMAINING)
    if shift_id is not None:
        visits = visits.filter(route__shift=shift_id)
    departed = [row.route for row in shifts if row.departed is not None and row.route is not None]
    return PlanRows(
        plan,
        shifts,
        visit_rows(visits, epoch),
        _drops(plan, epoch, shift_id),
        _done(departed, epoch),
        _collected(departed),
        open_promises(plan, epoch, shift_id),
        _loads(plan, shift_id),
        freezes(),
    )


def is_on_van(state: str, *, scanned: bool) -> bool:
    """Whether a delivery belongs to the van that is to bring it: the first parcel scanned that day binds the rest."""
    return scanned or state in ON_A_VAN


def scanned_since(instant: datetime, delivery: str) -> Exists:
    """Whether a parcel of the delivery in that column was scanned onto a van since the instant, the day's midnight."""
    return Exists(Parcel.objects.filter(delivery=OuterRef(delivery), loaded_at__gte=instant))


def waits_at_shop(delivery: str) -> ExpressionWrapper:
    """Whether the delivery at the end of that path is still to be collected at its shop: no parcel was seen since."""
    seen = Parcel.objects.filter(delivery=OuterRef(f"{delivery}_id"), arrived_at__isnull=False)
    return ExpressionWrapper(Q(**{f"{delivery}__collect_from__isnull": False}) & ~Exists(seen), BooleanField())


def visit_rows(visits: QuerySet[Visit], epoch: int) -> list[VisitRow]:
    rows = visits.order_by("route__shift", "sequence", "pk").values_list(
        "pk",
        "route__shift_id",
        "sequence",
        "kind",
        "state",
        seconds_of("planned_arrival", epoch),
        seconds_of("eta_earliest", epoch),
        seconds_of("eta_latest", epoch),
        seconds_of("arrived_at", epoch),
        seconds_of("hold_until", epoch),
        seconds_of("window_earliest", epoch),
        seconds_of("window_latest", epoch),
        "unserved_reason",
        "place_id",
        "place__latitude",
        "place__longitude",
        "place__kind",
        "place__opening_hours",
        "place__merge_key",
        "place__postcode",
        "place__floor",
        "eta_reason",
        seconds_of("shown_start", epoch),
        "collects_id",
    )
    return [VisitRow._make(row) for row in rows]


def open_promises(plan: int, epoch: int, shift_id: int | None = None) -> dict[int, tuple[int, int]]:
    """Open promises of the plan's remaining deliveries, by delivery."""
    where = {"delivery__drops__visit__route__shift": shift_id} if shift_id is not None else {}
    rows = Promise.objects.filter(
        closed_at=None,
        delivery__drops__is_open=True,
        delivery__drops__visit__plan=plan,
        delivery__drops__visit__state__in=REMAINING,
        **where,
    ).values_list("delivery_id", seconds_of("earliest", epoch), seconds_of("latest", epoch))
    return {delivery: (earliest, latest) for delivery, earliest, latest in rows}


def promises_of(delivery_ids: Iterable[int], epoch: int) -> dict[int, tuple[int, int]]:
    rows = Promise.objects.filter(closed_at=None, delivery__in=list(delivery_ids)).values_list(
        "delivery_id", seconds_of("earliest", epoch), seconds_of("latest", epoch)
    )
    return {delivery: (earliest, latest) for delivery, earliest, latest in rows}


def load_of(parcels: Iterable[tuple[int, int, int, int]]) -> Load:
    """The load of parcels given as (grams, length, width, height in millimetres)."""
    grams = volume = pieces = 0
    for weight, length, width, height in parcels:
        grams += weight
        volume += length * width * height // 1000
        pieces += 1
    return Load(grams, volume, pieces)


def _drops(plan: int, epoch: int, shift_id: int | None) -> dict[int, list[DropRow]]:
    where = {"visit__route__shift": shift_id} if shift_id is not None else {}
    rows = (
        Drop.objects.filter(is_open=True, visit__plan=plan, visit__state__in=REMAINING, **where)
        .order_by("pk")
        .values_list(
            "visit_id",
            "delivery_id",
            "is_hold",
            "delivery__merchant_id",
            "delivery__state",
            "delivery__service_seconds",
            seconds_of("delivery__window_earliest", epoch),
            seconds_of("delivery__window_latest", epoch),
            scanned_since(datetime.fromtimestamp(epoch, UTC), "delivery_id"),
            "delivery__kind",
            "delivery__priority",
            "delivery__needs",
            "lies_at",
            waits_at_shop("delivery"),
            seconds_of("delivery__preferred_earliest", epoch),
            seconds_of("delivery__preferred_latest", epoch),
        )
    )
    found: dict[int, list[DropRow]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(DropRow._make(row))
    return dict(found)


def _done(routes: list[int], epoch: int) -> dict[int, list[DoneRow]]:
    if not routes:
        return {}
    rows = (
        Visit.objects.filter(route__in=routes)
        .exclude(state__in=REMAINING)
        .order_by("sequence")
        .values_list(
            "route__shift_id",
            "pk",
            "sequence",
            "kind",
            seconds_of("left_at", epoch),
            "place__latitude",
            "place__longitude",
        )
    )
    found: dict[int, list[DoneRow]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(DoneRow._make(row))
    return dict(found)


def _collected(routes: list[int]) -> dict[int, Load]:
    """Returns that vans have on board, by the visit where they were collected."""
    if not routes:
        return {}
    taken = Drop.objects.filter(visit__route__in=routes, visit__state=Visit.State.DONE).filter(
        delivery__kind=Delivery.Kind.RETURN, delivery__state=State.RETURNING
    )
    rows = weighed(Parcel.objects.filter(delivery__in=taken.values("delivery")))
    return {visit: rows[delivery] for visit, delivery in taken.values_list("visit", "delivery") if delivery in rows}


def _loads(plan: int, shift_id: int | None) -> dict[int, Load]:
    where = {"visit__route__shift": shift_id} if shift_id is not None else {}
    drops = Drop.objects.filter(is_open=True, visit__plan=plan, visit__state__in=REMAINING, **where)
    return weighed(Parcel.objects.filter(delivery__in=drops.values("delivery")))


def weighed(parcels: QuerySet[Parcel]) -> dict[int, Load]:
    """The load of each delivery that these parcels belong to."""
    volume = F("length_millimetres") * F("width_millimetres") * F("height_millimetres") / 1000
    rows = parcels.values_list("delivery_id").annotate(
        grams=Sum("weight_grams"), volume=Sum(volume, output_field=BigIntegerField()), pieces=Count("pk")
    )
    return {delivery: Load(grams, volume, pieces) for delivery, grams, volume, pieces in rows}


def freezes() -> dict[int, tuple[int, int]]:
    """Per merchant: how many next stops are frozen, and how many seconds before arrival."""
    rows = Policy.objects.values_list("merchant_id", "freeze_stops", "cutoff_minutes")
    return {merchant: (stops, minutes * 60) for merchant, stops, minutes in rows}
