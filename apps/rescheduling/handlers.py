"""What rescheduling does when a day is over."""

from typing import Any

from apps.rescheduling.services import roll_over
from apps.routing.models import DayPlan


def on_day_closed(payload: dict[str, Any]) -> None:
    """What came back, and what no van took, gets another day."""
    roll_over(plan=DayPlan.objects.select_related("depot").get(pk=payload["plan"]))
