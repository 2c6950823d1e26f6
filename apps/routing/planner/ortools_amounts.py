"""What adds up along a route, as dimensions of an OR-Tools model: load, range, number of stops, what the depot gives.

Without pick-ups and calls at the depot the load is one sum per route. With them it is two: what is still to be handed
over, which falls from the start, and what was taken along, which grows; together they fit. A call at the depot fills
the first (its slack) and empties the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.sheet import Matrix, sums
from apps.routing.planner.tails import Tail

DIMENSIONS: Final = ("grams", "cubic_centimetres", "pieces")
_FAR: Final = 10**9


def add_amounts(
    routing: Any,
    manager: Any,
    problem: Problem,
    tails: Sequence[Tail],
    stops: Sequence[Stop],
    yards: int,
    metres: Callable[[str], Matrix],
) -> None:
    """Adds whatever can bind; nothing where everything fits anyhow. Behind the stops come so many `yards`."""
    amounts = _Amounts(routing, manager, problem, tails, stops, yards)
    for name in DIMENSIONS:
        amounts.load(name)
    amounts.number()
    amounts.fed()
    amounts.range(metres)


class _Amounts:
    def __init__(
        self, routing: Any, manager: Any, problem: Problem, tails: Sequence[Tail], stops: Sequence[Stop], yards: int
    ) -> None:
        self.routing, self.manager, self.problem = routing, manager, problem
        self.tails, self.stops = tails, stops
        self.known = {stop.id for stop in stops}
        self.calls = {index for index, stop in enumerate(stops) if stop.is_reload}
        self.ends = [0] * yards

    def load(self, name: str) -> None:
        bring = [getattr(stop.brings, name) for stop in self.stops]
        take = [getattr(stop.takes, name) + self._carried(stop, name) for stop in self.stops]
        had = [int(getattr(tail.collected, name)) for tail in self.tails]
        room = [self._room(tail, name) for tail in self.tails]
        if sum(bring) + sum(max(0, amount) for amount in take) + max(had) <= min(room):
            return
        if not any(take) and not any(had) and not self.calls:
            if len(room) > 1 or sum(bring) > room[0]:
                transit = self.routing.RegisterUnaryTransitVector(bring + self.ends)
                self.routing.AddDimensionWithVehicleCapacity(transit, 0, room, True, name)
            return
        self._two_way(name, bring, take, had, room)

    def _carried(self, stop: Stop, name: str) -> int:
        """What is collected here for a stop further on, or was collected for this one (less than 0)."""
        if stop.pair not in self.known:
            return 0
        amount = int(getattr(stop.load, name))
        return amount if stop.collects else -amount

    def _two_way(self, name: str, bring: list[int], take: list[int], had: list[int], room: list[int]) -> None:
        widest = max(room)
        still = self._dimension(f"{name} to bring", [-amount for amount in bring], room)
        emptied = [-widest if index in self.calls else amount for index, amount in enumerate(take)]
        taken = self._dimension(f"{name} taken", emptied, [max(room[van], had[van]) for van in range(len(room))])
        solver = self.routing.solver()
        for van, before in enumerate(had):
            taken.CumulVar(self.routing.Start(van)).SetValue(before)
            end = self.routing.End(van)
            solver.Add(still.CumulVar(end) + taken.CumulVar(end) <= max(room[van], before))
            for at in (self.routing.Start(van), end):
                self.routing.AddVariableMinimizedByFinalizer(still.CumulVar(at))
                self.routing.AddVariableMinimizedByFinalizer(taken.CumulVar(at))
        same = len(set(room)) == 1
        for index in range(len(self.stops)):
            at = self.manager.NodeToIndex(index)
            limit = widest if same else solver.Element([widest, *room], self.routing.VehicleVar(at) + 1)
            solver.Add(still.CumulVar(at) + taken.CumulVar(at) <= limit)

    def _dimension(self, name: str, transit: list[int], room: list[int]) -> Any:
        """A sum that only a call at the depot may raise freely."""
        number = self.routing.RegisterUnaryTransitVector(transit + self.ends)
        slack = max(room) if self.calls else 0
        self.routing.AddDimensionWithVehicleCapacity(number, slack, room, False, name)
        found = self.routing.GetDimensionOrDie(name)
        self._slack_at_calls_only(found)
        return found

    def _slack_at_calls_only(self, dimension: Any) -> None:
        if not self.calls:
            return
        for index in range(len(self.stops)):
            if index not in self.calls:
                dimension.SlackVar(self.manager.NodeToIndex(index)).SetMax(0)
        for van in range(len(self.tails)):
            dimension.SlackVar(self.routing.Start(van)).SetMax(0)

    def _room(self, tail: Tail, name: str) -> int:
        """What the van can take; a standing overload stays possible."""
        own = [self.problem.stop[stop] for stop in tail.stops]
        call = next((number for number, stop in enumerate(own) if stop.is_reload), len(own))
        carried = sums(own[:call], "brings", name)
        return int(max(getattr(tail.room, name), carried))

    def number(self) -> None:
        if all(tail.most is None or tail.most >= len(self.stops) for tail in self.tails):
            return
        counted = [int(index not in self.calls) for index in range(len(self.stops))]
        most = [len(self.stops) if tail.most is None else max(tail.most, self._customers(tail)) for tail in self.tails]
        transit = self.routing.RegisterUnaryTransitVector(counted + self.ends)
        self.routing.AddDimensionWithVehicleCapacity(transit, 0, most, True, "number")

    def _customers(self, tail: Tail) -> int:
        return sum(not self.problem.stop[stop].is_reload for stop in tail.stops)

    def fed(self) -> None:
        """A van that has left gets what lies at the depot on board only where it calls there again."""
        at_depot = [-int(stop.lies_at_depot) for stop in self.stops]
        if not self.calls or not any(tail.away for tail in self.tails) or not any(at_depot):
            return
        count = len(self.stops)
        fed = self._dimension("fed", at_depot, [count] * len(self.tails))
        for van, tail in enumerate(self.tails):
            if tail.away:
                fed.CumulVar(self.routing.Start(van)).SetMax(self._kept_though_at_depot(tail))

    def _kept_though_at_depot(self, tail: Tail) -> int:
        """Stops of a standing plan that the van should not have: they may stay."""
        own = [self.problem.stop[stop] for stop in tail.stops]
        call = next((number for number, stop in enumerate(own) if stop.is_reload), len(own))
        return sum(stop.lies_at_depot for stop in own[:call])

    def range(self, metres: Callable[[str], Matrix]) -> None:
        """Metres left: every leg takes from them, a call at the depot fills them up."""
        if all(tail.metres is None and tail.vehicle.range_metres is None for tail in self.tails):
            return
        legs: dict[str, int] = {}
        free = self.routing.RegisterUnaryTransitVector([0] * (len(self.stops) + len(self.ends)))
        transits, full, first = list[int](), list[int](), list[int]()
        for tail in self.tails:
            profile = tail.vehicle.profile
            limited = tail.metres is not None or tail.vehicle.range_metres is not None
            if limited and profile not in legs:
                legs[profile] = self.routing.RegisterTransitMatrix((-metres(profile)).tolist())
            transits.append(legs[profile] if limited else free)
            first.append(_FAR if tail.metres is None else max(tail.metres, self._first_way(tail)))
            full.append(max(first[-1], _FAR if tail.vehicle.range_metres is None else tail.vehicle.range_metres))
        slack = max(full) if self.calls else 0
        self.routing.AddDimensionWithVehicleTransitAndCapacity(transits, slack, full, False, "range")
        left = self.routing.GetDimensionOrDie("range")
        self._slack_at_calls_only(left)
        vans = {tail.vehicle.id: van for van, tail in enumerate(self.tails)}
        for index in self.calls:
            at, most = self.manager.NodeToIndex(index), full[vans[str(self.stops[index].reload_of)]]
            # full when leaving, not when arriving at the stop behind
            self.routing.solver().Add(left.CumulVar(at) + left.SlackVar(at) <= most)
        for van, most in enumerate(first):
            left.CumulVar(self.routing.Start(van)).SetMax(most)
            self.routing.AddVariableMaximizedByFinalizer(left.CumulVar(self.routing.Start(van)))

    def _first_way(self, tail: Tail) -> int:
        """Metres of the standing way to the next call: what is too far already may stay so."""
        own = [self.problem.stop[stop] for stop in tail.stops]
        call = next((number for number, stop in enumerate(own) if stop.is_reload), None)
        places = [stop.location for stop in (own if call is None else own[: call + 1])]
        way = [tail.start, *places, *([tail.vehicle.end] if call is None else [])]
        if not own:
            return 0
        return sum(self.problem.metres(tail.vehicle.profile, a, b) for a, b in pairwise(way))
