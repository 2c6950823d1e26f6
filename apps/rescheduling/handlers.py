"""What rescheduling does when a day is over, and when somebody waits for a window to be searched for."""

from typing import Any

from apps.rescheduling.services import answer_request as answer
from apps.rescheduling.services import roll_over
from apps.routing.models import DayPlan


def on_day_closed(payload: dict[str, Any]) -> None:
    """What came back, and what no van took, gets another day."""
    roll_over(plan=DayPlan.objects.select_related("depot").get(pk=payload["plan"]))


def answer_request(payload: dict[str, Any]) -> None:
    """Runs in the planner's lane: only there is the solver."""
    answer(request_id=payload["request"])
