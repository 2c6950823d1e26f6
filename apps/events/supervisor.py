"""Keeps the worker processes at work through any kill, including those that leave django-q2 alive but deaf."""

import fcntl
import hashlib
import logging
import os
import signal
from pathlib import Path
from time import monotonic, sleep
from types import FrameType

from django.conf import settings
from django.core.management import get_commands
from django.db import connection
from django_q.conf import Conf

from apps.events import nights
from apps.events.canary import Canary
from apps.events.groups import Group
from apps.events.models import Reaction

log = logging.getLogger(__name__)
TICK_SECONDS = 1.0
LOOK_SECONDS = 0.2
STOP_SECONDS = 8.0
# Lanes that wait for other people's servers. Webhooks are apart: a shop's slow endpoint must not hold up a code.
OWN_PROCESS = (Reaction.Lane.SLOW, Reaction.Lane.WEBHOOKS)
LONGEST_RESTART_PAUSE_SECONDS = 5.0


class AlreadyRunning(RuntimeError):
    """Another supervisor works on this database from this machine."""


def run_folder() -> Path:
    """Where this database's locks lie: one folder per database, so that two installs on a machine do not meet."""
    database = connection.settings_dict
    name = "|".join(str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME"))
    folder = Path(settings.RUN_DIR) / hashlib.sha256(name.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Supervisor:
    """The parent of the worker pool, of the lanes with a process of their own and, if installed, of the planner."""

    def __init__(self, cluster: str = "", deadline_seconds: float = 6.0) -> None:
        self.cluster = cluster or Conf.CLUSTER_NAME
        folder = run_folder() / self.cluster
        folder.mkdir(exist_ok=True)
        self._own_lock = _lock(folder / "supervisor.lock")
        # The supervisor's own start has run the checks; a pool that is being healed need not.
        name = {"Q_CLUSTER_NAME": self.cluster} if cluster else {}
        self.pool = Group("pool", ["qcluster", "--skip-checks"], folder, name)
        self.groups = [
            self.pool,
            *(Group(lane.value, ["sweep", "--lane", lane.value, "--skip-checks"], folder) for lane in OWN_PROCESS),
        ]
        if "plan_worker" in get_commands():
            self.groups.append(Group("planner", ["plan_worker", "--skip-checks"], folder))
        self.canary = Canary(self.cluster, deadline_seconds)
        self._pauses = dict.fromkeys((group.name for group in self.groups), 0.0)
        self._stopping = False

    def run(self) -> None:
        """Works until TERM or INT; ends within ten seconds, leaving no process behind."""
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        self.canary.forget_nudges()
        nights.wind()
        try:
            for group in self.groups:
                group.start()
            self.canary.restart()
            next_tick = monotonic()
            while not self._stopping:
                self._revive()
                if monotonic() >= next_tick:
                    next_tick = monotonic() + TICK_SECONDS
                    self._listen()
                sleep(LOOK_SECONDS)
        finally:
            self._stop()

    def _revive(self) -> None:
        for group in self.groups:
            if group.is_alive():
                continue
            if self._pauses[group.name] == 0.0:
                code = group.process.returncode if group.process else None
                log.error("%s ended with %s; starting it anew", group.name, code)
                lived = monotonic() - group.started
                self._pauses[group.name] = monotonic() + (0.0 if lived > LONGEST_RESTART_PAUSE_SECONDS else 1.0)
            if monotonic() >= self._pauses[group.name]:
                self._restart(group)

    def _listen(self) -> None:
        if self.pool.is_alive() and not self.canary.is_answering():
            log.error("The worker pool is alive but does not work; killing its process group")
            self._restart(self.pool)

    def _restart(self, group: Group) -> None:
        group.kill()
        if group is self.pool:
            self.canary.forget_nudges()
        group.start()
        self._pauses[group.name] = 0.0
        if group is self.pool:
            self.canary.restart()

    def _stop(self) -> None:
        for group in self.groups:
            group.ask_to_stop()
        ends = monotonic() + STOP_SECONDS
        while monotonic() < ends and any(group.is_alive() for group in self.groups):
            sleep(0.05)
        for group in self.groups:
            group.kill()
        os.close(self._own_lock)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _lock(file: Path) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(str(file)) from None
    return descriptor
