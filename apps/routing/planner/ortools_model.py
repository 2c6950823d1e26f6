"""The OR-Tools model of a few vans' tails: warm from the standing plan, hard opens, soft closes.

The only module that imports ortools (0.1-0.6 s on first use: the planner child does it before its first job).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_ils_pb2
from ortools.util import optional_boolean_pb2

from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Limit, Policy
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.tails import Tail

_AFTER_HOURS = 2 * 3600
"""How far beyond the last limit a late plan may reach."""

_LONGEST = 24 * 3600
_DIMENSIONS = ("grams", "cubic_centimetres", "pieces")
type Routes = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Task:
    """What to solve: the vans' tails, the stops to be placed on them (`extra`: those on no van yet), and the prices.

    `repair`: something is late, so every close is soft and stability counts for nothing.
    """

    problem: Problem
    tails: Sequence[Tail]
    extra: tuple[str, ...]
    policy: Policy
    repair: bool = False

    @property
    def stops(self) -> list[str]:
        return [*(stop for tail in self.tails for stop in tail.stops), *self.extra]


def improve_warm(task: Task, limit: Limit) -> Routes | None:
    """Stops per tail, searched from the tails' present order; None when that start was rejected."""
    model = _Model(task)
    parameters = _guided(limit)
    model.routing.CloseModelWithParameters(parameters)
    start = model.routing.ReadAssignmentFromRoutes(model.warm(), True)
    if start is None:
        return None
    return model.routes(model.routing.SolveFromAssignmentWithParameters(start, parameters))


def build_cold(task: Task, limit: Limit) -> Routes | None:
    """Stops per tail from nothing, by ruin and recreate; None when not even a first plan was found."""
    model = _Model(task)
    parameters = _ruin_and_recreate(limit)
    # SolveWithParameters would stop after the first descent: the iterated search must be called by name
    return model.routes(model.routing.SolveWithIteratedLocalSearch(parameters))


class _Model:
    """One RoutingModel. Nodes: the stops, then a start and an end per van. Time counts from the first ready van."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.stops = [task.problem.stop[stop_id] for stop_id in task.stops]
        self.number = {stop.id: index for index, stop in enumerate(self.stops)}
        count, vans = len(self.stops), len(task.tails)
        self.zero = min(tail.ready for tail in task.tails)
        starts, ends = list(range(count, count + vans)), list(range(count + vans, count + 2 * vans))
        self.manager = pywrapcp.RoutingIndexManager(count + 2 * vans, vans, starts, ends)
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.time = self._time_dimension()
        self._vans()
        self._capacities()
        for index, stop in enumerate(self.stops):
            self._stop(self.manager.NodeToIndex(index), stop)

    def _time_dimension(self) -> Any:
        task = self.task
        locations = np.array(
            [stop.location for stop in self.stops]
            + [tail.start for tail in task.tails]
            + [tail.vehicle.end for tail in task.tails]
        )
        service = np.array([stop.service for stop in self.stops] + [0] * (2 * len(task.tails)))
        driving: dict[str, int] = {}
        whole: dict[str, int] = {}
        for profile in dict.fromkeys(tail.vehicle.profile for tail in task.tails):
            seconds = task.problem.travel[profile].seconds[np.ix_(locations, locations)]
            driving[profile] = self.routing.RegisterTransitMatrix(seconds.tolist())
            whole[profile] = self.routing.RegisterTransitMatrix((seconds + service[:, None]).tolist())
        for van, tail in enumerate(task.tails):
            self.routing.SetArcCostEvaluatorOfVehicle(driving[tail.vehicle.profile], van)
        self.horizon = self._horizon()
        transits = [whole[tail.vehicle.profile] for tail in task.tails]
        self.routing.AddDimensionWithVehicleTransits(transits, self.horizon, self.horizon, False, "time")
        return self.routing.GetDimensionOrDie("time")

    def _horizon(self) -> int:
        closes = [windows[-1][1] for stop in self.stops if (windows := permitted(stop))]
        ends = [tail.vehicle.shift_end for tail in self.task.tails]
        last = min(max(closes + ends), max(ends) + _LONGEST)
        return max(last, max(tail.ready for tail in self.task.tails)) - self.zero + _AFTER_HOURS

    def _vans(self) -> None:
        late = self.task.policy.late_per_second
        for van, tail in enumerate(self.task.tails):
            start, end = self.routing.Start(van), self.routing.End(van)
            self.time.CumulVar(start).SetRange(tail.ready - self.zero, self.horizon)
            self.time.SetCumulVarSoftUpperBound(end, max(0, tail.vehicle.shift_end - self.zero), late)
            if tail.out:
                self.routing.SetVehicleUsedWhenEmpty(True, van)

    def _capacities(self) -> None:
        for name in _DIMENSIONS:
            asked = [getattr(stop.load, name) for stop in self.stops]
            room = [self._room(tail, name) for tail in self.task.tails]
            if len(room) > 1 and sum(asked) > min(room):
                padded = asked + [0] * (2 * len(room))
                transit = self.routing.RegisterUnaryTransitVector(padded)
                self.routing.AddDimensionWithVehicleCapacity(transit, 0, room, True, name)

    def _room(self, tail: Tail, name: str) -> int:
        """What the van can take; a standing overload stays possible."""
        carried: int = sum(getattr(self.task.problem.stop[stop].load, name) for stop in tail.stops)
        room: int = getattr(tail.room, name)
        return max(room, carried)

    def _stop(self, index: int, stop: Stop) -> None:
        policy, windows = self.task.policy, permitted(stop) or stop.windows
        arrival = self.time.CumulVar(index)
        if windows:
            opens, closes = max(0, windows[0][0] - self.zero), max(0, windows[-1][1] - self.zero)
            arrival.SetMin(min(opens, self.horizon))
            for (_, before), (after, _) in pairwise(windows):
                if after - self.zero > max(opens, before - self.zero + 1):
                    arrival.RemoveInterval(max(before - self.zero + 1, 0), after - self.zero - 1)
            self._close(index, stop, closes)
        if stop.id in self.task.extra:  # whatever a van has on its list already stays on one
            self.routing.AddDisjunction([index], policy.dropped)
        for van, tail in enumerate(self.task.tails):
            if not _may_serve(tail, stop):
                # SetAllowedVehiclesForIndex raises TypeError in the Python of 9.15
                self.routing.VehicleVar(index).RemoveValue(van)

    def _close(self, index: int, stop: Stop, closes: int) -> None:
        """Soft when anything may be late; otherwise hard, with the page's times as the softer, second band."""
        policy = self.task.policy
        shown = None if stop.eta is None else stop.eta[1] - self.zero
        price = policy.moved_per_minute // 60
        if self.task.repair or shown is None or not 0 <= shown < closes or not price:
            self.time.SetCumulVarSoftUpperBound(index, closes, policy.late_per_second)
        else:
            self.time.CumulVar(index).SetMax(min(closes, self.horizon))
            self.time.SetCumulVarSoftUpperBound(index, shown, price)

    def warm(self) -> list[list[int]]:
        return [[self.manager.NodeToIndex(self.number[stop]) for stop in tail.stops] for tail in self.task.tails]

    def routes(self, assignment: Any) -> Routes | None:
        if assignment is None:
            return None
        found: Routes = []
        for van in range(len(self.task.tails)):
            index = assignment.Value(self.routing.NextVar(self.routing.Start(van)))
            stops: list[str] = []
            while not self.routing.IsEnd(index):
                stops.append(self.stops[self.manager.IndexToNode(index)].id)
                index = assignment.Value(self.routing.NextVar(index))
            found.append(tuple(stops))
        return found


