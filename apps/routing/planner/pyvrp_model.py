"""A cold day plan by PyVRP (optional extra): stronger than OR-Tools where no van has left and nothing is loaded.

The only module that imports pyvrp. Several windows become mutually exclusive clients; who may not serve whom (skills,
zones) becomes a road that does not exist, so every kind of van has a travel profile of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType, solve
from pyvrp.stop import MaxIterations, MaxRuntime

from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Limit, Policy
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.travel import UNREACHABLE

type Matrix = npt.NDArray[np.int64]


def suits(problem: Problem) -> bool:
    """Whether it can plan the whole problem: no van under way, no parcel on board, no time before the epoch."""
    return (
        bool(problem.vehicles)
        and not any(vehicle.started or vehicle.available < 0 for vehicle in problem.vehicles)
        and not any(stop.loaded_on for stop in problem.stops)
    )


def build_cold(
    problem: Problem, stops: Sequence[Stop], limit: Limit, policy: Policy, seed: int
) -> list[tuple[str, ...]]:
    """Stops per van, in the problem's order of vans. What does not pay its drop penalty is left out."""
    model = _Model(problem, stops, policy)
    stopping = MaxRuntime(limit.seconds) if limit.solutions is None else MaxIterations(limit.solutions)
    result = solve(model.data, stop=stopping, seed=seed, collect_stats=False, display=False)
    found: list[tuple[str, ...]] = [()] * len(problem.vehicles)
    for route in result.best.routes():
        found[route.vehicle_type()] = tuple(model.ids[activity.idx] for activity in route if activity.is_client())
    return found


@dataclass(frozen=True, slots=True)
class _Kind:
    """Vans that drive alike and may serve the same stops."""

    profile: str
    skills: frozenset[str]
    zones: frozenset[str]

    @classmethod
    def of(cls, van: Vehicle) -> _Kind:
        return cls(van.profile, van.skills, van.zones)

    def may_serve(self, stop: Stop) -> bool:
        return stop.skills <= self.skills and (not self.zones or stop.zone in self.zones)


class _Model:
    """The ProblemData: one location per depot and stop, one client per stop and window."""

    def __init__(self, problem: Problem, stops: Sequence[Stop], policy: Policy) -> None:
        depots = list(dict.fromkeys(place for van in problem.vehicles for place in (van.start, van.end)))
        self.stops, self.ids = stops, list[str]()
        clients: list[Client] = []
        groups: list[ClientGroup] = []
        for number, stop in enumerate(stops):
            windows = [(max(0, opens), closes) for opens, closes in permitted(stop) if closes >= 0]
            group = None
            if len(windows) > 1:
                group = len(groups)
                groups.append(ClientGroup([len(clients) + i for i in range(len(windows))], required=False))
            for window in windows:
                clients.append(_client(stop, len(depots) + number, window, group, policy))
                self.ids.append(stop.id)
        kinds = list(dict.fromkeys(_Kind.of(van) for van in problem.vehicles))
        places = np.array(depots + [stop.location for stop in stops], dtype=np.intp)
        matrices = [_matrix(problem, kind, places, stops) for kind in kinds]
        vans = [_van(van, depots, kinds.index(_Kind.of(van))) for van in problem.vehicles]
        self.data = ProblemData(
            locations=[Location(0, 0) for _ in places],
            clients=clients,
            depots=[Depot(location=number) for number in range(len(depots))],
            vehicle_types=vans,
            distance_matrices=matrices,
            duration_matrices=matrices,
            groups=groups,
        )


def _client(stop: Stop, location: int, window: tuple[int, int], group: int | None, policy: Policy) -> Client:
    load = stop.load
    return Client(
        location=location,
        delivery=[load.grams, load.cubic_centimetres, load.pieces],
        service_duration=stop.service,
        tw_early=window[0],
        tw_late=window[1],
        prize=policy.dropped,
        required=False,
        group=group,
    )


def _van(van: Vehicle, depots: list[int], kind: int) -> VehicleType:
    room = van.capacity
    return VehicleType(
        num_available=1,
        capacity=[room.grams, room.cubic_centimetres, room.pieces],
        start_depot=depots.index(van.start),
        end_depot=depots.index(van.end),
        tw_early=van.available,
        tw_late=van.shift_end,
        profile=kind,
    )


def _matrix(problem: Problem, kind: _Kind, places: npt.NDArray[np.intp], stops: Sequence[Stop]) -> Matrix:
    seconds: Matrix = problem.travel[kind.profile].seconds[np.ix_(places, places)].astype(np.int64)
    first = len(places) - len(stops)
    barred = [first + number for number, stop in enumerate(stops) if not kind.may_serve(stop)]
    seconds[:, barred] = UNREACHABLE
    seconds[barred, :] = UNREACHABLE
    np.fill_diagonal(seconds, 0)
    return seconds
