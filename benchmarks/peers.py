"""The other planners, used as their own pages show: what `benchmarks.static` compares the product with."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from benchmarks.instances import Instance

type Plan = list[list[int]]
"""Nodes per van; None where an engine found nothing."""

DROPPED = 10**8


def installed(engine: str) -> bool:
    package = {"gls": "ortools", "pyvrp": "pyvrp", "vroom": "vroom"}[engine]
    return importlib.util.find_spec(package) is not None


def gls(instance: Instance, seconds: float) -> Plan | None:
    """OR-Tools as its guide has it: parallel cheapest insertion, then guided local search, hard windows."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    whole, size = instance.whole, len(instance.demand)
    manager = pywrapcp.RoutingIndexManager(size, instance.vehicles, 0)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(whole.travel.tolist()))
    total = (whole.travel + np.array([0, *whole.service[1:]])[:, None]).tolist()
    horizon = max(whole.closes)
    model.AddDimension(model.RegisterTransitMatrix(total), horizon, horizon, False, "time")
    time = model.GetDimensionOrDie("time")
    for node in instance.customers:
        time.CumulVar(manager.NodeToIndex(node)).SetRange(whole.opens[node], whole.closes[node])
    for van in range(instance.vehicles):
        time.CumulVar(model.Start(van)).SetRange(whole.opens[0], whole.closes[0])
        time.CumulVar(model.End(van)).SetRange(whole.opens[0], whole.closes[0])
    demand = model.RegisterUnaryTransitVector(whole.demand)
    model.AddDimension(demand, 0, instance.capacity, True, "load")
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(round(seconds * 1000))
    found = model.SolveWithParameters(parameters)
    return None if found is None else [_followed(model, manager, found, van) for van in range(instance.vehicles)]


def _followed(model: Any, manager: Any, found: Any, van: int) -> list[int]:
    index, nodes = found.Value(model.NextVar(model.Start(van))), list[int]()
    while not model.IsEnd(index):
        nodes.append(manager.IndexToNode(index))
        index = found.Value(model.NextVar(index))
    return nodes


def pyvrp(instance: Instance, seconds: float) -> Plan | None:
    """PyVRP alone: required clients, one type of vehicle."""
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve
    from pyvrp.stop import MaxRuntime

    whole = instance.whole
    clients = [
        Client(
            location=node,
            delivery=[whole.demand[node]],
            service_duration=whole.service[node],
            tw_early=whole.opens[node],
            tw_late=whole.closes[node],
        )
        for node in instance.customers
    ]
    van = VehicleType(
        num_available=instance.vehicles,
        capacity=[instance.capacity],
        tw_early=whole.opens[0],
        tw_late=whole.closes[0],
    )
    data = ProblemData(
        locations=[Location(0, 0) for _ in instance.demand],
        clients=clients,
        depots=[Depot(location=0)],
        vehicle_types=[van],
        distance_matrices=[whole.travel],
        duration_matrices=[whole.travel],
    )
    best = solve(data, stop=MaxRuntime(seconds), seed=1, collect_stats=False).best
    return [[activity.idx + 1 for activity in route if activity.is_client()] for route in best.routes()]


def vroom(instance: Instance, seconds: float) -> Plan | None:
    """VROOM at its highest exploration level, whole-number durations."""
    import datetime

    import vroom as library

    whole = instance.whole
    problem = library.Input()
    matrix = whole.travel.astype(np.uint32)
    problem.set_durations_matrix("car", matrix)
    shift = library.TimeWindow(whole.opens[0], whole.closes[0])
    capacity = [instance.capacity]
    for van in range(instance.vehicles):
        problem.add_vehicle(library.Vehicle(van, start=0, end=0, capacity=capacity, time_window=shift))
    for node in instance.customers:
        problem.add_job(
            library.Job(
                node,
                node,
                default_service=whole.service[node],
                delivery=library.Amount([whole.demand[node]]),
                time_windows=[library.TimeWindow(whole.opens[node], whole.closes[node])],
            )
        )
    found = problem.solve(exploration_level=5, nb_threads=1, timeout=datetime.timedelta(seconds=seconds)).to_dict()
    return [[step["id"] for step in route["steps"] if step["type"] == "job"] for route in found["routes"]]
