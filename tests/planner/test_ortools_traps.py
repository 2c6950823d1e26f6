"""What the pinned OR-Tools does when it is asked wrongly: the reasons why `ortools_model` asks as it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

pytestmark = pytest.mark.planner
HOUR = 3600


def solved(*, breaks: bool, soft: bool) -> tuple[int, int, Any]:
    """Thirty optional stops with two-hour windows and three vans: cost, stops left out, status of 200 plans' search."""
    rng = np.random.default_rng(1)
    at = rng.random((31, 2)) * 2000
    legs = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)).astype(int)
    manager = pywrapcp.RoutingIndexManager(31, 3, 0)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(legs.tolist()))
    service = np.array([0] + [150] * 30)
    model.AddDimension(model.RegisterTransitMatrix((legs + service[:, None]).tolist()), 40_000, 40_000, False, "time")
    time = model.GetDimensionOrDie("time")
    visits = [0] * model.Size()
    for node in range(1, 31):
        index, opens = manager.NodeToIndex(node), int(rng.integers(0, 6)) * HOUR
        visits[index] = 150
        time.CumulVar(index).SetMin(opens)
        if soft:
            time.SetCumulVarSoftUpperBound(index, opens + 2 * HOUR, 20)
        else:
            time.CumulVar(index).SetMax(opens + 2 * HOUR)
        model.AddDisjunction([index], 100_000)
    for van in range(3) if breaks else ():
        rest = model.solver().FixedDurationIntervalVar(3 * HOUR, 4 * HOUR, 1800, False, f"rest {van}")
        time.SetBreakIntervalsOfVehicle([rest], van, visits)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.solution_limit, parameters.time_limit.seconds = 40, 5
    found = model.SolveWithParameters(parameters)
    left = sum(found.Value(model.NextVar(i)) == i for i in map(manager.NodeToIndex, range(1, 31)))
    return found.ObjectiveValue(), left, model.status()


@pytest.mark.covers("O20")
def test_breaks_go_with_hard_windows_and_optional_stops_but_not_with_soft_ones() -> None:
    """Hard, the break costs nothing here; with soft closing times the same search ends many times dearer."""
    free, hard = solved(breaks=False, soft=False), solved(breaks=True, soft=False)
    assert hard[1] == free[1] == 0
    assert hard[0] < 1.1 * free[0]
    if solved(breaks=True, soft=True)[0] < 2 * free[0]:
        pytest.fail("soft bounds and breaks go together now: `ortools_model` may use both at once")
