"""What the plan does when its time has come: improve itself, let a hold go, look at the clock again."""

from typing import Any

from apps.events.services import react
from apps.routing.models import DayPlan
from apps.routing.services import (
    ByHand,
    build_ahead,
    build_day,
    close_day,
    close_if_over,
    improve_plan,
    keep_out,
    keep_rolling,
    keep_watching,
    learn_tonight,
    prepare,
    publish,
    release_hold,
    roll_forward,
    watch_day,
    work_out,
)

FILL_HANDLER = "apps.routing.handlers.fill_day"
KEEP_OUT_HANDLER = "apps.routing.handlers.keep_vans_out"
LEARN_HANDLER = "apps.routing.handlers.learn"


def replan(payload: dict[str, Any]) -> None:
    """Improves a depot-day's standing plan; runs in the planner lane, where the solver is warm."""
    improve_plan(plan_id=payload["plan"], reason=payload.get("reason", "change"))


def replan_by_hand(payload: dict[str, Any]) -> None:
    """A dispatcher asked for the whole day to be looked at."""
    by_hand = ByHand(payload["mode"], payload["policy"])
    improve_plan(plan_id=payload["plan"], reason="dispatcher", by_hand=by_hand)


def work_out_preview(payload: dict[str, Any]) -> None:
    """A dispatcher wants to see what a re-plan, or another draft, would change."""
    work_out(preview_id=payload["preview"])


def on_zone_changed(_payload: dict[str, Any]) -> None:
    """What some vans may no longer bring finds others; snapshots are the planner's work."""
    react(KEEP_OUT_HANDLER, lane="planner", dedupe_key="keep-out")


def keep_vans_out(_payload: dict[str, Any]) -> None:
    """Every plan from today on, against the zones as they are drawn now."""
    keep_out()


def prepare_day(payload: dict[str, Any]) -> None:
    """The day's matrix files, made where the planner lives: web processes ask the network only for single places."""
    plan = DayPlan.objects.select_related("depot").get(pk=payload["plan"])
    prepare(depot=plan.depot, day=plan.day)


def build_draft(payload: dict[str, Any]) -> None:
    """The evening before, and once more before it counts where the draft has changed: the solvers' plan of the day."""
    build_ahead(plan=DayPlan.objects.select_related("depot").get(pk=payload["plan"]), seen=payload.get("seen"))


def publish_day(payload: dict[str, Any]) -> None:
    """The morning of the day: from now on the plan counts, and what came in since it was built is taken in."""
    plan = DayPlan.objects.get(pk=payload["plan"])
    publish(plan=plan)
    # Matrices are the planner's work; nobody waits for them to be told of the plan.
    react(FILL_HANDLER, plan_id=plan.pk, lane="planner", dedupe_key=f"fill:{plan.pk}")


def fill_day(payload: dict[str, Any]) -> None:
    """Puts what is due and in no route into the plan where it fits, and tells whom no van brings."""
    plan = DayPlan.objects.select_related("depot").get(pk=payload["plan"])
    build_day(depot=plan.depot, day=plan.day)


def close_day_of(payload: dict[str, Any]) -> None:
    """The evening: nobody waits any longer for a van that is back."""
    close_day(plan=DayPlan.objects.get(pk=payload["plan"]))


def watch_day_of(payload: dict[str, Any]) -> None:
    """Long stops and late vans become incidents; asked for again as long as a van is out."""
    plan = DayPlan.objects.select_related("depot").get(pk=payload["plan"])
    watch_day(plan=plan)
    keep_watching(plan_id=plan.pk)


def on_night_begun(_payload: dict[str, Any]) -> None:
    """Fitting takes seconds: it is the planner process's work."""
    react(LEARN_HANDLER, lane="planner", dedupe_key="learn")


def learn(_payload: dict[str, Any]) -> None:
    """A new model of service and driving times from what the past days' stops really took."""
    learn_tonight()


def expire_hold(payload: dict[str, Any]) -> None:
    """The customer has not made up their mind in time."""
    release_hold(visit_id=payload["visit"])


def roll_on(payload: dict[str, Any]) -> None:
    """Expected times as of now; asked for by a position or by the passing of time."""
    if close_if_over(route_id=payload["route"]):
        return
    roll_forward(route_id=payload["route"])
    if payload.get("again"):
        keep_rolling(route_id=payload["route"])
