"""Builds a depot's plan of a day."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.routing.management.progress import ProgressBar, depot_and_day
from apps.routing.models import Visit
from apps.routing.planner.worker import PlannerFailed, PlannerUnavailable
from apps.routing.planner_child import child
from apps.routing.services import build_day, publish


class Command(BaseCommand):
    help = "Builds the plan of a depot's day from every delivery that is due then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--depot", required=True, help="code of the depot")
        parser.add_argument("--day", required=True, help="such as 2026-03-10")
        parser.add_argument("--seconds", type=float, default=20.0, help="how long the solver may search")
        parser.add_argument("--publish", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        depot, day = depot_and_day(options)
        bar = ProgressBar(self.stderr)
        try:
            plan = build_day(depot=depot, day=day, seconds=options["seconds"], hear=bar.hear, aside=True)
        except KeyboardInterrupt:
            raise CommandError("Cancelled. The plan stands as it was.") from None
        except (PlannerUnavailable, PlannerFailed) as error:
            raise CommandError(f"The planner gave no answer ({error}). The plan stands as it was.") from None
        finally:
            bar.end()
            child().close()
        if options["publish"]:
            publish(plan=plan)
        visits = Visit.objects.filter(plan=plan)
        left, routes = visits.filter(route=None).count(), plan.routes.count()
        self.stdout.write(
            f"{plan}: {visits.count() - left} visits on {routes} routes, {left} without one,"
            f" travel times by {plan.travel_source}."
        )
