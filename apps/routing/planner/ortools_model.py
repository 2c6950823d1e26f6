"""The OR-Tools model of a few vans' tails, with every constraint of a day: warm from the standing plan, or cold.

The only module that imports ortools (0.1-0.6 s on first use: the planner child does it before its first job).

Closing times and breaks do not go together: with soft upper bounds and break intervals on one dimension, 9.15 finds a
tenth of the plans, ten times dearer (`tests/planner/test_ortools_traps.py`). So a task is either hard, with breaks in
the model, or soft, without them; then whoever asked places the breaks afterwards and judges.
Wishes are soft bounds as well: a model with breaks does not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_ils_pb2
from ortools.util import optional_boolean_pb2

from apps.routing.planner.eta import roll_forward
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Limit, Policy
from apps.routing.planner.ortools_amounts import add_amounts
from apps.routing.planner.prices import rates, units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.sheet import Leaving, Manner, Matrix, metres, seconds, suitable
from apps.routing.planner.solution import Route
from apps.routing.planner.tails import Tail

_AFTER_HOURS = 2 * 3600
"""How far beyond the last limit a late plan may reach."""

_LONGEST = 24 * 3600
_KEPT: Final = 40
"""Plans found on the way that are handed over for judgement: the cheapest in the model's eyes."""

_NEW_ARC: Final = 2
"""Minutes of somebody's shown time that one new leg is guessed to move, while the search cannot see it."""

type Routes = list[tuple[str, ...]]
type Heard = Callable[[], bool]
"""Called now and then during a search; True ends it."""


@dataclass(frozen=True)
class Task:
    """What to solve: the vans' tails, the stops that may join them (`extra`: those on none of them now), the prices.

    - `outside`: what leaving a stop off these vans costs, in seconds of driving; a stop that is not named stays on.
    - `soft`: something is late already, or hours differ: closing times may be overstepped at a price.
    """

    problem: Problem
    tails: Sequence[Tail]
    extra: tuple[str, ...]
    policy: Policy
    outside: Mapping[str, int] = field(default_factory=dict)
    soft: bool = False

    @cached_property
    def stops(self) -> list[Stop]:
        own = [stop for tail in self.tails for stop in tail.stops]
        return [self.problem.stop[stop] for stop in (*own, *self.extra)]

    @cached_property
    def unit(self) -> int:
        """The model's price of a second of driving."""
        return units_per_second(self.problem)

    @cached_property
    def calm(self) -> bool:
        """Whether somebody looks at times that the search should leave alone."""
        return self.policy.moved_per_minute > 0 and any(stop.eta is not None for stop in self.stops)


def improve_warm(task: Task, limit: Limit, heard: Heard | None = None) -> list[Routes] | None:
    """The best plans found, stops per tail, cheapest first; None when the tails' present order was rejected."""
    model, parameters = prepared(task, limit)
    start = model.routing.ReadAssignmentFromRoutes(model.warm(), True)
    if start is None:
        return None
    found = _Found(model, heard)
    last = model.routing.SolveFromAssignmentWithParameters(start, parameters)
    return found.plans(last)


def prepared(task: Task, limit: Limit) -> tuple[_Model, Any]:
    """The closed model of a task, ready for its warm start, with its search parameters."""
    model = _Model(task)
    parameters = _guided(limit)
    model.routing.CloseModelWithParameters(parameters)
    return model, parameters


def build_cold(task: Task, limit: Limit, heard: Heard | None = None) -> Routes | None:
    """Stops per tail from nothing, by ruin and recreate; None when not even a first plan was found."""
    model = _Model(task)
    parameters = _ruin_and_recreate(limit)
    if heard is not None:
        model.routing.AddAtSolutionCallback(lambda: model.routing.CancelSearch() if heard() else None)
    # SolveWithParameters would stop after the first descent: the iterated search must be called by name
    return model.routes(model.routing.SolveWithIteratedLocalSearch(parameters))


