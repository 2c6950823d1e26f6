import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.events.selectors import health


class Command(BaseCommand):
    help = "Prints how the outbox is doing as JSON; fails when due work has been waiting for a minute."

    def handle(self, *args: Any, **options: Any) -> None:
        state = health()
        self.stdout.write(json.dumps(state.as_dict()))
        if not state.is_healthy:
            raise CommandError(f"Work has been due for {state.oldest_due_seconds:.0f} s: does `manage.py work` run?")
