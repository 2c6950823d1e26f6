import signal
from argparse import ArgumentParser
from time import sleep
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from apps.events.models import Reaction
from apps.events.tasks import sweep

POLL_SECONDS = 0.25
# Shorter than the lane's lease, so that a handler is given up before somebody else may start it.
HANDLER_SECONDS = 60.0


class HandlerTimedOut(Exception):
    """A handler took longer than a lane allows; it is tried again later."""


class Command(BaseCommand):
    help = "Runs one lane of the outbox until TERM. `manage.py work` starts this for the slow lane and for webhooks."
    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lane", choices=Reaction.Lane.values, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGALRM, self._time_out)
        while not self.stopping:
            close_old_connections()
            signal.setitimer(signal.ITIMER_REAL, HANDLER_SECONDS)
            ran = sweep(options["lane"], limit=1)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if not ran:
                sleep(POLL_SECONDS)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _time_out(self, _number: int, _frame: FrameType | None) -> None:
        raise HandlerTimedOut
