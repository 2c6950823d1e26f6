"""`make demo`: one command that starts everything, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from apps.demo.run import ROOT, VAR, _sources_digest
from tests import databases
from tests.journeys.processes import below, until

pytestmark = pytest.mark.kills
DAY = VAR / f"demo-day-{_sources_digest(1)}"
SECOND_START_SECONDS, FIRST_START_SECONDS = 30, 240


@pytest.fixture
def port() -> int:
    return databases.free_port()


@pytest.fixture
def launcher(port: int) -> Iterator[subprocess.Popen[bytes]]:
    if not DAY.exists() and os.environ.get("CI", "").lower() != "true":
        pytest.skip("NOT TESTED HERE: `make demo` has made no day of these sources yet (with CI=true the test does).")
    command = [sys.executable, "-m", "apps.demo.run", "--port", str(port), "--speed", "20"]
    # The tests' own folders must not become the demo's.
    environment = {name: value for name, value in os.environ.items() if name != "ROADS_DIR"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(20)


def test_the_demo_starts_shows_a_moving_van_and_stops_without_a_trace(
    launcher: subprocess.Popen[bytes], port: int
) -> None:
    began, was_made = time.monotonic(), DAY.exists()
    base = f"http://127.0.0.1:{port}"
    until(lambda: _page(base) or launcher.poll() is not None, "the start page answers", FIRST_START_SECONDS * 2)
    assert launcher.poll() is None, "The launcher gave up; its messages stand above."
    seconds = time.monotonic() - began
    print(f"\nthe start page answered after {seconds:.1f} s ({'second' if was_made else 'first'} start)")
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    assert seconds <= (SECOND_START_SECONDS if was_made else FIRST_START_SECONDS) * (4 if busy else 1)
    until(lambda: _a_van_moves(base), "a van is seen moving on somebody's page", 90)

    for part in ("uvicorn", "manage.py work", "manage.py simulate", "apps.routing.planner.worker"):
        until(lambda part=part: part in str(below(launcher.pid)), f"{part} runs", 60)  # type: ignore[misc]
    family = below(launcher.pid)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(30) == 0
    assert until(lambda: _left(family, port) == [], "every process has ended", 5), _left(family, port)
    assert not (VAR / f"demo-{port}").exists()


def _page(base: str) -> str:
    try:
        answer = requests.get(base, timeout=10)
    except requests.RequestException:
        return ""
    return answer.text if answer.ok else ""


def _a_van_moves(base: str) -> bool:
    """Some page of the start page shows a van that has driven since its last position."""
    for path in dict.fromkeys(re.findall(r'href="(/t/[\w-]+)"', _page(base))):
        dot = requests.get(f"{base}{path}/dot", timeout=10).json()
        if dot["visible"] and len(dot["path"]) > 1:
            return True
    return False


def _left(family: list[tuple[int, str]], port: int) -> list[str]:
    """What still runs of these processes, or with that port on its command line."""
    lines = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    now = {int(line.split(None, 1)[0]): line.split(None, 1)[1] for line in lines}
    stayed = [words for pid, words in family if now.get(pid) == words]
    return stayed + [words for words in now.values() if f"--port {port}" in words]
