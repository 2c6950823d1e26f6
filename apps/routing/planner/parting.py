"""A day too large for one model, in parts: neighbouring stops together, the vans dealt out among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from apps.routing.planner.halves import whole_pairs
from apps.routing.planner.limits import Pace
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.solution import Route

PART: Final = 800
"""Stops of one part, about."""


def in_parts(
    problem: Problem, stops: list[Stop], solve: Callable[[Problem, float], list[Route]], pace: Pace
) -> list[Route]:
    """Routes of all own vans, part by part; what a part leaves out is for the caller to place."""
    count = -(-len(stops) // PART)
    routes: list[Route] = []
    own = [vehicle for vehicle in problem.vehicles if not vehicle.is_carrier]
    for number, part in enumerate(_parts(problem, stops, count)):
        if pace.over:
            break
        vans = tuple(own[number::count])
        if vans:
            share = 0.8 * max(0.1, pace.left) / (count - number)
            routes += solve(problem.replace(vehicles=vans, stops=tuple(whole_pairs(part))).compact(), share)
    return routes


def _parts(problem: Problem, stops: list[Stop], count: int) -> list[list[Stop]]:
    """Equal parts: each time the stop farthest from the first van's start, and those nearest to it."""
    vehicle = problem.vehicles[0]
    seconds = problem.travel[vehicle.profile].seconds
    places = np.array([stop.location for stop in stops])
    left = np.arange(len(stops))
    parts: list[list[Stop]] = []
    for number in range(count):
        size = -(-len(left) // (count - number))
        farthest = left[np.argmax(seconds[vehicle.start, places[left]])]
        order = np.argsort(seconds[places[farthest], places[left]], kind="stable")
        parts.append([stops[index] for index in left[order[:size]].tolist()])
        left = left[order[size:]]
    return parts
