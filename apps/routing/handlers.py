"""What the plan does when its time has come: improve itself, let a hold go, look at the clock again."""

from typing import Any

from apps.routing.services import improve_plan, keep_rolling, release_hold, roll_forward


def replan(payload: dict[str, Any]) -> None:
    """Improves a depot-day's standing plan; runs in the planner lane, where the solver is warm."""
    improve_plan(plan_id=payload["plan"], reason=payload.get("reason", "change"))


def expire_hold(payload: dict[str, Any]) -> None:
    """The customer has not made up their mind in time."""
    release_hold(visit_id=payload["visit"])


def roll_on(payload: dict[str, Any]) -> None:
    """Expected times as of now; asked for by a position or by the passing of time."""
    roll_forward(route_id=payload["route"])
    if payload.get("again"):
        keep_rolling(route_id=payload["route"])
