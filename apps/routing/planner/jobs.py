"""What the planner child can be asked to do. A job is any picklable object with `run()`.

The jobs here carry only the part of the travel matrices that their problem uses (a depot-day's files hold more).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from apps.routing.planner.insertion import Refusal, Timetable
from apps.routing.planner.limits import PLAIN, Hear, Policy
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.repairing import SECONDS as REPAIR_SECONDS
from apps.routing.planner.repairing import fit_in
from apps.routing.planner.solution import Solution
from apps.routing.planner.solve import Engine, Mode, Result, build, improve

SECONDS: Final[Mapping[Mode, float]] = {"insertion": 0.5, "one_van": 0.5, "three_vans": 1.0, "fleet": 5.0}
"""How long a running plan is searched after a change: a van that is out by itself, one at the depot with others."""


class Job[Answer](Protocol):
    """Runs in the child; what it returns or raises goes back to the parent, so both must pickle."""

    def run(self) -> Answer: ...


class LongJob[Answer](Protocol):
    """A job that tells how far it is: `hear` gets the part done and the best cost so far; True ends the job early."""

    def run(self, hear: Hear | None = None) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Build:
    """A day's plan from nothing (see `solve.build`)."""

    problem: Problem
    seconds: float
    engine: Engine = "auto"
    policy: Policy = PLAIN

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", self.problem.compact())

    def run(self, hear: Hear | None = None) -> Solution:
        return build(self.problem, seconds=self.seconds, engine=self.engine, policy=self.policy, hear=hear)


@dataclass(frozen=True, slots=True)
class Improve:
    """A better standing plan, if there is one (see `solve.improve`)."""

    problem: Problem
    standing: Solution
    mode: Mode
    touched: tuple[str, ...]
    seconds: float
    policy: Policy = PLAIN
    changed: tuple[str, ...] = ()
    """The stops that mode `insertion` may move."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", self.problem.compact())

    def run(self, hear: Hear | None = None) -> Result:
        return improve(
            self.problem,
            self.standing,
            mode=self.mode,
            touched=self.touched,
            changed=self.changed,
            seconds=self.seconds,
            policy=self.policy,
            hear=hear,
        )


@dataclass(frozen=True, slots=True)
class FitIn:
    """A change that fits nowhere at once: searched for a moment longer (see `repairing.fit_in`).

    `problem` and `standing` are the plan without the stop, whose place stands in the matrices.
    """

    problem: Problem
    standing: Solution
    stop: Stop
    seconds: float = REPAIR_SECONDS
    policy: Policy = PLAIN

    def __post_init__(self) -> None:
        small = self.problem.with_stop(self.stop).compact()
        object.__setattr__(self, "stop", small.stop[self.stop.id])
        object.__setattr__(self, "problem", small.without_stop(self.stop.id))

    def run(self) -> Refusal | Solution:
        bare = Timetable.of(self.problem, self.standing)
        found = fit_in(bare, self.stop, seconds=self.seconds, policy=self.policy)
        return found if isinstance(found, Refusal) else found.solution


@dataclass(frozen=True, slots=True)
class Ping:
    """Proves that the child answers."""

    def run(self) -> str:
        return "pong"
