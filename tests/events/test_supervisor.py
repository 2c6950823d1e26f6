"""`manage.py work` under kill -9: nothing lost, nothing doubled, healthy again by itself, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django_q.models import OrmQ

from apps.events.models import Reaction
from apps.events.services import react
from tests.events.effects import effects, effects_table

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.kills, pytest.mark.real_clock]
# A busy machine is slow, not broken: these only bound how long a failure takes to show.
PATIENCE_SECONDS = 60.0


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def children(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def family(pid: int) -> set[int]:
    return {pid}.union(*(family(child) for child in children(pid)))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def sleepers_in_pipe(pids: list[int]) -> list[int]:
    """The processes that hold the queue's read lock and wait for its next task (the others wait for the lock)."""
    return [pid for pid in pids if "pipe" in Path(f"/proc/{pid}/wchan").read_text()]


class Work:
    """A running `manage.py work` and the load that a shop would put on it."""

    def __init__(self, run_dir: Path) -> None:
        self.environment = {**os.environ, "DATABASE_URL": database_url(), "RUN_DIR": str(run_dir), "LOG_LEVEL": "ERROR"}
        self.asked = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "manage.py", "work"]
        self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=self.environment)

    def ask(self) -> None:
        lane = "slow" if self.asked % 5 == 4 else "fast"
        react("tests.events.effects.record", payload={"key": str(self.asked)}, lane=lane)
        self.asked += 1

    def load_until(self, condition: Callable[[], bool], what: str) -> None:
        """Asks for work five times a second until the condition holds."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < ends, f"waited in vain until {what}"
            self.ask()
            time.sleep(0.2)

    def settle(self) -> None:
        """Waits until everything asked for is done, by the pool alone."""
        ends = time.monotonic() + PATIENCE_SECONDS
        # The night's round waits for the night.
        undone = Reaction.objects.exclude(state="done").exclude(handler="apps.events.handlers.on_night")
        while undone.exists():
            assert time.monotonic() < ends, f"left undone: {undone.count()}"
            time.sleep(0.1)

    def child(self, command: str) -> int:
        """The process of the moment that runs this command, or 0."""
        for pid in children(self.process.pid):
            with suppress(FileNotFoundError):
                if command.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return 0

    def pool(self) -> int:
        return self.child("qcluster")

    def sentinel(self) -> int:
        return next(iter(children(self.pool())), 0)

    def parts(self) -> list[int]:
        """Two workers, the monitor, the pusher: in the order in which django-q2 starts them."""
        return sorted(children(self.sentinel()))

    def works(self) -> bool:
        """True when a reaction asked for now is done within a second and a half, as a tick or nudge would do it."""
        before = self.asked
        self.ask()
        ends = time.monotonic() + 1.5
        while time.monotonic() < ends:
            if str(before) in effects():
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with effects_table():
        running = Work(tmp_path)
        try:
            running.load_until(running.works, "the pool works for the first time")
            yield running
        finally:
            everybody = family(running.process.pid)
            running.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(12)
            for pid in everybody:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            running.process.wait()
            OrmQ.objects.all().delete()


def expect_all_once(work: Work) -> None:
    work.settle()
    assert effects() == {str(number): 1 for number in range(work.asked)}


@pytest.mark.parametrize("victim", ["idle worker", "monitor and slow lane"])
def test_a_kill_that_leaves_the_pool_deaf_is_healed(work: Work, victim: str) -> None:
    work.load_until(lambda: len(work.parts()) == 4, "the pool is whole")
    deaf, parts = work.pool(), work.parts()
    # Until its first tick has been seen to pass, a pool is given time to start.
    started = time.monotonic()
    work.load_until(lambda: time.monotonic() - started > 2.5, "a tick has passed")
    work.settle()
    if victim == "idle worker":
        for pid in sleepers_in_pipe(parts[:2]) or parts[:2]:
            os.kill(pid, signal.SIGKILL)
    else:
        os.kill(parts[2], signal.SIGKILL)
        os.kill(work.child("sweep"), signal.SIGKILL)
    work.load_until(lambda: work.pool() not in (deaf, 0), "the deaf pool is replaced")
    work.load_until(work.works, "the new pool works")
    expect_all_once(work)
    assert not any(is_running(pid) for pid in (deaf, *parts))


def test_the_supervisor_may_be_killed_or_stopped_but_not_doubled(work: Work) -> None:
    command = [sys.executable, "manage.py", "work"]
    second = subprocess.run(command, cwd=settings.BASE_DIR, env=work.environment, capture_output=True, timeout=60)
    assert second.returncode == 1
    assert b"runs already" in second.stderr

    everybody = family(work.process.pid)
    assert len(everybody) >= 8
    work.process.kill()
    work.process.wait()
    work.load_until(lambda: not any(is_running(pid) for pid in everybody), "the orphans have ended")

    work.start()
    work.load_until(work.works, "the next supervisor's pool works")
    expect_all_once(work)

    everybody = family(work.process.pid)
    started = time.monotonic()
    work.process.terminate()
    assert work.process.wait(20) == 0
    assert time.monotonic() - started < 10
    assert not any(is_running(pid) for pid in everybody)
