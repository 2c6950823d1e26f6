"""The planner child: answers, dies, is killed when it overruns, and is there again for the next question."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.jobs import Build, Improve, Ping
from apps.routing.planner.problem import ProblemError, Stop
from apps.routing.planner.travel import Travel
from apps.routing.planner.worker import ROOT, Child, PlannerFailed, PlannerUnavailable
from tests.planner.instances import greedy_plan, random_problem, three_on_a_street

pytestmark = pytest.mark.planner


@dataclass(frozen=True)
class Sleep:
    seconds: float

    def run(self) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Die:
    def run(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


@dataclass(frozen=True)
class Chatter:
    def run(self) -> str:
        os.write(1, b"a solver printing to standard output\n")
        return "clean"


@dataclass(frozen=True)
class Nonsense:
    field: str

    def run(self) -> object:
        return Stop("", 0, ()) if self.field == "typed" else 1 / 0


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as one:
        yield one


def test_it_answers_and_stays(child: Child) -> None:
    assert child.ask(Ping(), 5) == "pong"
    before = child.pid
    assert child.ask(Chatter(), 5) == "clean"
    assert child.pid == before
    assert 20 < child.peak_rss_mb < 500


def test_it_builds_and_improves(child: Child) -> None:
    problem, plan = three_on_a_street()
    built = child.ask(Build(problem, seconds=0.2, engine="ortools"), 5)
    assert violations(problem, built) == []
    result = child.ask(Improve(problem, plan, "one_van", ("van",), seconds=0.1), 5)
    assert violations(problem, result.solution, standing=plan) == []


def test_a_long_build_tells_how_far_it_is_and_ends_when_asked(child: Child) -> None:
    problem = random_problem(3, stops=60, vans=4)
    told: list[tuple[float, int | None]] = []

    def hear(fraction: float, best: int | None) -> bool:
        told.append((fraction, best))
        return len(told) == 3

    began = time.monotonic()
    plan = child.ask(Build(problem, seconds=30), 30, hear)
    assert time.monotonic() - began < 15
    assert violations(problem, plan) == []
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert all(0 <= fraction < 0.5 for fraction, _ in told)
    assert child.ask(Ping(), 5) == "pong"


def test_a_big_problem_passes_the_pipe(child: Child) -> None:
    problem = random_problem(3, stops=600, vans=4)
    plan = greedy_plan(problem).solution
    result = child.ask(Improve(problem, plan, "one_van", ("van1",), seconds=0.1), 5)
    assert violations(problem, result.solution, standing=plan) == []


def test_a_memory_mapped_matrix_passes_the_pipe(child: Child, tmp_path: Path) -> None:
    """A depot-day's matrices are mapped files that hold more places than the problem uses."""
    problem, plan = three_on_a_street()
    known = problem.travel["car"]
    mapped = np.memmap(tmp_path / "seconds", dtype=np.int32, mode="w+", shape=known.seconds.shape)
    mapped[:] = known.seconds
    on_file = problem.replace(travel={"car": Travel(mapped, known.metres, True)})
    result = child.ask(Improve(on_file, plan, "one_van", ("van",), seconds=0.1), 5)
    assert violations(problem, result.solution, standing=plan) == []


def test_errors_come_back_typed_and_the_child_lives_on(child: Child) -> None:
    child.ask(Ping(), 5)
    before = child.pid
    with pytest.raises(ProblemError) as caught:
        child.ask(Nonsense("typed"), 5)
    assert caught.value.field == "stop : id"
    with pytest.raises(PlannerFailed, match="ZeroDivisionError"):
        child.ask(Nonsense("other"), 5)
    assert child.pid == before


def test_an_overrun_is_killed_at_twice_the_limit(child: Child) -> None:
    child.ask(Ping(), 5)
    began = time.monotonic()
    with pytest.raises(PlannerUnavailable, match="twice its limit"):
        child.ask(Sleep(30), 0.2)
    assert time.monotonic() - began < 3
    assert child.pid is None
    assert child.ask(Ping(), 5) == "pong"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_death_between_questions_is_healed(child: Child, how: signal.Signals) -> None:
    child.ask(Ping(), 5)
    assert child.pid is not None
    os.kill(child.pid, how)
    time.sleep(0.2)
    assert child.ask(Ping(), 5) == "pong"


def test_a_death_during_a_question_is_told(child: Child) -> None:
    with pytest.raises(PlannerUnavailable, match="died"):
        child.ask(Die(), 5)
    assert child.ask(Ping(), 5) == "pong"


def test_a_stopped_child_does_not_hang_the_parent(child: Child) -> None:
    """The question is larger than the pipe, and nobody reads it."""
    child.ask(Ping(), 5)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    problem = random_problem(3, stops=400, vans=4)
    with pytest.raises(PlannerUnavailable):
        child.ask(Build(problem, seconds=0.1), 0.3)
    assert child.ask(Ping(), 5) == "pong"


def test_a_fat_child_is_replaced() -> None:
    with Child(recycle_mb=1) as fat:
        assert fat.ask(Ping(), 5) == "pong"
        assert fat.pid is None
        assert fat.ask(Ping(), 5) == "pong"
        assert fat.starts == 2


def test_a_child_whose_parent_is_killed_ends_too() -> None:
    script = (
        "import time\nfrom apps.routing.planner.worker import Child\nfrom apps.routing.planner.jobs import Ping\n"
        "child = Child()\nchild.ask(Ping(), 5)\nprint(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    pytest.fail("the child outlived its parent")
