"""Looks for a better plan of a depot's day, and takes it over if it is worth the unrest."""

from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.routing.management.progress import ProgressBar, depot_and_day
from apps.routing.models import DayPlan, Replan
from apps.routing.planner.worker import PlannerFailed, PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.services import ByHand, improve_plan, preview_plan
from apps.routing.services.improve_plan import MODES
from apps.routing.services.preview import Move


class Command(BaseCommand):
    help = "Looks for a better plan of a depot's day. Ctrl-C leaves the plan as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--depot", required=True, help="code of the depot")
        parser.add_argument("--day", required=True, help="such as 2026-03-10")
        parser.add_argument("--mode", choices=MODES, default="", help="how far; default: as the depot is set")
        parser.add_argument("--policy", choices=("calm", "thrifty"), default="", help="default: as the depot is set")
        parser.add_argument("--seconds", type=float, default=None, help="how long it may search")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        depot, day = depot_and_day(options)
        plan = DayPlan.objects.filter(depot=depot, day=day).first()
        if plan is None:
            raise CommandError(f"There is no plan of {depot} for {day}.")
        bar = ProgressBar(self.stderr)
        wish = ByHand(options["mode"], options["policy"], options["seconds"], bar.hear)
        preview = outcome = None
        try:
            if options["dry_run"]:
                preview = preview_plan(plan_id=plan.pk, by_hand=wish)
            else:
                outcome = improve_plan(plan_id=plan.pk, reason="command", by_hand=wish)
        except KeyboardInterrupt:
            raise CommandError("Cancelled. The plan stands as it was.") from None
        except (PlannerUnavailable, PlannerFailed) as error:
            raise CommandError(f"The planner gave no answer ({error}). The plan stands as it was.") from None
        finally:
            bar.end()
            child().close()
        if preview is not None:
            outcome = preview.outcome
            for move in preview.moves:
                self.stdout.write(_moved(move, ZoneInfo(depot.time_zone)))
        self.stdout.write(_told(outcome) if outcome else "No van of that day has a route that could change.")


def _moved(move: Move, zone: ZoneInfo) -> str:
    """One visit before and after, such as: visit 12: van-1 10:05 -> van-2 10:31 (+26 min, other_van)."""
    ends = [
        f"{van or 'no van'}{f' {at.astimezone(zone):%H:%M}' if at else ''}"
        for van, at in ((move.van_before, move.before), (move.van_after, move.after))
    ]
    minutes = "" if move.minutes is None else f"{move.minutes:+d} min, "
    return f"visit {move.visit}: {ends[0]} -> {ends[1]} ({minutes}{move.cause})"


def _told(outcome: Replan) -> str:
    """What became of it, in one line."""
    cost = f"cost {outcome.cost_before} -> {outcome.cost_after}"
    churn = (
        f"{outcome.moved_over_5_minutes} stops move by more than 5 minutes, {outcome.moved_over_10_minutes} by more"
        f" than 10, {outcome.vans_changed} change vans, {outcome.reordered} change their turn"
    )
    return f"{outcome.mode}, {outcome.policy}: {outcome.outcome} ({outcome.detail}), {cost}; {churn}."
