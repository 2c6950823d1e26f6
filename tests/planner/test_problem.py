"""Nonsense is refused by name; what merely cannot be served is not nonsense."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.eta import roll_forward
from apps.routing.planner.problem import (
    LATEST_INSTANT,
    NEW_PLACE,
    Break,
    Load,
    Problem,
    ProblemError,
    Stop,
    Tariff,
    TrafficTable,
)
from apps.routing.planner.solution import Route, Solution
from tests.planner.instances import line, stop, three_on_a_street, van

ROADS = {"car": line(0, 10)}


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Load(grams=-1), "grams"),
        (lambda: Load(pieces=1.5), "pieces"),
        (lambda: stop("", 1), "stop : id"),
        (lambda: stop("s", -2), "stop s: location"),
        (lambda: stop("s", 1, (50, 10)), "stop s: windows"),
        (lambda: stop("s", 1, (0, 10), (5, 20)), "stop s: windows"),
        (lambda: stop("s", 1, (20, 30), (0, 10)), "stop s: windows"),
        (lambda: stop("s", 1, (0, LATEST_INSTANT + 1)), "stop s: windows"),
        (lambda: stop("s", 1, (float("nan"), 10)), "stop s: windows"),
        (lambda: stop("s", 1, service=-5), "stop s: service"),
        (lambda: stop("s", 1, promise=(10, 5)), "stop s: promise"),
        (lambda: stop("s", 1, eta=(10, 5)), "stop s: eta"),
        (lambda: van("v", available=float("inf")), "vehicle v: available"),
        (lambda: van("v", shift_end=-1), "vehicle v: shift_end"),
        (lambda: van("v", start=-1), "vehicle v: start"),
        (lambda: Problem(0, (van("v", profile="boat"),), (), ROADS), "vehicle v: profile"),
        (lambda: Problem(0, (van("v", end=9),), (), ROADS), "vehicle v: start"),
        (lambda: Problem(0, (van(), van()), (), ROADS), "vehicles"),
        (lambda: Problem(0, (), (stop("s", 1), stop("s", 1)), ROADS), "stops"),
        (lambda: Problem(0, (), (stop("s", 5),), ROADS), "stop s: location"),
        (lambda: Problem(0, (), (), {**ROADS, "bicycle": line(0, 1, 2)}), "travel"),
        (lambda: Route("v", ("a",), frozen=2), "route v: frozen"),
        (lambda: Route("v", ("a",), breaks=(2, 1)), "route v: breaks"),
        (lambda: Route("v", ("a",), breaks=(3,)), "route v: breaks"),
        (lambda: Break(10, 5, 60), "break: latest"),
        (lambda: Break(0, 5, 0), "break: seconds"),
        (lambda: Tariff(per_hour=-1), "cost: per_hour"),
        (lambda: van("v", kind="boat"), "vehicle v: kind"),
        (lambda: van("v", kind="carrier"), "vehicle v: cost"),
        (lambda: van("v", breaks=(Break(0, 60, 600), Break(500, 900, 60))), "vehicle v: breaks"),
        (lambda: van("v", range_metres=-1), "vehicle v: range_metres"),
        (lambda: van("v", range_left_metres=float("nan")), "vehicle v: range_left_metres"),
        (lambda: van("v", max_stops=1.5), "vehicle v: max_stops"),
        (lambda: van("v", overtime=-1), "vehicle v: overtime"),
        (lambda: van("v", slowdown_percent=0), "vehicle v: slowdown_percent"),
        (lambda: stop("s", 1, priority=11), "stop s: priority"),
        (lambda: stop("s", 1, reload_of="v"), "stop s: reload_of"),
        (lambda: Problem(0, (), (), ROADS, {"car": TrafficTable((0,), ((1000,),))}), "traffic"),
        (lambda: Solution((Route("v"), Route("v"))), "routes"),
    ],
)
def test_nonsense_is_refused_by_name(make: Callable[[], object], field: str) -> None:
    with pytest.raises(ProblemError) as caught:
        make()
    assert caught.value.field == field


def test_a_closed_place_and_a_day_without_vans_are_no_errors() -> None:
    closed = Stop("s", 1, ())
    assert Problem(0, (), (closed,), ROADS).stop["s"] is closed


def test_the_error_survives_the_pipe_to_the_planner_child() -> None:
    error = pickle.loads(pickle.dumps(ProblemError("stop s: windows", "wrong")))
    assert (error.field, str(error)) == ("stop s: windows", "stop s: windows: wrong")


def test_variants_are_made_by_replacing() -> None:
    problem, plan = three_on_a_street()
    assert problem.with_stop(stop("a", 4)).stop["a"].location == 4
    assert [s.id for s in problem.without_stop("b").stops] == ["a", "c"]
    assert plan.without("b").route["van"].stops == ("a", "c")
    assert Route("van", ("a", "b"), frozen=2).removed("a") == Route("van", ("b",), frozen=1)


def test_a_compact_problem_is_the_same_over_fewer_places() -> None:
    problem, plan = three_on_a_street()
    fewer = problem.without_stop("b").with_stop(stop("new", NEW_PLACE))
    small = fewer.compact()
    assert small.travel["car"].size == 3
    assert small.stop["new"].location == NEW_PLACE
    route = Route("van", ("a", "c"))
    assert roll_forward(small, route) == roll_forward(problem, route)
    assert violations(small.without_stop("new"), plan.without("b")) == []
    assert problem.without_stop("b").with_stop(stop("d", 4)).with_stop(stop("b", 2)).compact().travel["car"].size == 5
