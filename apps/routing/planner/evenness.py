"""How evenly a plan deals out the day: how much the vans' areas overlap, and how unequal their working time is.

*Overlap*: of the stops nearest to each stop, the share that another van serves. One van per area has little of it, vans
that criss-cross have much (which measures people use: Rossit, Vigo, Tohmé and Frutos 2019, Visual attractiveness in
routing problems). *Working time* is driving on the free road and service; a van's fair part of it is in proportion to
its shift. Uneven is the standard deviation from the fair parts, times the vans in use: unlike the longest less the
shortest it falls with whatever goes from a fuller van to an emptier one (Matl, Hartl and Vidal 2018, Workload equity in
vehicle routing problems). Only the vans in use count; carriers do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from apps.routing.planner.limits import Policy
from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.ride import Ride
from apps.routing.planner.solution import Route, Solution

NEIGHBOURS: Final = 5
"""The stops nearest to each stop, that should be its van's own."""


class Links(NamedTuple):
    """Pairs of neighbouring stops: numbers in `stops`, one row for each of the `NEIGHBOURS` of every stop."""

    stops: dict[str, int]
    one: npt.NDArray[np.intp]
    other: npt.NDArray[np.intp]

    def between(self, ones: Sequence[int], others: Sequence[int]) -> npt.NDArray[np.int64]:
        """Links of each of some stops with each of others, either way."""
        row, column = (np.full(len(self.stops), -1, dtype=np.intp) for _ in range(2))
        row[ones], column[others] = np.arange(len(ones)), np.arange(len(others))
        found = np.zeros((len(ones), len(others)), dtype=np.int64)
        for here, there in ((self.one, self.other), (self.other, self.one)):
            both = (row[here] >= 0) & (column[there] >= 0)
            np.add.at(found, (row[here[both]], column[there[both]]), 1)
        return found


@dataclass(frozen=True, slots=True)
class Evenness:
    """A plan's figures.

    - `foreign` of the `pairs` of neighbouring stops are served by two vans.
    - `spread`: seconds between the van most above and the van most below its fair part of the working time; with equal
      shifts the longest less the shortest. `uneven`: see above, in seconds.
    """

    foreign: int = 0
    pairs: int = 0
    spread: int = 0
    uneven: int = 0

    @property
    def overlap_permille(self) -> int:
        return 1000 * self.foreign // self.pairs if self.pairs else 0

    def price(self, policy: Policy) -> int:
        """What it counts under a policy, in seconds of driving."""
        return policy.overlap * self.foreign // NEIGHBOURS + policy.uneven * self.uneven // 100


def evenness(problem: Problem, solution: Solution) -> Evenness:
    """The figures of a plan."""
    routes = [route for route in solution.routes if in_use(problem, route)]
    foreign, pairs = _overlap(problem, routes)
    work = [work_of(problem, route) for route in routes]
    above = deviations(work, [shift_of(problem.vehicle[route.vehicle]) for route in routes])
    spread = round(max(above) - min(above)) if above else 0
    return Evenness(foreign, pairs, spread, unevenness(above))


def in_use(problem: Problem, route: Route) -> bool:
    """Whether it is an own van with something to do."""
    vehicle = problem.vehicle.get(route.vehicle)
    return bool(route.stops) and vehicle is not None and not vehicle.is_carrier


def work_of(problem: Problem, route: Route) -> int:
    """Seconds of driving and service; waiting and breaks are none."""
    ride = Ride.of(problem, route)
    return sum(ride.legs) + sum(stop.service for stop in ride.stops)


def shift_of(vehicle: Vehicle) -> int:
    """Seconds that a van can work without overtime."""
    return max(1, vehicle.shift_end - vehicle.available - sum(rest.seconds for rest in vehicle.breaks))


def deviations(work: Sequence[int], shifts: Sequence[int]) -> list[float]:
    """Seconds of work that each van has above (or below) its fair part of all of it."""
    part = sum(work) / max(1, sum(shifts))
    return [done - part * shift for done, shift in zip(work, shifts, strict=True)]


def unevenness(above: Sequence[float]) -> int:
    """Standard deviation from the fair parts, times the number of vans."""
    return isqrt(round(len(above) * sum(seconds * seconds for seconds in above)))


_links: WeakKeyDictionary[Problem, Links] = WeakKeyDictionary()


def links_of(problem: Problem) -> Links:
    """Who lies near whom, whatever the plan; as the first own van drives, there and back. Kept with the problem."""
    found = _links.get(problem)
    if found is None:
        found = _links[problem] = _drawn(problem)
    return found


def _drawn(problem: Problem) -> Links:
    people = [stop for stop in problem.stops if not stop.is_reload]
    own = [vehicle for vehicle in problem.vehicles if not vehicle.is_carrier]
    number = {stop.id: index for index, stop in enumerate(people)}
    count = min(NEIGHBOURS, len(people) - 1)
    if not own or count < 1:
        none = np.zeros(0, dtype=np.intp)
        return Links(number, none, none)
    places = np.array([stop.location for stop in people])
    seconds = problem.travel[own[0].profile].seconds
    near = [_nearest(seconds, places, rows, count) for rows in np.array_split(np.arange(len(people)), _parts(people))]
    return Links(number, np.repeat(np.arange(len(people)), count), np.concatenate(near).ravel())


def _parts(people: Sequence[Stop]) -> int:
    """So many stops at a time that a day of thousands takes no gigabyte."""
    return -(-len(people) // 500)


def _nearest(
    seconds: npt.NDArray[np.int32], places: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], count: int
) -> npt.NDArray[np.intp]:
    """The stops nearest to each of these rows, there and back; itself left out."""
    here = places[rows]
    way = seconds[np.ix_(here, places)].astype(np.int64) + seconds[np.ix_(places, here)].T
    way[np.arange(len(rows)), rows] = 2**62
    return np.argsort(way, axis=1, kind="stable")[:, :count]


def vans_of(links: Links, routes: Sequence[Route]) -> npt.NDArray[np.intp]:
    """The number of each stop's route, -1 where none of these serves it."""
    found = np.full(len(links.stops), -1, dtype=np.intp)
    known: Mapping[str, int] = links.stops
    for van, route in enumerate(routes):
        found[[known[stop] for stop in route.stops if stop in known]] = van
    return found


def _overlap(problem: Problem, routes: Sequence[Route]) -> tuple[int, int]:
    links = links_of(problem)
    van = vans_of(links, routes)
    one, other = van[links.one], van[links.other]
    served = (one >= 0) & (other >= 0)
    return int((served & (one != other)).sum()), int(served.sum())
