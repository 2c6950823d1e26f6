"""What others may ask about the fleet."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Max, Min, Q, QuerySet

from apps.core.time_windows import TimeWindow
from apps.fleet.models import Depot, Shift


def shifts_of(depot: Depot) -> QuerySet[Shift]:
    """The roster of the depot and its micro depots."""
    return Shift.objects.filter(Q(vehicle__depot=depot) | Q(vehicle__depot__parent=depot))


def roster_hours(*, depot: Depot, days: Iterable[date]) -> dict[date, TimeWindow]:
    """From when until when anybody of the depot drives, by day; days without a roster are missing."""
    rows = (
        shifts_of(depot).filter(day__in=list(days)).values("day").annotate(first=Min("starts_at"), last=Max("ends_at"))
    )
    return {row["day"]: TimeWindow(row["first"], row["last"]) for row in rows}
