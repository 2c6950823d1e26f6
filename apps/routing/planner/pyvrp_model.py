"""A cold day plan by PyVRP (optional extra): stronger than OR-Tools where no van has left and nothing is loaded.

The only module that imports pyvrp. Several windows become mutually exclusive clients; who may not serve whom (skills,
zones, depots) becomes a road that does not exist; what a leg costs is its "distance", so tariffs fit; vans that are
alike are one type; a van's calls at its depot are reloads there. Breaks, range, traffic's hours and overtime it is not
told of.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyvrp import (
    Client,
    ClientGroup,
    Depot,
    Location,
    PenaltyParams,
    ProblemData,
    SolveParams,
    VehicleType,
    solve,
)
from pyvrp import Route as PlannedRoute

from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Pace
from apps.routing.planner.prices import Rates, rates, units_per_second
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.sheet import Manner, Matrix, metres, seconds, suitable
from apps.routing.planner.solution import Route
from apps.routing.planner.travel import UNREACHABLE

type Places = npt.NDArray[np.intp]

STOPS: Final = "stops"
"""A load that counts stops, for vans that may serve only so many."""

DEAREST: Final = 100_000
"""What the search may at most let a unit too much of a load or of time cost, in seconds of driving."""

NO_ROAD: Final = 10**12
"""Price of a leg that nobody may drive: far beyond what leaving any stop out costs."""


def suits(problem: Problem) -> bool:
    """Whether its plan is a start at all: no van under way, no parcel on board, no time before the epoch."""
    own = [vehicle for vehicle in problem.vehicles if not vehicle.is_carrier]
    return (
        bool(own)
        and not any(vehicle.started or vehicle.available < 0 for vehicle in own)
        and not any(stop.loaded_on for stop in problem.stops)
    )


def expresses(problem: Problem) -> bool:
    """Whether it knows every constraint of the problem, so that nothing need go over its plan."""
    limited = any(vehicle.breaks or vehicle.first_range is not None or vehicle.overtime for vehicle in problem.vehicles)
    soft = any(stop.pair or stop.wish is not None for stop in problem.stops)
    return not limited and not problem.traffic and not soft


def build_cold(
    problem: Problem, stops: Sequence[Stop], outside: Mapping[str, int] | None, pace: Pace, part: float, seed: int
) -> list[Route]:
    """The own vans' routes within a part of the time.

    What does not pay what leaving it out costs (`outside`, in seconds of driving) is left out; without prices every
    stop is a must, and a plan that breaks something may come back.
    """
    until = time.monotonic() + part * pace.left - min(0.5, 0.01 * pace.left)
    model = _Model(problem, stops, outside)
    stopping = _Stopping(until, pace, units_per_second(problem))
    # In units of money a piece too many has to cost as much as driving for hours, or nobody reloads.
    dearest = PenaltyParams(max_penalty=DEAREST * units_per_second(problem))
    params = SolveParams(penalty=dearest)
    result = solve(model.data, stop=stopping, seed=seed, collect_stats=False, display=False, params=params)
    free = {number: list(vans) for number, vans in enumerate(model.types.values())}
    routes = {}
    for route in result.best.routes():
        van = free[route.vehicle_type()].pop(0)
        routes[van] = Route(van, tuple(model.stops_of(van, route)))
    return [routes.get(vehicle.id, Route(vehicle.id)) for vehicle in problem.vehicles if not vehicle.is_carrier]


class _Stopping:
    """PyVRP's question after every iteration: by the clock, by the count, or because somebody said so."""

    def __init__(self, until: float, pace: Pace, unit: int) -> None:
        self.until, self.pace, self.unit = until, pace, unit
        self.iterations = pace.limit.solutions

    def __call__(self, best_cost: float) -> bool:
        if self.iterations is not None:
            self.iterations -= 1
            if self.iterations < 0:
                return True
        known = None if best_cost >= 2**60 else int(best_cost) // self.unit
        return time.monotonic() >= self.until or self.pace.tick(known)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Vans that drive alike, cost alike and may serve the same stops: they share their matrices."""

    manner: Manner
    rates: Rates
    skills: frozenset[str]
    zones: frozenset[str]
    barred_zones: frozenset[str]
    depot: str

    @classmethod
    def of(cls, problem: Problem, van: Vehicle) -> _Kind:
        manner = Manner.of(problem, van, van.available)
        return cls(manner, rates(problem, van), van.skills, van.zones, van.barred_zones, van.depot)


class _Calls(NamedTuple):
    """The calls at the depot that a van may make."""

    location: int
    seconds: int
    window: tuple[int, int]
    number: int

    @classmethod
    def of(cls, stops: Sequence[Stop]) -> _Calls | None:
        """None where there is none."""
        if not stops:
            return None
        first = stops[0]
        return cls(first.location, first.service, (max(0, first.windows[0][0]), first.windows[-1][1]), len(stops))

    @property
    def place(self) -> tuple[int, int, tuple[int, int]]:
        """What vans may share: where, how long, and when."""
        return self[:3]


class _Model:
    """The ProblemData: one location per depot and stop, one client per stop and window, one type per kind of van.

    Reloading has locations of its own behind the depots, because it takes time that the driver is paid for.
    """

    def __init__(self, problem: Problem, stops: Sequence[Stop], outside: Mapping[str, int] | None) -> None:
        self.problem, self.stops, self.ids = problem, stops, list[str]()
        own = [vehicle for vehicle in problem.vehicles if not vehicle.is_carrier]
        self.loads = _binding(own, stops)
        self.waves = _waves(problem)
        calls = {van.id: _Calls.of(self.waves[van.id]) for van in own if van.id in self.waves}
        depots = list(dict.fromkeys(place for van in own for place in (van.start, van.end)))
        self.reloads = list(dict.fromkeys(call.place for call in calls.values() if call is not None))
        first = len(depots) + len(self.reloads)
        unit = units_per_second(problem)
        clients: list[Client] = []
        groups: list[ClientGroup] = []
        for number, stop in enumerate(stops):
            windows = [(max(0, opens), closes) for opens, closes in permitted(stop) if closes >= 0]
            group = None
            if len(windows) > 1:
                group = len(groups)
                groups.append(ClientGroup([len(clients) + i for i in range(len(windows))], required=outside is None))
            prize = None if outside is None else outside[stop.id] * unit
            for window in windows:
                clients.append(self._client(stop, first + number, window, group, prize))
                self.ids.append(stop.id)
        kinds: dict[_Kind, Vehicle] = {}
        for van in own:
            kinds.setdefault(_Kind.of(problem, van), van)
        ramps = [place for place, _seconds, _window in self.reloads]
        places = np.array(depots + ramps + [stop.location for stop in stops], dtype=np.intp)
        matrices = [self._matrices(kind, van, places) for kind, van in kinds.items()]
        self.types: dict[tuple[Vehicle, _Calls | None], list[str]] = {}
        for van in own:
            self.types.setdefault((van.replace(id="alike"), calls.get(van.id)), []).append(van.id)
        profile = {kind: number for number, kind in enumerate(kinds)}
        self.data = ProblemData(
            locations=[Location(0, 0) for _ in places],
            clients=clients,
            depots=[
                *(Depot(location=number) for number in range(len(depots))),
                *(
                    Depot(len(depots) + number, tw_early=opens, tw_late=closes, service_duration=seconds)
                    for number, (_place, seconds, (opens, closes)) in enumerate(self.reloads)
                ),
            ],
            vehicle_types=[
                self._type(van, len(vans), depots, profile[_Kind.of(problem, van)], call)
                for (van, call), vans in self.types.items()
            ],
            distance_matrices=[prices for prices, _ in matrices],
            duration_matrices=[times for _, times in matrices],
            groups=groups,
        )

    def _matrices(self, kind: _Kind, van: Vehicle, places: Places) -> tuple[Matrix, Matrix]:
        """What a leg costs and how long it takes; one matrix where both are the same."""
        first = len(places) - len(self.stops)
        barred = [first + number for number, stop in enumerate(self.stops) if not suitable(van, stop)]
        times = seconds(self.problem, kind.manner, places)
        alike = not self.problem.priced and not self.problem.traffic
        price = times if alike else self._prices(kind, places, first)
        for matrix, forbidden in ((times, UNREACHABLE), (price, UNREACHABLE if alike else NO_ROAD)):
            matrix[:, barred] = forbidden
            matrix[barred, :] = forbidden
            np.fill_diagonal(matrix, 0)
        return price, times

    def _prices(self, kind: _Kind, places: Places, first: int) -> Matrix:
        free = self.problem.replace(traffic={})
        driving = seconds(free, kind.manner, places)
        price = driving * kind.rates.second + metres(self.problem, kind.manner.profile, places) * kind.rates.metre
        for number, (_place, reloading, _window) in enumerate(self.reloads, start=first - len(self.reloads)):
            price[:, number] += reloading * kind.rates.service
        price[:, first:] += np.array([stop.service for stop in self.stops]) * kind.rates.service + kind.rates.stop
        price[driving >= UNREACHABLE] = NO_ROAD
        return price

    def _client(
        self, stop: Stop, location: int, window: tuple[int, int], group: int | None, prize: int | None
    ) -> Client:
        return Client(
            location=location,
            delivery=[1 if name == STOPS else getattr(stop.brings, name) for name in self.loads],
            pickup=[0 if name == STOPS else getattr(stop.takes, name) for name in self.loads],
            service_duration=stop.service,
            tw_early=window[0],
            tw_late=window[1],
            prize=prize or 0,
            required=prize is None and group is None,
            group=group,
        )

    def _type(self, van: Vehicle, count: int, depots: list[int], kind: int, call: _Calls | None) -> VehicleType:
        most = 10**6 if van.max_stops is None else van.max_stops
        return VehicleType(
            num_available=count,
            capacity=[most if name == STOPS else getattr(van.capacity, name) for name in self.loads],
            start_depot=depots.index(van.start),
            end_depot=depots.index(van.end),
            fixed_cost=rates(self.problem, van).start,
            tw_early=van.available,
            tw_late=van.shift_end,
            profile=kind,
            reload_depots=[] if call is None else [len(depots) + self.reloads.index(call.place)],
            max_reloads=0 if call is None else call.number,
        )

    def stops_of(self, van: str, route: PlannedRoute) -> Iterator[str]:
        """The route's stops in order; each reload in the middle is the next of the van's calls."""
        calls = iter(self.waves.get(van, ()))
        for number, activity in enumerate(route):
            if activity.is_client():
                yield self.ids[activity.idx]
            elif 0 < number < len(route) - 1:
                yield next(calls).id


def _waves(problem: Problem) -> dict[str, list[Stop]]:
    """The calls at the depot by van."""
    found: dict[str, list[Stop]] = {}
    for stop in problem.stops:
        if stop.reload_of is not None and stop.windows:
            found.setdefault(stop.reload_of, []).append(stop)
    return found


def _binding(vans: Sequence[Vehicle], stops: Sequence[Stop]) -> list[str]:
    """The dimensions in which not everything would fit into any one van: fewer make a quicker search."""
    found = []
    for name in ("grams", "cubic_centimetres", "pieces"):
        total = sum(getattr(stop.brings, name) + getattr(stop.takes, name) for stop in stops)
        if total > min(getattr(van.capacity, name) for van in vans):
            found.append(name)
    return [*found, STOPS] if any(van.max_stops is not None for van in vans) else found
