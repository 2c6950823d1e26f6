"""What the plan does when its time has come: improve itself, let a hold go, look at the clock again."""

from typing import Any

from apps.routing.models import DayPlan
from apps.routing.services import build_day, close_day, improve_plan, keep_rolling, publish, release_hold, roll_forward


def replan(payload: dict[str, Any]) -> None:
    """Improves a depot-day's standing plan; runs in the planner lane, where the solver is warm."""
    improve_plan(plan_id=payload["plan"], reason=payload.get("reason", "change"))


def publish_day(payload: dict[str, Any]) -> None:
    """The morning of the day: what came in since the plan was built is taken in, and from now on the plan counts."""
    plan = DayPlan.objects.select_related("depot").get(pk=payload["plan"])
    if plan.stage == DayPlan.Stage.DRAFT:
        build_day(depot=plan.depot, day=plan.day)
        publish(plan=plan)


def close_day_of(payload: dict[str, Any]) -> None:
    """The evening: nobody waits any longer for a van that is back."""
    close_day(plan=DayPlan.objects.get(pk=payload["plan"]))


def expire_hold(payload: dict[str, Any]) -> None:
    """The customer has not made up their mind in time."""
    release_hold(visit_id=payload["visit"])


def roll_on(payload: dict[str, Any]) -> None:
    """Expected times as of now; asked for by a position or by the passing of time."""
    roll_forward(route_id=payload["route"])
    if payload.get("again"):
        keep_rolling(route_id=payload["route"])
