"""The travel between one new stop and both ends of every gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from apps.routing.planner.intervals import Instants
from apps.routing.planner.problem import Stop
from apps.routing.planner.timetable import Indices, Timetable
from apps.routing.planner.travel import UNREACHABLE

type Places = Indices | slice


class Approach(NamedTuple):
    """Seconds (on the free road, as slow as the van drives) and metres from each gap's first node to the new stop and
    on to its second node; the traffic zone of the new stop. A carrier has nothing to drive.
    """

    to: Instants
    away: Instants
    to_metres: Instants
    away_metres: Instants
    zone: Indices


def no_way(timetable: Timetable, zone: int = 0) -> Approach:
    """Nothing known: a carrier's approach, and where the others are filled in."""
    to, away, to_metres, away_metres, zones = np.zeros((5, timetable.gaps.van.size), dtype=np.int64)
    zones += zone
    return Approach(to, away, to_metres, away_metres, zones)


def known_approach(timetable: Timetable, stop: Stop) -> Approach:
    """The travel of a stop whose location stands in the matrices, gathered for every gap."""
    gaps, found = timetable.gaps, no_way(timetable)
    for profile, numbers in timetable.profiles.items():
        travel = timetable.problem.travel[profile]
        here, all_rows = stop.location, numbers.size == gaps.van.size
        before, after = (gaps.before, gaps.after) if all_rows else (gaps.before[numbers], gaps.after[numbers])
        rows: Places = slice(None) if all_rows else numbers
        # a whole column at first: picking single cells out of the matrix costs three times as much
        found.to[rows] = travel.seconds[:, here].take(before)
        found.away[rows] = travel.seconds[here].take(after)
        found.to_metres[rows] = travel.metres[:, here].take(before)
        found.away_metres[rows] = travel.metres[here].take(after)
        traffic = timetable.problem.traffic.get(profile)
        if traffic is not None:
            found.zone[numbers] = traffic.zone_of_location[stop.location]
    slow(timetable, found)
    return found


def slow(timetable: Timetable, approach: Approach) -> None:
    """Stretch the seconds of vans that drive slower today, rounded up; what is unreachable stays so."""
    percent = timetable.slowdowns
    if percent is None:
        return
    for column in (approach.to, approach.away):
        slowed = -(-column * percent[timetable.gaps.van] // 100)
        np.copyto(column, slowed, where=column < UNREACHABLE)