class _Found:
    """The plans that a search comes by: what is cheapest in the model need not be so under the judge."""

    def __init__(self, model: _Model, heard: Heard | None) -> None:
        self.model, self.heard = model, heard
        self.kept: dict[tuple[tuple[str, ...], ...], int] = {}
        model.routing.AddAtSolutionCallback(self._hear)

    def _hear(self) -> None:
        routing = self.model.routing
        price = routing.CostVar().Min()
        if len(self.kept) >= _KEPT:
            worst = max(self.kept, key=self.kept.__getitem__)
            if price < self.kept[worst]:
                del self.kept[worst]
        if len(self.kept) < _KEPT:
            self.kept[tuple(self.model.followed(lambda index: int(routing.NextVar(index).Value())))] = price
        if self.heard is not None and self.heard():
            routing.CancelSearch()

    def plans(self, last: Any) -> list[Routes]:
        routes = self.model.routes(last)
        if routes is not None:
            self.kept.setdefault(tuple(routes), last.ObjectiveValue())
        return [list(plan) for plan in sorted(self.kept, key=self.kept.__getitem__)]


class _Model:
    """One RoutingModel. Nodes: the stops, then where vans start and end. Time counts from the first ready van.

    Vans that start at one node are alike to the search; with a node of its own for each, it tries every empty van.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.stops = task, task.stops
        self.number = {stop.id: index for index, stop in enumerate(self.stops)}
        self.own = {stop: van for van, tail in enumerate(task.tails) for stop in tail.stops}
        self.callers = {stop.reload_of for stop in self.stops}
        count, vans = len(self.stops), len(task.tails)
        self.zero = min(tail.ready for tail in task.tails)
        yards = [*(tail.start for tail in task.tails), *(tail.vehicle.end for tail in task.tails)]
        self.yards = {place: count + number for number, place in enumerate(dict.fromkeys(yards))}
        nodes = [self.yards[place] for place in yards]
        self.manager = pywrapcp.RoutingIndexManager(count + len(self.yards), vans, nodes[:vans], nodes[vans:])
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.breaks = not task.soft and any(tail.rests for tail in task.tails)
        self.places = np.array([stop.location for stop in self.stops] + list(self.yards))
        self.time = self._time_dimension()
        self._vans()
        for index, stop in enumerate(self.stops):
            self._stop(self.manager.NodeToIndex(index), stop)
        self._pairs()
        if not self.breaks and any(stop.wish for stop in self.stops):
            self._wishes()
        add_amounts(self.routing, self.manager, task.problem, task.tails, self.stops, len(self.yards), self._metres)

    def _metres(self, profile: str) -> Matrix:
        return metres(self.task.problem, profile, self.places)

    def _time_dimension(self) -> Any:
        task = self.task
        service = np.array([stop.service for stop in self.stops] + [0] * len(self.yards))
        whole: dict[Manner, int] = {}
        driving: dict[Manner, Matrix] = {}
        manners = [Manner.of(task.problem, tail.vehicle, tail.ready) for tail in task.tails]
        leaving = self._leaving() if task.problem.traffic else None
        for manner in dict.fromkeys(manners):
            driving[manner] = seconds(task.problem, manner, self.places, leaving)
            whole[manner] = self.routing.RegisterTransitMatrix((driving[manner] + service[:, None]).tolist())
        self._prices(manners, driving, service)
        self.horizon = self._horizon()
        transits = [whole[manner] for manner in manners]
        self.routing.AddDimensionWithVehicleTransits(transits, self.horizon, self.horizon, False, "time")
        return self.routing.GetDimensionOrDie("time")

    def _leaving(self) -> Leaving:
        """When the standing plan leaves each stop, and the yards: the hour of a leg is that of its departure."""
        found = np.full(len(self.places), -1, dtype=np.int64)
        for tail in self.task.tails:
            found[self.yards[tail.start]] = tail.ready
            route = Route(tail.vehicle.id, (*tail.frozen, *tail.stops), len(tail.frozen), tail.rested)
            times = roll_forward(self.task.problem, route)[len(tail.frozen) :]
            found[[self.number[stop] for stop in tail.stops]] = [one.departure for one in times]
        return found

    def _prices(self, manners: list[Manner], driving: dict[Manner, Matrix], service: Any) -> None:
        """What every leg costs each van: free-road seconds and metres, and for new legs a guess of the unrest."""
        task, known = self.task, dict[Any, int]()
        unrest = self._unrest() if task.calm else None
        customer = np.array([not stop.is_reload for stop in self.stops] + [False] * len(self.yards))
        for van, (tail, manner) in enumerate(zip(task.tails, manners, strict=True)):
            rate = rates(task.problem, tail.vehicle)
            key = (manner._replace(hours=(0, 0)), rate)
            if key not in known:
                price = driving[manner]
                if manner.profile in task.problem.traffic:
                    price = seconds(task.problem.replace(traffic={}), manner, self.places)
                if task.problem.priced:
                    price = price * rate.second + self._metres(manner.profile) * rate.metre
                    price = price + (service * rate.service + customer * rate.stop)[None, :]
                known[key] = self.routing.RegisterTransitMatrix((price if unrest is None else price + unrest).tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(known[key], van)
            if rate.start and not tail.out:
                self.routing.SetFixedCostOfVehicle(rate.start, van)

    def _unrest(self) -> Matrix:
        """A price on every leg that is not driven now: new legs move times, earlier ones too, which no bound sees."""
        size = len(self.places)
        price = _NEW_ARC * self.task.policy.moved_per_minute * self.task.unit
        found = np.full((size, size), price, dtype=np.int64)
        for tail in self.task.tails:
            own = [self.number[stop] for stop in tail.stops]
            nodes = [self.yards[tail.start], *own, self.yards[tail.vehicle.end]]
            found[nodes[:-1], nodes[1:]] = 0
        return found

    def _horizon(self) -> int:
        closes = [windows[-1][1] for stop in self.stops if (windows := permitted(stop))]
        ends = [tail.vehicle.last_return for tail in self.task.tails]
        last = min(max(closes + ends), max(ends) + _LONGEST)
        return max(last, max(tail.ready for tail in self.task.tails)) - self.zero + _AFTER_HOURS

    def _vans(self) -> None:
        late, unit = self.task.policy.late_per_second, self.task.unit
        service = [stop.service for stop in self.stops] + [0] * (self.routing.Size() - len(self.stops))
        for van, tail in enumerate(self.task.tails):
            vehicle, end = tail.vehicle, self.time.CumulVar(self.routing.End(van))
            self.time.CumulVar(self.routing.Start(van)).SetRange(tail.ready - self.zero, self.horizon)
            if self.task.soft:
                back = max(0, vehicle.last_return - self.zero)
                self.time.SetCumulVarSoftUpperBound(self.routing.End(van), back, late * unit)
            else:
                end.SetMax(max(0, vehicle.last_return - self.zero))
                if vehicle.overtime and not self.breaks:
                    price = max(1, rates(self.task.problem, vehicle).overtime)
                    self.time.SetCumulVarSoftUpperBound(
                        self.routing.End(van), max(0, vehicle.shift_end - self.zero), price
                    )
            if self.breaks and tail.rests:
                self.time.SetBreakIntervalsOfVehicle(self._rests(van, tail), van, service)
            if tail.out:
                self.routing.SetVehicleUsedWhenEmpty(True, van)

    def _rests(self, van: int, tail: Tail) -> list[Any]:
        """The breaks as intervals; one that may begin only after the shift's end is taken at the end."""
        solver, found = self.routing.solver(), list[Any]()
        for number, rest in enumerate(tail.rests):
            first, last = max(0, rest.earliest - self.zero), max(0, rest.latest - self.zero)
            found.append(solver.FixedDurationIntervalVar(first, last, rest.seconds, False, f"rest {van} {number}"))
        return found

    def _stop(self, index: int, stop: Stop) -> None:
        windows = permitted(stop) or stop.windows
        arrival = self.time.CumulVar(index)
        if windows:
            opens, closes = max(0, windows[0][0] - self.zero), max(0, windows[-1][1] - self.zero)
            arrival.SetMin(min(opens, self.horizon))
            for (_, before), (after, _) in pairwise(windows):
                if after - self.zero > max(opens, before - self.zero + 1):
                    arrival.RemoveInterval(max(before - self.zero + 1, 0), after - self.zero - 1)
            self._close(index, stop, closes)
        if stop.is_reload:
            self.routing.AddDisjunction([index], 0)
        elif stop.id in self.task.outside:
            self.routing.AddDisjunction([index], self.task.outside[stop.id] * self.task.unit)
        own = self.own.get(stop.id)
        for van, tail in enumerate(self.task.tails):
            if van != own and not self._may_serve(tail, stop):
                # SetAllowedVehiclesForIndex raises TypeError in the Python of 9.15
                self.routing.VehicleVar(index).RemoveValue(van)

    def _pairs(self) -> None:
        """What is collected on the way is brought by the same van, later; or neither happens."""
        solver = self.routing.solver()
        for stop in self.stops:
            if not stop.collects or stop.pair not in self.number:
                continue
            first, then = (self.manager.NodeToIndex(self.number[one]) for one in (stop.id, stop.pair))
            self.routing.AddPickupAndDelivery(first, then)
            solver.Add(self.routing.VehicleVar(first) == self.routing.VehicleVar(then))
            solver.Add(self.time.CumulVar(first) <= self.time.CumulVar(then))

    def _may_serve(self, tail: Tail, stop: Stop) -> bool:
        """Whether it may be put on the van's list; what stands there may stay in any case."""
        fetched = not (tail.away and stop.lies_at_depot) or tail.vehicle.id in self.callers
        return fetched and suitable(tail.vehicle, stop)

    def _close(self, index: int, stop: Stop, closes: int) -> None:
        """Soft when the task is; otherwise hard, with the page's times as the softer, second band."""
        policy, unit = self.task.policy, self.task.unit
        shown = None if stop.eta is None else stop.eta[1] - self.zero
        price = policy.moved_per_minute * unit // 60
        if self.task.soft:
            self.time.SetCumulVarSoftUpperBound(index, closes, policy.late_per_second * unit)
            return
        self.time.CumulVar(index).SetMax(min(closes, self.horizon))
        if shown is not None and 0 <= shown < closes and price and not self.breaks:
            self.time.SetCumulVarSoftUpperBound(index, shown, price)

    def _wishes(self) -> None:
        """A price on starts outside wishes. Nobody waits for one, so waiting must be no way to meet it."""
        price = self.task.policy.wish_per_minute * self.task.unit // 60
        if not self.task.policy.wish_per_minute:
            return
        price = max(1, price)  # without tariffs the model knows nothing smaller than a second for a second
        for van, tail in enumerate(self.task.tails):
            self.time.CumulVar(self.routing.Start(van)).SetMax(max(0, tail.ready - self.zero))
            self.time.SetSlackCostCoefficientForVehicle(price, van)
        for number, stop in enumerate(self.stops):
            if stop.wish is None:
                continue
            index = self.manager.NodeToIndex(number)
            self.time.SetCumulVarSoftLowerBound(index, max(0, stop.wish[0] - self.zero), price)
            if not self.time.HasCumulVarSoftUpperBound(index):  # a limit or a shown time weighs more
                self.time.SetCumulVarSoftUpperBound(index, max(0, stop.wish[1] - self.zero), price)

    def warm(self) -> list[list[int]]:
        return [[self.manager.NodeToIndex(self.number[stop]) for stop in tail.stops] for tail in self.task.tails]

    def routes(self, assignment: Any) -> Routes | None:
        if assignment is None:
            return None
        return self.followed(lambda index: int(assignment.Value(self.routing.NextVar(index))))

    def followed(self, after: Callable[[int], int]) -> Routes:
        """The stops of every tail, one after the other."""
        found: Routes = []
        for van in range(len(self.task.tails)):
            index, stops = after(self.routing.Start(van)), list[str]()
            while not self.routing.IsEnd(index):
                stops.append(self.stops[self.manager.IndexToNode(index)].id)
                index = after(index)
            found.append(tuple(stops))
        return found


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
    # guided search never ends by itself: the ruining would wait for the time limit
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
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
    seconds_left = 60.0 if limit.seconds is None else limit.seconds
    parameters.time_limit.FromMilliseconds(max(1, round(seconds_left * 1000)))
    if limit.solutions is not None:
        parameters.solution_limit = limit.solutions
    return parameters
