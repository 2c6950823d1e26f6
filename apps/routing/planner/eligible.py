"""Which vans may bring a stop at all, whatever the place on their route."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import Problem, Stop, Vehicle
from apps.routing.planner.solution import Reason
from apps.routing.planner.timetable import RouteTable, Timetable

type Mask = npt.NDArray[np.bool_]

RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}
"""From far away to nearly possible."""


def eligible(timetable: Timetable, stop: Stop) -> tuple[Mask, Reason]:
    """Which vans may bring the stop at all, and the nearest reason of those that may not."""
    reasons = [barred(timetable.problem, table, stop) for table in timetable.tables.values()]
    able = np.array([reason is None for reason in reasons], dtype=np.bool_)
    named = [reason for reason in reasons if reason is not None]
    return able, max(named, key=RANK.__getitem__, default=Reason.NO_VEHICLE)


def barred(problem: Problem, table: RouteTable, stop: Stop) -> Reason | None:
    """Why this van may not bring the stop at all; None when it may."""
    van = table.vehicle
    if stop.reload_of is not None:
        return None if stop.reload_of == van.id and not van.is_carrier else Reason.NO_VEHICLE
    if stop.loaded_on is not None and stop.loaded_on != van.id:
        return Reason.NO_VEHICLE
    unsuited = _unsuited(van, stop)
    if unsuited is not None:
        return unsuited
    if van.started and stop.lies_at_depot and not table.calls_again:
        return Reason.LEFT_DEPOT
    most = table.most_customers
    return Reason.MAX_STOPS if most is not None and table.customers >= most else None


def _unsuited(van: Vehicle, stop: Stop) -> Reason | None:
    """What no plan can change."""
    if stop.pair and van.is_carrier:
        return Reason.COLLECTION
    if not stop.skills <= van.skills:
        return Reason.SKILLS
    if (van.zones and stop.zone not in van.zones) or stop.zone in van.barred_zones or stop.areas & van.barred_zones:
        return Reason.ZONE
    if stop.lies_at_depot and van.depot and stop.depots and van.depot not in stop.depots:
        return Reason.DEPOT
    return None
