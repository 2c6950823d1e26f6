"""A day's vans as plain tuples: the roster, what each vehicle can do and costs, and how far its route is.

Instants are whole seconds since an epoch (UTC posix seconds) that the caller chooses.
"""

from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q

from apps.fleet.models import Depot, Vehicle
from apps.fleet.selectors import shifts_of
from apps.routing.epoch_seconds import seconds_of, since_midnight

_VEHICLE = (
    "depot__code",
    "depot__latitude",
    "depot__longitude",
    "code",
    "kind",
    "profile",
    "capacity_grams",
    "capacity_cubic_centimetres",
    "capacity_pieces",
    "postcodes",
    "barred_postcodes",
    "skills",
    "max_stops",
    "range_metres",
    "recharge_seconds",
    "reload_seconds",
    "cost_per_start",
    "cost_per_hour",
    "cost_per_kilometre",
    "cost_per_stop",
    "cost_per_overtime_hour",
    "grams_co2e_per_kilometre",
)

_CLOCK = ("earliest", "latest")


class ShiftRow(NamedTuple):
    """One van of the day; route columns are None while the shift has no route yet.

    `depot` is the code of the one it starts at, `latitude` and `longitude` where that lies.
    """

    shift: int
    vehicle: int
    depot: str
    latitude: float
    longitude: float
    code: str
    kind: str
    profile: str
    grams: int
    cubic_centimetres: int
    pieces: int
    postcodes: str
    barred_postcodes: str
    skills: list[str]
    max_stops: int | None
    range_metres: int | None
    recharge_seconds: int
    reload_seconds: int
    cost_per_start: int
    cost_per_hour: int
    cost_per_kilometre: int
    cost_per_stop: int
    cost_per_overtime_hour: int
    grams_co2e_per_kilometre: int
    breaks: list[dict[str, int]]
    overtime: int
    starts: int
    ends: int
    route: int | None
    revision: int | None
    departed: int | None
    finished: int | None
    planned_breaks: list[dict[str, Any]] | None

    @property
    def key(self) -> str:
        """The van's id in the planner's problem."""
        return str(self.shift)

    @property
    def zones(self) -> frozenset[str]:
        """The postcodes it serves; none at all means every one."""
        return codes_in(self.postcodes)

    @property
    def is_carrier(self) -> bool:
        return self.kind == Vehicle.Kind.CARRIER

    @property
    def can_reload(self) -> bool:
        """Whether it may come back to the depot in the middle of its day, for more parcels or for power."""
        return self.reload_seconds > 0 or (self.recharge_seconds > 0 and self.range_metres is not None)

    @property
    def reload_stop_seconds(self) -> int:
        return max(self.reload_seconds, self.recharge_seconds)


def codes_in(words: str) -> frozenset[str]:
    """Postcodes as staff write them, by commas."""
    return frozenset(filter(None, (code.strip() for code in words.split(","))))


def shift_rows(depot: Depot, day: date, epoch: int, shift_id: int | None = None) -> list[ShiftRow]:
    """The vans that drive that day, its micro depots' too: not those whose driver is sick or that broke down."""
    shifts = shifts_of(depot).filter(day=day, sick_at=None, broken_down_at=None)
    # A vehicle that was planned by another depot when the day's plan was made stays in that plan.
    shifts = shifts.filter(Q(route=None) | Q(route__plan__depot=depot))
    if shift_id is not None:
        shifts = shifts.filter(pk=shift_id)
    rows = shifts.order_by("pk").values_list(
        "pk",
        "vehicle_id",
        *(f"vehicle__{column}" for column in _VEHICLE),
        "breaks",
        "overtime_seconds",
        seconds_of("starts_at", epoch),
        seconds_of("ends_at", epoch),
        "route__pk",
        "route__revision",
        seconds_of("route__departed_at", epoch),
        seconds_of("route__finished_at", epoch),
        "route__breaks",
    )
    return [_by_the_clock(depot, day, ShiftRow._make(row)) for row in rows]


def _by_the_clock(depot: Depot, day: date, row: ShiftRow) -> ShiftRow:
    """Breaks as seconds that have gone by since midnight, also on the day the clocks change."""
    if not row.breaks:
        return row
    local = {column: [since_midnight(depot.time_zone, day, one[column]) for one in row.breaks] for column in _CLOCK}
    breaks = [{**one, **{column: local[column][at] for column in _CLOCK}} for at, one in enumerate(row.breaks)]
    return row._replace(breaks=breaks)
