"""A process group that is never started beside the orphans of its predecessor."""

import fcntl
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from django.conf import settings

log = logging.getLogger(__name__)
_ORPHANS_END_WITHIN_SECONDS = 10.0


class Group:
    """One management command in a session of its own, together with everything it forks."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.command = command
        self.lock_file = folder / f"{name}.lock"
        self.environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def start(self) -> None:
        """Clears orphans away and starts the command; RuntimeError when orphans will not go."""
        lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._clear_orphans(lock)
            os.ftruncate(lock, 0)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "apps.events.child", str(lock), str(os.getpid()), *self.command],
                cwd=settings.BASE_DIR,
                env=self.environment,
                start_new_session=True,
                pass_fds=[lock],
                stdin=subprocess.DEVNULL,
            )
        finally:
            # Closing this copy does not release the lock: the child's copy is the same open file.
            os.close(lock)
        self.started = monotonic()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """TERM to the parent alone: sent to the whole group it makes django-q2 hang."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Ends every process of the group now."""
        if self.process is None or (not self.is_alive() and self._is_gone()):
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _is_gone(self) -> bool:
        """True when the lock is free; then the group's number may belong to somebody else by now."""
        lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(lock)

    def _clear_orphans(self, lock: int) -> None:
        ends = monotonic() + _ORPHANS_END_WITHIN_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() > ends:
                    raise RuntimeError(
                        f"{self.name}: an earlier process holds {self.lock_file} and will not end."
                    ) from None
                group = os.pread(lock, 20, 0).strip()
                if group:
                    log.warning("%s: killing the orphans of process group %s", self.name, group.decode())
                    with suppress(ProcessLookupError):
                        os.killpg(int(group), signal.SIGKILL)
                sleep(0.05)
            else:
                return
