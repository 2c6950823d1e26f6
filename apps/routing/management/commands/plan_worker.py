"""Runs the planner's lane of the outbox, with the planner child that keeps the solver warm."""

import logging
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from apps.events.services import sweep
from apps.routing.planner.worker import PlannerUnavailable
from apps.routing.planner_child import child

PAUSE_SECONDS = 0.1
PAUSE_AFTER_ERROR_SECONDS = 1.0
log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Improves day plans as they change, until it is told to stop (SIGTERM)."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        try:
            child().start()
        except PlannerUnavailable:
            log.exception("The planner child does not start; the next change tries again.")
        try:
            while not stop.is_set():
                stop.wait(self._turn())
        finally:
            child().close()

    def _turn(self) -> float:
        """One look at the lane; how long to wait before the next."""
        close_old_connections()
        try:
            return 0.0 if sweep(lane="planner", limit=1, seconds=1.0) else PAUSE_SECONDS
        except DatabaseError:
            log.exception("The planner's lane cannot be read.")
            return PAUSE_AFTER_ERROR_SECONDS