def _may_serve(tail: Tail, stop: Stop) -> bool:
    """The checker's rules of who may bring what, in this model's words."""
    van = tail.vehicle
    if stop.loaded_on is not None:
        return stop.loaded_on == van.id
    if stop.id in tail.stops:
        return True
    at_depot_though_gone = van.started and not stop.collects
    return stop.skills <= van.skills and (not van.zones or stop.zone in van.zones) and not at_depot_though_gone


def _guided(limit: Limit) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    operators = parameters.local_search_operators
    operators.use_cross_exchange = optional_boolean_pb2.BOOL_TRUE
    operators.use_relocate_neighbors = optional_boolean_pb2.BOOL_TRUE
    return _limited(parameters, limit)


def _ruin_and_recreate(limit: Limit) -> Any:
    """Slack induction by string removals, which must be asked for in every detail to work in 9.15."""
    parameters = _guided(limit)
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    iterated.perturbation_strategy = routing_ils_pb2.PerturbationStrategy.RUIN_AND_RECREATE
    ruin = iterated.ruin_recreate_parameters.ruin_strategies.add().sisr
    ruin.max_removed_sequence_size = 10
    ruin.avg_num_removed_visits = 10
    ruin.bypass_factor = 0.01
    recreate = iterated.ruin_recreate_parameters.recreate_strategy
    recreate.heuristic = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    iterated.improve_perturbed_solution = False
    accept = iterated.reference_solution_acceptance_strategy.simulated_annealing
    accept.automatic_temperatures = True
    iterated.best_solution_acceptance_strategy.greedy_descent.SetInParent()
    return parameters


def _limited(parameters: Any, limit: Limit) -> Any:
    seconds = 60.0 if limit.seconds is None else limit.seconds
    parameters.time_limit.FromMilliseconds(max(1, round(seconds * 1000)))
    if limit.solutions is not None:
        parameters.solution_limit = limit.solutions
    return parameters
