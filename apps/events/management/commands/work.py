from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.events.supervisor import AlreadyRunning, Supervisor


class Command(BaseCommand):
    help = "Runs the worker pool and the slow, webhooks' and planner's lanes. Stop it with TERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="", help="a name of its own for each further worker machine")
        parser.add_argument("--deadline", type=float, default=6.0, help="seconds the pool may stay silent (6)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            supervisor = Supervisor(options["name"], options["deadline"])
        except AlreadyRunning as error:
            raise CommandError(f"manage.py work runs already for this database ({error}).") from None
        supervisor.run()
