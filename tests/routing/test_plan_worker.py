"""The planner's own process: it improves what changed and leaves when it is told to."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep

import pytest
from django.conf import settings
from django.db import connections

from apps.core import clock
from apps.routing.models import Replan
from tests import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.planner, pytest.mark.real_clock]


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    ends = monotonic() + seconds
    while monotonic() < ends:
        if true():
            return True
        sleep(0.1)
    return False


def database_url() -> str:
    chosen = connections["default"].settings_dict
    if chosen["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{chosen['NAME']}"
    return f"postgres://{chosen['USER']}:{chosen['PASSWORD']}@{chosen['HOST']}:{chosen['PORT']}/{chosen['NAME']}"


def test_it_improves_the_plan_within_seconds_of_a_change_and_ends_cleanly():
    tomorrow = clock.now().date() + timedelta(days=1)
    environment = {**os.environ, "DATABASE_URL": database_url()}
    worker = subprocess.Popen([sys.executable, "manage.py", "plan_worker"], cwd=settings.BASE_DIR, env=environment)
    try:
        world.planned_day(vans=2, day=tomorrow, window=world.hours(8, 18, tomorrow))
        assert until(lambda: Replan.objects.exclude(outcome="planner_down").exists())
        assert Replan.objects.latest("pk").outcome in ("applied", "kept", "infeasible")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    finally:
        worker.kill()
        worker.wait()
