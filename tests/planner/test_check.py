"""The judge finds each kind of wrong, and nothing in a plan that holds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from apps.routing.planner import check, check_drive
from apps.routing.planner.check import Code, Violation, violations
from apps.routing.planner.problem import Break, Load, Stop, Tariff, TrafficTable
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.travel import UNREACHABLE
from tests.planner.instances import DAY, HOUR, planned, stop, three_on_a_street, travel_of, van


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


@pytest.mark.covers("O2", "O3", "O13", "O14")
@pytest.mark.parametrize(
    ("vehicle", "stops", "breaks", "expected"),
    [
        ({"barred_zones": frozenset({""})}, {}, (), [("zone", "a", 0), ("zone", "b", 0), ("zone", "c", 0)]),
        ({"depot": "north"}, {"b": {"depots": frozenset({"south"})}}, (), [("depot", "b", 0)]),
        ({"depot": "north"}, {"b": {"depots": frozenset({"south", "north"})}}, (), []),
        ({"max_stops": 2}, {}, (), [("max_stops", "", 1)]),
        ({"range_metres": 36_000}, {}, (), []),
        ({"range_metres": 35_000}, {}, (), [("range", "", 1000)]),
        ({"range_metres": 90_000, "range_left_metres": 30_000}, {}, (), [("range", "", 6000)]),
        ({"capacity": Load(pieces=3)}, {}, (), []),
        ({"capacity": Load(pieces=2)}, {"a": {"collects": True}}, (), [("capacity", "", 1)]),
        ({"capacity": Load(pieces=2)}, {"c": {"collects": True}}, (), []),
        ({"capacity": Load(pieces=3)}, {"a": {"returns": Load(pieces=2)}}, (), [("capacity", "", 1)]),
        ({"shift_end": 3900}, {}, (), [("shift_end", "", 60)]),
        ({"shift_end": 3900, "overtime": 60}, {}, (), []),
        ({"breaks": (Break(600, 720, 900),)}, {}, (1,), []),
        ({"breaks": (Break(600, 719, 900),)}, {}, (1,), [("break", "", 1)]),
        ({"breaks": (Break(600, 720, 900),)}, {}, (), [("break", "", 0)]),
        ({"breaks": (Break(600, 3960, 900),)}, {}, (4,), []),
        ({"slowdown_percent": 150}, {"c": {"windows": ((0, 2040),)}}, (), [("window", "c", 900)]),
        ({"started": True}, {"a": {"reload_of": "van", "load": Load()}}, (), []),
        ({}, {"b": {"reload_of": "other", "load": Load()}}, (), [("reload", "b", 0)]),
    ],
)
def test_what_a_delivery_day_has_is_judged(vehicle: dict, stops: dict, breaks: tuple, expected: list) -> None:
    """Three stops in 66 minutes and 36 km there and back."""
    problem, plan = three_on_a_street()
    roomy = {"capacity": Load(10**6, 10**6, 10**6)} | vehicle
    if "capacity" in vehicle:
        roomy["capacity"] = Load(10**6, 10**6, vehicle["capacity"].pieces)
    people = tuple(item.replace(**stops.get(item.id, {})) for item in problem.stops)
    day = problem.replace(vehicles=(van(**roomy),), stops=people)
    found = violations(day, plan.with_route(plan.route["van"].replace(breaks=breaks)))
    assert [(violation.code.value, violation.stop, violation.seconds) for violation in found] == expected


def test_a_call_at_the_depot_renews_load_and_range_and_may_be_left_out() -> None:
    problem, plan = three_on_a_street()
    small = problem.replace(vehicles=(van(capacity=Load(10**6, 10**6, 2), range_metres=36_000),))
    assert codes(violations(small, plan)) == [("capacity", "")]
    call = small.with_stop(Stop("call", 0, (DAY,), service=600, reload_of="van"))
    assert codes(violations(call, plan)) == [("capacity", "")], "leaving a call out is no omission"
    assert violations(call, planned(call, van=["a", "b", "call", "c"])) == []
    assert codes(violations(call, planned(call, van=["a", "call", "b", "c"]))) == []
    assert codes(violations(call, planned(call, van=["call", "a", "b", "c"]))) == [("capacity", "")]


def test_a_carrier_has_no_way_and_no_order() -> None:
    """It serves every stop as soon as it is open; a parcel must be small enough, and its zones bind it."""
    problem, plan = three_on_a_street()
    price = Tariff(per_stop=490)
    carrier = van(kind="carrier", cost=price, shift_end=0, capacity=Load(1000, 5000, 1), available=HOUR)
    assert violations(problem.replace(vehicles=(carrier,)), plan) == []
    late = problem.replace(vehicles=(carrier,)).with_stop(stop("b", 2, (0, HOUR - 60)))
    assert violations(late, plan) == [Violation(Code.WINDOW, "b", "van", 60)]
    big = problem.replace(vehicles=(carrier.replace(capacity=Load(999, 5000, 1)),))
    assert codes(violations(big, plan)) == [("capacity", "a"), ("capacity", "b"), ("capacity", "c")]


@pytest.mark.covers("O12")
def test_traffic_is_driven_hour_by_hour() -> None:
    """At half speed from the second hour on, the last leg takes twice as long, and its first half hour does not."""
    problem, plan = three_on_a_street()
    rush = problem.replace(traffic={"car": TrafficTable((0,) * 5, ((1000, 500),))})
    at_six = rush.with_stop(stop("c", 3, (3300, DAY[1])))
    wrong = at_six.replace(vehicles=(van(shift_end=3600),))
    # leaves c at 57:00, drives 3 minutes of 30 by 60:00, and the other 27 at half speed
    assert violations(wrong, plan) == [Violation(Code.SHIFT_END, "", "van", 54 * 60)]


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
