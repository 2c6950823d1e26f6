"""Kills a scenario at each of its database statements, for real: os._exit in a forked child.

for point in crash_points(change):
    die_at(change, point)
    ...check what is left, start again...
"""

import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections

KILLED, RAISED = 200, 201


@dataclass(frozen=True)
class Point:
    """Before or after the nth statement (0 is the first)."""

    statement: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} statement {self.statement}"


class _Trap:
    def __init__(self, point: Point | None) -> None:
        self.point = point
        self.seen = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        here = self.point is not None and self.point.statement == self.seen
        self.seen += 1
        if here and self.point and not self.point.after:
            os._exit(KILLED)
        result = execute(sql, params, many, context)
        if here:
            os._exit(KILLED)
        return result


def crash_points(scenario: Callable[[], None]) -> Iterator[Point]:
    """Every point of the scenario, which runs once, in a child, to be counted (its effects stay)."""
    statements = run_in_child(scenario)
    for statement in range(statements):
        yield Point(statement, after=False)
        yield Point(statement, after=True)


def die_at(scenario: Callable[[], None], point: Point) -> None:
    """Runs the scenario in a child that is gone at `point`; AssertionError when it was not."""
    status = run_in_child(scenario, point)
    assert status == KILLED, f"{point}: the child ended with {status}"


def run_in_child(scenario: Callable[[], None], point: Point | None = None) -> int:
    """The number of statements the scenario took in a child of its own, or how the child ended (KILLED and above)."""
    # A connection must not be shared over fork; SQLite would even lose its locks.
    connections.close_all()
    child = os.fork()
    if child == 0:
        trap, status = _Trap(point), RAISED
        try:
            with connection.execute_wrapper(trap):
                scenario()
            connections.close_all()
            status = min(trap.seen, KILLED - 1)
        finally:
            if status == RAISED:
                traceback.print_exc()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
