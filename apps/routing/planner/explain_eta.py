"""Why an expected time moved: one cause after the other, in seconds that add up to the whole.

The plan before is turned into the plan after step by step (the van, the roads, stops gone, stops changed, their order,
stops that came, breaks), and after each step the stop's start is simulated anew: what a step moves is its share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.routing.planner.intervals import permitted
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.ride import Ride, slowed
from apps.routing.planner.solution import Route
from apps.routing.planner.timetable import RouteTable, Timetable


@dataclass(frozen=True, slots=True)
class EtaCause:
    """One reason why service starts earlier (below 0) or later, and by how many seconds.

    Codes: `late_van` (the van is later or earlier than planned, or slower), `traffic`, `removed`, `changed` (a stop
    ahead takes longer, or opens later), `reordered`, `inserted`, `break`, `other_van`, `own_window`. `stop` names the
    stop that came, went or changed; `vehicle` the van that brings it now.
    """

    code: str
    seconds: int
    stop: str = ""
    vehicle: str = ""


def explain_eta(before: Timetable, after: Timetable, stop_id: str) -> list[EtaCause]:
    """What moved the start of a stop served in both plans, largest share first; nothing when it did not move.

    KeyError when one of the plans does not serve it.
    """
    was, now = before.times(stop_id).start, after.times(stop_id).start
    old, new = before.tables[before.vehicle_of[stop_id]], after.tables[after.vehicle_of[stop_id]]
    if old.vehicle.id != new.vehicle.id:
        return [EtaCause("other_van", now - was, vehicle=new.vehicle.id)] if now != was else []
    causes: dict[tuple[str, str], int] = {}
    clock = was
    for code, name, ride in _steps(old, new, stop_id):
        start = _start(ride, stop_id)
        causes[code, name] = causes.get((code, name), 0) + start - clock
        clock = start
    found = [EtaCause(code, seconds, name) for (code, name), seconds in causes.items() if seconds]
    return sorted(found, key=lambda cause: -abs(cause.seconds))


def _start(ride: Ride, stop_id: str) -> int:
    return ride.drive().times[ride.route.stops.index(stop_id)].start


def _steps(old: RouteTable, new: RouteTable, target: str) -> Iterator[tuple[str, str, Ride]]:
    """(code, stop, ride) after each step from the old plan to the new one."""
    stops = {**{stop.id: stop for stop in new.stops}, **{stop.id: stop for stop in old.stops}}
    mixed = _Mixed(old, new, stops)
    ahead = old.route.stops[: old.route.stops.index(target) + 1]
    theirs = new.route.stops[: new.route.stops.index(target) + 1]
    driven = _driven(ahead, new)
    order, breaks = list(ahead[driven:]), tuple(max(0, at - driven) for at in old.route.breaks)
    breaks = breaks[len(old.vehicle.breaks) - len(new.vehicle.breaks) :] if len(breaks) else breaks
    yield "late_van", "", mixed.ride(order, breaks, traffic=False)
    yield "traffic", "", mixed.ride(order, breaks, traffic=True)
    for gone in [stop for stop in order if stop not in theirs]:
        breaks = _without(breaks, order.index(gone))
        order.remove(gone)
        yield "removed" if gone not in new.route.stops else "reordered", gone, mixed.ride(order, breaks, traffic=True)
    for stop in new.stops:
        if stop.id in order and stops[stop.id] != stop:
            stops[stop.id] = stop
            code = "own_window" if stop.id == target else "changed"
            yield code, stop.id, mixed.ride(order, breaks, traffic=True)
    order = [stop for stop in theirs if stop in order]
    yield "reordered", "", mixed.ride(order, breaks, traffic=True)
    for index, came in enumerate(theirs):
        if came not in order:
            stops[came] = new.stops[index]
            order.insert(index, came)
            breaks = tuple(at + 1 if at > index else at for at in breaks)
            code = "inserted" if came not in old.route.stops else "reordered"
            yield code, came, mixed.ride(order, breaks, traffic=True)
    yield "break", "", new.ride


def _driven(ahead: Sequence[str], new: RouteTable) -> int:
    """How many leading stops are done: they are not in the new problem any more."""
    count = 0
    for stop in ahead:
        if stop in new.problem.stop:
            break
        count += 1
    return count if new.vehicle.started else 0


def _without(breaks: tuple[int, ...], index: int) -> tuple[int, ...]:
    return tuple(at - 1 if at > index else at for at in breaks)


class _Mixed:
    """Rides of the new van over stops of both plans."""

    def __init__(self, old: RouteTable, new: RouteTable, stops: dict[str, Stop]) -> None:
        self.old, self.new, self.stops = old, new, stops

    def ride(self, order: Sequence[str], breaks: tuple[int, ...], *, traffic: bool) -> Ride:
        vehicle, problem = self.new.vehicle, self.new.problem if traffic else self.old.problem
        stops = [self.stops[stop] for stop in order]
        nodes = ["", *order]
        pairs = zip(nodes, [*order, order[-1]], strict=True)
        legs = [slowed(vehicle, self._leg(a, b, new=traffic)) for a, b in pairs]
        table = problem.traffic.get(vehicle.profile)
        zones = [table.zone_of_location[self._place(problem, node)] for node in [*nodes, ""]] if table else ()
        frozen = min(self.new.route.frozen, len(order)) if self._drives_to(order) else 0
        inside = tuple(min(at, len(order) + 1) for at in breaks[: len(vehicle.breaks)])
        route = Route(vehicle.id, tuple(order), frozen, inside)
        windows = [permitted(stop) for stop in stops]
        places = [0] * (len(order) + 2)
        return Ride(vehicle, route, stops, places, legs, windows, table, zones)

    def _drives_to(self, order: Sequence[str]) -> bool:
        """Whether the arrival that is known of the new van is one at this first stop."""
        return bool(self.new.route.stops) and order[0] == self.new.route.stops[0]

    def _leg(self, source: str, destination: str, *, new: bool) -> int:
        """From the plan whose roads are wanted, or from the other one where it alone knows both."""
        tables = (self.new, self.old) if new else (self.old, self.new)
        for table in tables:
            known = table.problem.stop
            if (not source or source in known) and destination in known:
                place = known[source].location if source else table.vehicle.start
                return table.problem.seconds(table.vehicle.profile, place, known[destination].location)
        return 0

    def _place(self, problem: Problem, node: str) -> int:
        stop = problem.stop.get(node)
        if stop is not None:
            return stop.location
        return (self.new if problem is self.new.problem else self.old).vehicle.start
