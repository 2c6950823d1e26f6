"""The judge finds each kind of wrong, and nothing in a plan that holds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from apps.routing.planner import check, check_drive
from apps.routing.planner.check import Code, Violation, violations
from apps.routing.planner.problem import Load
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.travel import UNREACHABLE
from tests.planner.instances import HOUR, planned, stop, three_on_a_street, travel_of, van


def codes(found: list[Violation]) -> list[tuple[str, str]]:
    return [(violation.code.value, violation.stop) for violation in found]


def test_a_plan_that_holds_has_no_violation() -> None:
    problem, plan = three_on_a_street()
    assert violations(problem, plan, standing=plan) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"windows": ((0, 60),)}, [("window", "b")]),
        ({"windows": ((0, 60), (HOUR, 2 * HOUR)), "promise": (0, 60)}, [("window", "b"), ("promise", "b")]),
        ({"promise": (0, 600)}, [("promise", "b")]),
        ({"windows": ()}, [("window", "b")]),
        ({"skills": frozenset({"lift"})}, [("skills", "b")]),
        ({"loaded_on": "other"}, [("hopped", "b")]),
        ({"load": Load(pieces=10**7)}, [("capacity", "")]),
    ],
)
def test_each_wrong_is_named(changed: dict, expected: list) -> None:
    problem, plan = three_on_a_street()
    wrong = problem.with_stop(problem.stop["b"].replace(**changed))
    assert codes(violations(wrong, plan)) == expected


def test_lateness_is_told_in_seconds() -> None:
    problem, plan = three_on_a_street()
    late = problem.with_stop(stop("c", 3, (0, 30 * 60)))
    assert violations(late, plan) == [Violation(Code.WINDOW, "c", "van", 240)]


def test_lateness_the_standing_plan_has_may_stay_but_not_grow() -> None:
    problem, plan = three_on_a_street()
    late = problem.with_stop(stop("c", 3, (0, 30 * 60)))
    assert violations(late, plan, standing=plan) == []
    later = planned(late, van=["b", "a", "c"])
    assert codes(violations(late, later, standing=plan)) == [("window", "c")]
    assert codes(violations(late, plan, standing=plan, strict={"c"})) == [("window", "c")]


def test_shift_end_zone_and_departure_are_judged() -> None:
    problem, plan = three_on_a_street()
    assert codes(violations(problem.replace(vehicles=(van(shift_end=HOUR),)), plan)) == [("shift_end", "")]
    zoned = problem.replace(vehicles=(van(zones=frozenset({"town"})),))
    assert codes(violations(zoned, plan)) == [("zone", "a"), ("zone", "b"), ("zone", "c")]
    gone = problem.replace(vehicles=(van(started=True),))
    assert codes(violations(gone, plan)) == [("not_on_board", s) for s in "abc"]
    assert violations(gone, plan, standing=plan) == []


def test_what_is_on_board_is_on_board_whatever_the_scales_say() -> None:
    problem, plan = three_on_a_street()
    heavy = problem.replace(
        vehicles=(van(capacity=Load(10, 10, 1)),), stops=tuple(s.replace(loaded_on="van") for s in problem.stops)
    )
    assert violations(heavy, plan) == []


def test_the_census_counts_every_stop_once() -> None:
    problem, _ = three_on_a_street()
    plan = Solution((Route("van", ("a", "b", "b")), Route("ghost")), {"a": Reason.WINDOW})
    assert codes(violations(problem, plan)) == [
        ("unknown_vehicle", ""),
        ("repeated", "a"),
        ("repeated", "b"),
        ("forgotten", "c"),
    ]
    assert codes(violations(problem, planned(problem, van=["a", "b", "c", "x"]))) == [("unknown_stop", "x")]


def test_the_frozen_prefix_and_the_served_are_kept() -> None:
    problem, _ = three_on_a_street()
    standing = planned(problem, frozen=2, van=["a", "b", "c"])
    assert codes(violations(problem, planned(problem, van=["b", "a", "c"]), standing=standing)) == [("frozen", "")]
    dropped = planned(problem, frozen=2, van=["a", "b"], unserved={"c": Reason.NOT_PLANNED})
    assert codes(violations(problem, dropped, standing=standing)) == [("dropped", "c")]


def test_a_missing_road_is_seen() -> None:
    problem, plan = three_on_a_street()
    seconds = problem.travel["car"].seconds.copy()
    seconds[1, 2] = UNREACHABLE
    island = problem.replace(travel={"car": travel_of(seconds)})
    assert ("unreachable", "b") in codes(violations(island, plan))


def test_the_judge_shares_no_code_with_the_planners() -> None:
    """It may import the nouns, and nothing that simulates, inserts or solves."""
    ours: set[str] = set()
    for module in (check, check_drive):
        tree = ast.parse(Path(module.__file__).read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        ours |= {name.rsplit(".", 1)[1] for name in imported if name.startswith("apps.")}
    assert ours == {"problem", "solution", "check_drive"}
