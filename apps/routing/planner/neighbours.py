"""Which vans work close to each other: the sub-fleets worth solving together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.routing.planner.problem import Problem
from apps.routing.planner.solution import Solution


def nearest_vans(problem: Problem, standing: Solution, first: Sequence[str], count: int) -> list[str]:
    """The given vans and those whose movable stops lie nearest to theirs, at most `count`.

    Nearness is the mean drive from each of the first vans' stops to the other van's closest one. A van without any
    movable stop comes last.
    """
    own = _places(problem, standing, first)
    distance: dict[str, float] = {}
    for vehicle in problem.vehicles:
        if vehicle.id in first:
            continue
        theirs = _places(problem, standing, [vehicle.id])
        if own and theirs:
            seconds = problem.travel[vehicle.profile].seconds[np.ix_(own, theirs)]
            distance[vehicle.id] = float(seconds.min(axis=1).mean())
        else:
            distance[vehicle.id] = float("inf")
    others = sorted(distance, key=lambda van: (distance[van], van))
    return [*first, *others][:count]


def _places(problem: Problem, standing: Solution, vans: Sequence[str]) -> list[int]:
    routes = [standing.route[van] for van in vans if van in standing.route]
    return [problem.stop[stop].location for route in routes for stop in route.stops[route.frozen :]]
