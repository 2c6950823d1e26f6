"""The long-lived planner child: solves with ortools and NumPy already imported, and may be killed at any time.

`python -m apps.routing.planner.worker` reads jobs from standard input and writes answers to standard output (see
`pipe`); `Child` is the parent's side. The parent is trusted: it starts the child and owns both ends of the pipes.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from apps.routing.planner.jobs import Job, LongJob
from apps.routing.planner.limits import Hear
from apps.routing.planner.pipe import PipeClosed, PipeSlow, receive, send, waiting
from apps.routing.planner.travel import TravelError

ROOT: Final = Path(__file__).resolve().parents[3]
START_SECONDS: Final = 30.0
"""How long the imports may take on a busy machine."""


_JOB_ERRORS: Final = (
    TravelError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a job may raise without ending the child; anything else is a death, and the parent starts a new one."""


class PlannerUnavailable(Exception):
    """The child died, or did not answer in time, or could not be started. The standing plan stands; ask again later."""


class PlannerFailed(Exception):
    """A job raised what it should not; the child lives on. The text is the child's own."""


class Answer(NamedTuple):
    """What comes back: the value, or the exception (`failed`), and the child's peak memory so far."""

    failed: bool
    value: object
    peak_rss_mb: float


class Progress(NamedTuple):
    """How far a long job is: the part done, and the best cost so far where it is known."""

    fraction: float
    best: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """A job whose progress the parent wants to hear of."""

    job: LongJob[object]


@dataclass(frozen=True, slots=True)
class Cancel:
    """The parent's wish that the job it waits for end now, with the best found so far."""


class Child:
    """The parent's side. Started on the first question, restarted after every death; one question at a time."""

    def __init__(self, *, recycle_mb: float = 1500.0, start_seconds: float = START_SECONDS) -> None:
        self.recycle_mb = recycle_mb
        self.start_seconds = start_seconds
        self.peak_rss_mb = 0.0
        self.starts = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    @property
    def pid(self) -> int | None:
        """The living child's process id."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask[Value](self, job: Job[Value] | LongJob[Value], limit_seconds: float, hear: Hear | None = None) -> Value:
        """Run the job in the child. It is killed when it takes more than twice the limit.

        With `hear`, a long job tells how far it is, a few times a second, in this thread; True asks it to end with what
        it has. Raises PlannerUnavailable (dead, killed, too slow), PlannerFailed, or a typed error of the planner.
        """
        with self._lock:
            answer = self._exchange(job if hear is None else Told(job), 2 * limit_seconds, hear)  # type: ignore[arg-type]
        if answer.failed:
            raise answer.value if isinstance(answer.value, Exception) else PlannerFailed(str(answer.value))
        return answer.value  # type: ignore[return-value]

    def start(self) -> None:
        """Start and warm the child now, so that the first question is quick. PlannerUnavailable when it will not."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the child. A later question starts a new one."""
        with self._lock:
            self._kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, job: object, seconds: float, hear: Hear | None) -> Answer:
        process = self._running()
        deadline = time.monotonic() + seconds
        answer: Answer | None = None
        try:
            send(_fileno(process.stdin), job, deadline)
            answer = self._answer_of(process, deadline, hear)
        except (PipeClosed, PipeSlow, OSError) as error:
            raise PlannerUnavailable(f"the planner child {_said(error)}") from error
        finally:
            if answer is None or answer.peak_rss_mb > self.recycle_mb:
                self._kill()  # without an answer the pipe may hold half a frame: never use it again
        self.peak_rss_mb = max(self.peak_rss_mb, answer.peak_rss_mb)
        return answer

    def _answer_of(self, process: subprocess.Popen[bytes], deadline: float, hear: Hear | None) -> Answer:
        """The answer; what the child tells on the way goes to whoever listens."""
        cancelled = False
        while isinstance(said := receive(_fileno(process.stdout), deadline), Progress):
            if hear is not None and hear(*said) and not cancelled:
                cancelled = True
                send(_fileno(process.stdin), Cancel(), deadline)
        answer: Answer = said
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            self._process, self._owner = None, os.getpid()  # we are a fork: the child is our parent's
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._kill()
        ready = False
        try:
            self._process = process = _spawn()
            self.starts += 1
            receive(_fileno(process.stdout), time.monotonic() + self.start_seconds)
            ready = True
        except (PipeClosed, PipeSlow, OSError) as error:
            raise PlannerUnavailable(f"the planner child could not be started: it {_said(error)}") from error
        finally:
            if not ready:
                self._kill()
        return process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _spawn() -> subprocess.Popen[bytes]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "apps.routing.planner.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,  # a Ctrl-C at the terminal is the parent's business
        bufsize=0,
    )


def _fileno(stream: object) -> int:
    return stream.fileno()  # type: ignore[attr-defined,no-any-return]


def _said(error: Exception) -> str:
    return "took more than twice its limit and was killed" if isinstance(error, PipeSlow) else "died"


def main() -> None:
    """The child: warm up, say so, then answer until the parent is gone."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # whatever a solver prints must not land in the answers
    _end_with(os.getppid())
    importlib.import_module("apps.routing.planner.ortools_model")  # the first job must not pay for it
    try:
        send(sink, "ready")
        while True:
            job = receive(source)
            if not isinstance(job, Cancel):  # a late one, for a job that is done
                send(sink, _answer(job, source, sink))
    except PipeClosed:
        return


def _answer(job: Job[object] | Told, source: int, sink: int) -> Answer:
    def hear(fraction: float, best: int | None) -> bool:
        send(sink, Progress(fraction, best))
        return waiting(source) and isinstance(receive(source), Cancel)

    try:
        value = job.job.run(hear) if isinstance(job, Told) else job.run()
        return Answer(False, value, _peak())
    except _JOB_ERRORS as error:
        known = type(error).__module__.startswith("apps.")
        return Answer(True, error if known else f"{type(error).__name__}: {error}", _peak())


def _peak() -> float:
    """Most memory so far, in MiB. ru_maxrss would count the parent's: Linux keeps it across fork and exec."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        status = ""
    if "VmHWM:" in status:
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _end_with(parent: int) -> None:
    """A child whose parent was killed during a solve would otherwise finish it first."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    # what is pickled must be known by its importable name, not as __main__'s
    importlib.import_module("apps.routing.planner.worker").main()
