"""How the vans' day goes, and where they were seen: what a snapshot adds to the plan as it was made."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from apps.routing import roads
from apps.routing.past import free_road_of, past_rows, runs_of
from apps.routing.planner.learning import Times
from apps.routing.planner.problem import Load
from apps.routing.planner.replay import Today, course
from apps.routing.rows import VisitRow
from apps.routing.shift_rows import ShiftRow

_HOUR = 3600


class Sight(NamedTuple):
    """Where a van under way is: `free` seconds of empty road before its next stop, as of a posix second.

    `signal` is why that is not to be trusted: stale_position, off_route, or nothing.
    """

    at: int
    free: int
    cell: str
    signal: str = ""

    def arrival(self, epoch: int, profile: str, times: Times, today: Today) -> int:
        """Seconds since the epoch at which it reaches the next stop."""
        depart = self.at - epoch
        return depart + round(self.free * times.travel.factor(profile, self.cell, depart // _HOUR % 24) * today.road)


def days_so_far(
    shifts: Iterable[ShiftRow], epoch: int, day: str, ground: roads.Ground, times: Times
) -> dict[str, Today]:
    """What the stops and drives so far say of the rest, for every van under way; by its id in the problem."""
    routes = [row.route for row in shifts if row.departed is not None and row.finished is None]
    out = [route for route in routes if route is not None]
    if not out:
        return {}
    runs = runs_of(past_rows(out, epoch), day, free_road_of(ground.travel, ground.index))
    return {str(shift): course(run, times)[-1] for shift, run in runs.items()}


def service_factor(times: Times, today: Mapping[str, Today], row: VisitRow, load: Load) -> float:
    """By how much a visit's time at the door differs from what its orders say."""
    found = times.service.factor(row.kind, row.postcode, max(1, load.pieces), row.floor)
    van = today.get(str(row.shift)) if row.shift is not None else None
    return found * van.door if van is not None else found
