"""What others may ask about the fleet."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Max, Min

from apps.core.time_windows import TimeWindow
from apps.fleet.models import Depot, Shift


def roster_hours(*, depot: Depot, days: Iterable[date]) -> dict[date, TimeWindow]:
    """From when until when anybody of the depot drives, by day; days without a roster are missing."""
    rows = (
        Shift.objects.filter(vehicle__depot=depot, day__in=list(days))
        .values("day")
        .annotate(first=Min("starts_at"), last=Max("ends_at"))
    )
    return {row["day"]: TimeWindow(row["first"], row["last"]) for row in rows}
