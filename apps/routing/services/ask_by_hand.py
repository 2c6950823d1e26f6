"""A dispatcher's wish: look at the whole day now."""

from apps.events.services import react
from apps.routing.models import DayPlan

HANDLER = "apps.routing.handlers.replan_by_hand"


def ask_by_hand(*, plan: DayPlan, mode: str = "", policy: str = "") -> None:
    """Lets the planner look at every route, in this mode and by this policy ("": as the depot is set)."""
    react(
        HANDLER,
        payload={"mode": mode, "policy": policy},
        plan_id=plan.pk,
        lane="planner",
        dedupe_key=f"replan-by-hand:{plan.pk}",
    )
