"""Runs the product as `make demo` does, on a small day: the web server and `manage.py work`, each a process group."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.demo.run import DAY_START, ROOT
from tests.databases import free_port

START_SECONDS, STOP_SECONDS = 90, 20
SET_UP = "import django; django.setup(); from tests.journeys import {module}; {module}.{call}()"


class Town:
    """The running product; `ask(...)` looks into its database."""

    def __init__(self, folder: Path, roads: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = self._environment(roads)
        self.web: subprocess.Popen[bytes] | None = None
        self.work: subprocess.Popen[bytes] | None = None
        self._office: subprocess.Popen[bytes] | None = None

    def _environment(self, roads: Path) -> dict[str, str]:
        five_past = DAY_START.replace(":30:00", ":35:00")
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "DEMO": "1",
            "DATABASE_URL": f"sqlite:///{self.folder / 'day.sqlite3'}",
            "ROADS_DIR": str(roads),
            "MATRIX_DIR": str(self.folder / "matrices"),
            "MEDIA_ROOT": str(self.folder / "media"),
            "RUN_DIR": str(self.folder / "run"),
            "PUBLIC_BASE_URL": self.base,
            "CLOCK_SPEED": "1",
            "CLOCK_DOMAIN_START": five_past,
            "CLOCK_WALL_START": datetime.now(UTC).isoformat(),
            "TWILIO_API_BASE": f"{self.base}/demo/twilio",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "token-of-the-fake",
            "TWILIO_FROM": "+4232300000",
            "EMAIL_BACKEND": "apps.demo.mail.PhoneInboxBackend",
            "LOG_LEVEL": "WARNING",
        }

    def make(self) -> None:
        """The roads, the tables, the day."""
        for command in (
            ["manage.py", "prepare_roads"],
            ["manage.py", "migrate", "--verbosity", "0"],
            ["-c", SET_UP.format(module="day", call="make")],
        ):
            made = subprocess.run([sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True)
            assert made.returncode == 0, made.stderr.decode()[-3000:]
        # The day begins when the product does.
        self.environment["CLOCK_WALL_START"] = datetime.now(UTC).isoformat()

    def start(self) -> None:
        self.start_web()
        self.work = self._run("work", "manage.py", "work")
        until(lambda: self.planner_child() is not None, "the planner child runs", START_SECONDS)

    def start_web(self) -> None:
        server = ("-m", "uvicorn", "config.asgi:application", "--lifespan", "on", "--no-access-log")
        self.web = self._run("web", *server, "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning")
        until(self.answers, "the web server answers", START_SECONDS)

    def kill_web(self) -> None:
        assert self.web
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()

    def planner_child(self) -> int | None:
        """The process that solves, below `manage.py work`."""
        assert self.work
        return next((pid for pid, words in below(self.work.pid) if "apps.routing.planner.worker" in words), None)

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.base}/demo/phone/newest", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def ask(self, question: str, **about: Any) -> Any:
        if self._office is None:
            command = [sys.executable, "-c", SET_UP.format(module="office", call="serve")]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._office = subprocess.Popen(command, cwd=ROOT, env=self.environment, **pipes)
        assert self._office.stdin
        assert self._office.stdout
        self._office.stdin.write(json.dumps({"ask": question, "about": about}).encode() + b"\n")
        self._office.stdin.flush()
        answer = self._office.stdout.readline()
        assert answer, f"The office could not answer {question}."
        return json.loads(answer)

    def stop(self) -> None:
        if self._office and self._office.stdin:
            self._office.stdin.close()
        running = [process for process in (self.work, self.web, self._office) if process]
        for process in running:
            process.terminate()
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL) if process is not self._office else process.kill()

    def logs(self) -> str:
        return "".join(f"--- {file.name}\n{file.read_text()[-2500:]}\n" for file in sorted(self.folder.glob("*.log")))

    def _run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def below(parent: int) -> list[tuple[int, str]]:
    """(process, command line) of everything that descends from a process."""
    lines = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in lines.splitlines()]
    family, found = {parent}, []
    for _generation in range(6):
        for pid, above, *words in rows:
            if int(above) in family and int(pid) not in family:
                family.add(int(pid))
                found.append((int(pid), " ".join(words)))
    return found


def until[T](look: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Looks again until there is something to see, and returns it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"Within {seconds:.0f} s it did not happen that {what}.")
