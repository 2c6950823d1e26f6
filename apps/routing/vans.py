"""A shift's row as the planner's vehicle: what it can do, what it costs, where it stands and what it has left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apps.fleet.models import Vehicle as VehicleRow
from apps.routing.planner.emissions import FACTORS
from apps.routing.planner.problem import NO_LOAD, Break, Load, Stop, Tariff, Vehicle
from apps.routing.planner.solution import Route
from apps.routing.shift_rows import ShiftRow, codes_in

KINDS = {VehicleRow.Kind.DIESEL_VAN: "van"}
"""Where the planner has another word for a kind of vehicle."""


class RestTaken(NamedTuple):
    """A break that comes directly before the next arrival: seconds, and the first second at which it may begin."""

    earliest: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a van is on its round. A van at the depot has none of it.

    `left`: when it left its last place; `metres` driven since its last call at the depot; `collected` since then, where
    no stop is left to carry it on.
    """

    location: int
    left: int
    has_stops: bool
    first_arrival: int | None
    metres: int = 0
    collected: Load = NO_LOAD
    served: int = 0


@dataclass(frozen=True, slots=True)
class Breaks:
    """A shift's breaks that are still to come, in order, and where they lie on the route (as `Route.breaks`)."""

    ahead: tuple[Break, ...] = ()
    places: tuple[int, ...] = ()
    now: RestTaken | None = field(default=None)


def vehicle_of(shift: ShiftRow, depot: int, now: int, standing: Standing | None, breaks: Breaks) -> Vehicle:
    """The vehicle as it is now; `depot` is a location index."""
    vehicle = _at_depot(shift, depot, now, breaks)
    if standing is None:
        return vehicle
    left = None if shift.range_metres is None else max(0, shift.range_metres - standing.metres)
    return vehicle.replace(
        start=standing.location,
        # A carrier has no legs: what it has not brought by now comes later than now.
        available=standing.left if standing.has_stops and not shift.is_carrier else max(standing.left, now),
        capacity=less(vehicle.capacity, standing.collected),
        started=True,
        first_arrival=standing.first_arrival,
        range_left_metres=left,
        max_stops=None if shift.max_stops is None else max(0, shift.max_stops - standing.served),
    )


def _at_depot(shift: ShiftRow, depot: int, now: int, breaks: Breaks) -> Vehicle:
    kind = KINDS.get(VehicleRow.Kind(shift.kind), shift.kind)
    return Vehicle(
        id=shift.key,
        profile=shift.profile,
        start=depot,
        end=depot,
        available=min(max(shift.starts, now), shift.ends),
        shift_end=shift.ends,
        capacity=Load(shift.grams, shift.cubic_centimetres, shift.pieces),
        skills=frozenset(shift.skills),
        zones=shift.zones,
        kind=kind,
        breaks=() if shift.is_carrier else breaks.ahead,
        overtime=shift.overtime,
        range_metres=shift.range_metres,
        cost=tariff_of(shift),
        grams_co2e_per_kilometre=shift.grams_co2e_per_kilometre or FACTORS[kind].grams_per_kilometre,
        barred_zones=codes_in(shift.barred_postcodes),
        max_stops=shift.max_stops,
    )


def tariff_of(shift: ShiftRow) -> Tariff:
    # A carrier without a price would take everything for nothing.
    per_stop = max(shift.cost_per_stop, 1) if shift.is_carrier else shift.cost_per_stop
    return Tariff(
        shift.cost_per_start, shift.cost_per_hour, shift.cost_per_kilometre, per_stop, shift.cost_per_overtime_hour
    )


def less(room: Load, taken: Load) -> Load:
    """The room that is left."""
    return Load(
        max(0, room.grams - taken.grams),
        max(0, room.cubic_centimetres - taken.cubic_centimetres),
        max(0, room.pieces - taken.pieces),
    )


def reload_stop(shift: ShiftRow, depot: int, key: str) -> Stop:
    """A call at the depot that this van may make in the middle of its day."""
    window = (shift.starts, max(shift.starts, shift.ends))
    return Stop(key, depot, (window,), service=shift.reload_stop_seconds, reload_of=shift.key)


def breaks_ahead(shift: ShiftRow, stops: Sequence[int], planned: Mapping[int, int], behind: frozenset[int]) -> Breaks:
    """The breaks that a van still has before it.

    `stops` are its remaining visits in order, `planned` their expected arrival, `behind` the visits it has arrived at.
    A break is over once the van has come to the visit it lay before.
    """
    if shift.is_carrier or not shift.breaks:
        return Breaks()
    stored = {row["number"]: row for row in shift.planned_breaks or []}
    ahead: list[Break] = []
    places: list[int] = []
    now: RestTaken | None = None
    for number, one in enumerate(shift.breaks):
        row = stored.get(number)
        if shift.departed is not None and (row is None or row["before"] in behind):
            continue
        place = _place(row, one, stops, planned) if stops else 0
        if shift.departed is not None and stops and place == 0 and not ahead:
            now = RestTaken(one["earliest"], one["seconds"])
            continue
        ahead.append(Break(one["earliest"], one["latest"], one["seconds"]))
        places.append(max(place, places[-1] if places else 0))
    return Breaks(tuple(ahead), tuple(places) if stops else (), now)


def _place(
    row: Mapping[str, object] | None, one: Mapping[str, int], stops: Sequence[int], planned: Mapping[int, int]
) -> int:
    """Where the break lies: before its visit, or, when that is gone, before the first that begins late enough."""
    if row is not None and row["before"] in stops:
        return stops.index(row["before"])  # type: ignore[arg-type]
    if row is not None and row["before"] is None:
        return len(stops) + bool(row.get("back"))
    for index, visit in enumerate(stops):
        if planned.get(visit, 0) >= one["earliest"] + one["seconds"]:
            return index
    return len(stops)


def stored_breaks(
    shift: ShiftRow, vehicle: Vehicle, route: Route, visits: Sequence[int], behind: Collection[int]
) -> list[dict[str, object]]:
    """`routing.Route.breaks` for the route as planned; `visits` are its rows in order.

    A break that is being taken is no longer the planner's, and is kept until the van arrives (is `behind`): who looks
    next must not take it for one that is over. Rows of those that are over say what a drive was interrupted by.
    """
    numbers = range(len(shift.breaks) - len(vehicle.breaks), len(shift.breaks))
    rows: list[dict[str, object]] = []
    for row in shift.planned_breaks or []:
        if row["number"] < numbers.start:
            is_over = row["before"] in behind or not visits
            rows.append(dict(row) if is_over else {"number": row["number"], "before": visits[0]})
    for number, place in zip(numbers, route.breaks, strict=False):
        if place < len(visits):
            rows.append({"number": number, "before": visits[place]})
        else:
            rows.append({"number": number, "before": None, "back": place > len(visits)})
    return rows
