"""One van with a long route, changed once and improved for a third of a second; and how long a model takes to build."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from apps.routing.planner import ortools_model
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Refusal, apply, change
from apps.routing.planner.limits import THRIFTY, Limit, Policy
from apps.routing.planner.problem import Load, Problem, Vehicle
from apps.routing.planner.solution import Solution
from apps.routing.planner.solve import build, improve
from apps.routing.planner.tails import tails
from apps.routing.planner.timetable import Timetable
from benchmarks.replan_day import HOUR, Country, plain_stop

SIZES = (40, 80, 120, 150)
QUICK = 0.3
BEST = Policy(moved_per_minute=0, worth=1, worth_per_moved=0, most_moved=10**6, changed_van=0, name="best")


def measure_one_van(arguments: argparse.Namespace) -> dict[str, Any]:
    """Gaps of a third of a second, over the best of a long warm and a long cold solve."""
    country = Country.read(arguments.osm, arguments.roads)
    seconds = min(10.0, arguments.reference_seconds)
    insertion, quick, walls = list[float](), list[float](), list[float]()
    number = 0
    while len(quick) < arguments.van_cases and number < 3 * arguments.van_cases:
        case = _case(country, SIZES[number % len(SIZES)], arguments.seed + number)
        number += 1
        if case is None:
            continue
        problem, plan = case
        began = time.perf_counter()
        found = improve(problem, plan, mode="one_van", seconds=QUICK, policy=THRIFTY).solution
        walls.append(time.perf_counter() - began)
        long = improve(problem, found, mode="one_van", seconds=seconds, policy=BEST).solution
        cold = build(problem, seconds=seconds)
        costs = [plan_cost(problem, each, BEST).total for each in (plan, found, long, cold)]
        insertion.append(100 * (costs[0] - min(costs)) / min(costs))
        quick.append(100 * (costs[1] - min(costs)) / min(costs))
    return {
        "one_van_cases": len(quick),
        "one_van_answer_gap_percent_median": _median(insertion),
        "one_van_improved_gap_percent_median": _median(quick),
        "one_van_improved_gap_percent_max": round(max(quick, default=0.0), 2),
        "one_van_improved_s_max": round(max(walls, default=0.0), 2),
        "one_van_reference_seconds": seconds,
    }


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


def _case(country: Country, stops: int, seed: int) -> tuple[Problem, Solution] | None:
    """A van's day, one of whose stops has moved, answered by insertion; None when it fits nowhere."""
    rng = np.random.default_rng([seed, stops, 7])
    points = [country.depot, *country.draw(rng, stops + 1)]
    roomy = Vehicle("car0", "car", 0, 0, 0, 14 * HOUR, Load(10**7, 10**8, 10**4))
    asked = tuple(plain_stop(rng, number) for number in range(1, stops + 1))
    problem = Problem(0, (roomy,), asked, {"car": country.network("car").travel(points)})
    plan = build(problem, seconds=3.0, seed=seed)
    served = sorted(plan.vehicle_of)
    moved = problem.stop[served[int(rng.integers(len(served)))]].replace(location=stops + 1)
    problem = problem.replace(stops=tuple(stop for stop in problem.stops if stop.id in plan.vehicle_of))
    plan = plan.replace(unserved={})
    bare, answer = change(Timetable.of(problem, plan), moved)
    if isinstance(answer, Refusal):
        return None
    return bare.problem.with_stop(moved), apply(bare.solution, answer, moved)


def model_build_seconds(problem: Problem, plan: Solution) -> float:
    """The whole fleet's OR-Tools model, closed and ready for its warm start: the best of three."""
    vans = [vehicle.id for vehicle in problem.vehicles]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        ortools_model.prepared(ortools_model.Task(problem, tails(problem, plan, vans), (), THRIFTY), Limit(1.0))
        took.append(time.perf_counter() - began)
    return round(min(took), 3)
