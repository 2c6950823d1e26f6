"""Rows of a depot-day turned into the planner's problem and the standing plan.

Done visits are left out; what is being driven to is frozen; a loaded parcel is pinned to its van; a slot hold counts
like a visit until it expires; the drops of one visit are one stop whose windows are what they have in common.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.fleet.models import Depot
from apps.routing import collecting, learned, roads, traffic_providers
from apps.routing.closures import Barrier, around, closed_on, let_past, shut
from apps.routing.days_so_far import Sight, days_so_far, service_factor
from apps.routing.epoch_seconds import instant, since
from apps.routing.frozen import frozen_stops
from apps.routing.models import Visit
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.learning import Times
from apps.routing.planner.problem import NO_LOAD, Load, Problem, Stop, Vehicle, Window
from apps.routing.planner.replay import Learned, Today
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.travel import UNREACHABLE
from apps.routing.rows import DoneRow, DropRow, PlanRows, VisitRow, read
from apps.routing.shift_rows import ShiftRow
from apps.routing.sites import Sites
from apps.routing.spare_calls import spare_calls
from apps.routing.stops import (
    Whereabouts,
    build_stop,
    carriers_of,
    clipped,
    epoch_of,
    is_aboard,
    point_of,
    told_of,
    total_load,
)
from apps.routing.vans import Breaks, RestTaken, Standing, breaks_ahead, reload_stop, vehicle_of


@dataclass(frozen=True)
class Snapshot:
    """A depot-day as it stood; instants are seconds since `epoch`, the depot's midnight."""

    depot: Depot
    sites: Sites
    day: date
    plan: int | None
    epoch: int
    now: int
    shifts: Mapping[str, ShiftRow]
    visits: Mapping[int, VisitRow]
    drops: Mapping[int, list[DropRow]]
    done: Mapping[int, list[DoneRow]]
    promises: Mapping[int, Window]
    loads: Mapping[int, Load]
    freezes: Mapping[int, tuple[int, int]]
    ground: roads.Ground = field(repr=False)
    problem: Problem = field(repr=False)
    standing: Solution = field(repr=False)
    closed: tuple[Barrier, ...] = ()
    learned: Learned = field(default_factory=Learned, repr=False)
    today: Mapping[str, Today] = field(default_factory=dict)
    """How the day of each van under way goes."""
    signals: Mapping[int, str] = field(default_factory=dict)
    """What the positions of shifts' vans say, where they were asked (`Sight.signal`)."""

    @cached_property
    def timetable(self) -> Timetable:
        return Timetable.of(self.problem, self.standing)

    @property
    def profiles(self) -> frozenset[str]:
        """How the day's vehicles drive."""
        return frozenset(shift.profile for shift in self.shifts.values())

    def instant(self, seconds: int) -> datetime:
        return instant(self.epoch, seconds)

    def frozen_at(self, van: str, now: int) -> int:
        """How many leading stops of the van may no longer change at that second."""
        rows = [self.visits[int(stop[1:])] for stop in self.standing.route[van].stops]
        return frozen_stops(self.shifts[van], rows, self.drops, self.freezes, now)

    def window(self, window: TimeWindow) -> Window:
        """A window in this day's seconds, cut to what a plan can hold."""
        return clipped(since(self.epoch, window.earliest), since(self.epoch, window.latest))

    def visits_of(self, delivery_id: int) -> list[int]:
        """The visits a delivery has a part in: its drop, and its holds."""
        return [visit for visit, drops in self.drops.items() if any(drop.delivery == delivery_id for drop in drops)]

    def is_off_the_map(self, place: Whereabouts) -> bool:
        """True for a place that no road comes near."""
        return point_of(place).key in self.ground.off


def take(
    *,
    depot: Depot,
    day: date,
    shift_id: int | None = None,
    places: Iterable[Whereabouts] = (),
    sights: Mapping[int, Sight] | None = None,
    learn: bool = False,
) -> Snapshot:
    """The depot-day now, or one van of it; a day without rows is the empty plan of its roster.

    `places` may come into play: the straight line learns them at once, roads are asked when it comes to it
    (`new_places`). `sights` say where a shift's van is, where something better than the stored forecast is
    known. `learn`: roads are asked for the places at once as well.
    """
    epoch = epoch_of(depot, day)
    rows = read(depot=depot, day=day, epoch=epoch, shift_id=shift_id)
    now = since(epoch, clock.now())
    driving = {row.shift for row in rows.shifts}
    visits = {row.visit: row for row in rows.visits if _counts(row, now, driving)}
    drops = {visit: rows.drops.get(visit, []) for visit in visits}
    promises = {delivery: clipped(*promise) for delivery, promise in rows.promises.items()}
    shifts = {row.key: row for row in rows.shifts}
    known = places if learn or roads.travel_source() == roads.STRAIGHT_LINE else ()
    behind = [row for done in rows.done.values() for row in done]
    sites = Sites.of(depot, day)
    ground = _ground(depot, day, shifts.values(), [*visits.values(), *known], behind)
    learned_now, sights, closed = learned.current(), sights or {}, closed_on(depot, day, clock.now())
    today = days_so_far(shifts.values(), epoch, str(day), ground, learned_now.times)
    times = learned_now.times
    build = _Builder(sites, day, now, rows, visits, drops, promises, rows.done, ground, times, today, closed)
    routes = [build.route(shift) for shift in shifts.values()]
    problem = build.problem(epoch, sights)
    served = {stop for route in routes for stop in route.stops}
    unserved = {row.key: _reason(row) for row in visits.values() if row.key not in served and not row.is_reload}
    standing = Solution(tuple(routes), unserved)
    return Snapshot(
        depot=depot,
        sites=sites,
        day=day,
        plan=rows.plan,
        epoch=epoch,
        now=now,
        shifts=shifts,
        visits=visits,
        drops=drops,
        done=rows.done,
        promises=promises,
        loads=rows.loads,
        freezes=rows.freezes,
        ground=ground,
        problem=problem,
        standing=standing,
        closed=closed,
        learned=learned_now,
        today=today,
        signals={shift: sight.signal for shift, sight in sights.items()},
    )


@dataclass(frozen=True)
class _Builder:
    sites: Sites
    day: date
    now: int
    rows: PlanRows
    visits: Mapping[int, VisitRow]
    drops: Mapping[int, list[DropRow]]
    promises: Mapping[int, Window]
    done: Mapping[int, list[DoneRow]]
    ground: roads.Ground
    times: Times
    today: Mapping[str, Today]
    closed: tuple[Barrier, ...]

    @cached_property
    def shifts(self) -> dict[int, ShiftRow]:
        return {shift.shift: shift for shift in self.rows.shifts}

    @cached_property
    def profiles(self) -> frozenset[str]:
        return frozenset(shift.profile for shift in self.rows.shifts)

    @cached_property
    def by_shift(self) -> dict[int, list[VisitRow]]:
        found: dict[int, list[VisitRow]] = {}
        for row in self.visits.values():
            if row.shift is not None:
                found.setdefault(row.shift, []).append(row)
        return found

    def problem(self, epoch: int, sights: Mapping[int, Sight]) -> Problem:
        vehicles = [self.vehicle(shift, sights.get(shift.shift)) for shift in self.rows.shifts]
        stops = [self.stop(row) for row in self.visits.values()]
        stops += spare_calls(self.rows.shifts, self.calls_made(), stops, self.home)
        travel = around(self.ground, self.closed)
        traffic = traffic_providers.provider(self.times).tables(travel, self.ground.points)
        return Problem(epoch, tuple(vehicles), tuple(stops), dict(travel), traffic=traffic)

    @property
    def depot(self) -> Depot:
        return self.sites.depots[0]

    def home(self, shift: ShiftRow) -> int:
        """The location of the depot it starts at."""
        return self.ground.index[point_of(shift).key]

    def breaks(self, shift: ShiftRow) -> Breaks:
        rows = self.by_shift.get(shift.shift, [])
        planned = {row.visit: row.planned for row in rows if row.planned is not None}
        behind = {row.visit for row in self.done.get(shift.shift, [])}
        behind |= {row.visit for row in rows if row.state == Visit.State.ARRIVED}
        return breaks_ahead(shift, [row.visit for row in rows], planned, frozenset(behind))

    def route(self, shift: ShiftRow) -> Route:
        rows = self.by_shift.get(shift.shift, [])
        frozen = frozen_stops(shift, rows, self.drops, self.rows.freezes, self.now)
        return Route(shift.key, tuple(row.key for row in rows), frozen, self.breaks(shift).places)

    def vehicle(self, shift: ShiftRow, sight: Sight | None) -> Vehicle:
        breaks, today = self.breaks(shift), self.today.get(shift.key)
        epoch = epoch_of(self.depot, self.day)
        arrival = sight and sight.arrival(epoch, shift.profile, self.times, today or Today())
        standing = None if shift.departed is None else self._standing(shift, shift.departed, breaks, arrival)
        vehicle = let_past(vehicle_of(shift, self.home(shift), self.now, standing, breaks), self.closed)
        if self.sites.several:
            vehicle = vehicle.replace(depot=shift.depot)
        return vehicle.replace(slowdown_percent=round(100 * today.road)) if today is not None else vehicle

    def _standing(self, shift: ShiftRow, departed: int, breaks: Breaks, arrival: int | None) -> Standing:
        done, rows = self.done.get(shift.shift, []), self.by_shift.get(shift.shift, [])
        location, left = self.home(shift), departed
        if done:
            location = self.ground.index[point_of(done[-1]).key]
            left = departed if done[-1].left is None else done[-1].left
        since = max((index + 1 for index, row in enumerate(done) if row.is_reload), default=0)
        # Where it has stops, the next one carries this load on (`_with_collected`).
        collected = NO_LOAD if rows else self._collected(shift.shift)
        first = self._first_arrival(rows[0], arrival) if rows else None
        if first is not None and breaks.now is not None and not shift.is_carrier:
            first = max(first, self._after_rest(shift, breaks.now, location, left, rows[0]))
        metres = self._driven(shift, done[since:])
        served = sum(not row.is_reload for row in done)
        return Standing(location, left, bool(rows), first, metres, collected, served)

    def _after_rest(self, shift: ShiftRow, rest: RestTaken, location: int, left: int, row: VisitRow) -> int:
        """When the van comes to its next stop if the break before it is still to be taken, or being taken."""
        over = max(left, rest.earliest) + rest.seconds
        if self.now >= over:
            return self.now
        drive = int(self.ground.travel[shift.profile].seconds[location, self.ground.index[point_of(row).key]])
        return over + drive if drive < UNREACHABLE else self.now

    def _driven(self, shift: ShiftRow, done: Sequence[DoneRow]) -> int:
        """Metres from the depot along these visits."""
        nodes = [self.home(shift), *(self.ground.index[point_of(row).key] for row in done)]
        legs: list[int] = self.ground.travel[shift.profile].metres[nodes[:-1], nodes[1:]].tolist()
        return sum(leg for leg in legs if leg < UNREACHABLE)

    def calls_made(self) -> Counter[int]:
        """Calls at the depot that are planned or behind, by shift."""
        made = Counter(row.shift for row in self.visits.values() if row.is_reload and row.shift is not None)
        made.update({shift: sum(row.is_reload for row in done) for shift, done in self.done.items()})
        return made

    def _first_arrival(self, row: VisitRow, forecast: int | None) -> int | None:
        if row.state == Visit.State.ARRIVED and row.arrived is not None:
            return row.arrived
        known = forecast if forecast is not None else row.planned
        return None if known is None else max(clipped(known, known)[0], self.now)

    def stop(self, row: VisitRow) -> Stop:
        if row.is_reload and row.shift is not None:
            shift = self.shifts[row.shift]
            return reload_stop(shift, self.home(shift), row.key)
        if row.collects is not None:
            return self._with_collected(self._collection(row), row)
        drops = self.drops[row.visit]
        load = self._load(drops)
        stop = build_stop(
            row.key,
            row,
            drops,
            location=self.ground.index[point_of(row).key],
            day=self.day,
            depot=self.depot,
            loads=self.rows.loads,
            promises=told_of(drops, self.promises),
            aboard=is_aboard(row, drops, self.carriers),
            depots=self.holding(row, drops),
            now=self.now,
            factor=service_factor(self.times, self.today, row, load),
        )
        stop = collecting.brought(stop, self.halves.get(row.visit), drops)
        stop = stop if row.arrived is not None else self.shut(stop, row)
        return self._with_collected(stop, row)

    @cached_property
    def halves(self) -> dict[int, int]:
        return collecting.halves(self.visits, self.drops)

    def _collection(self, row: VisitRow) -> Stop:
        """The stop at a shop. Where its other half is on board already, or gone, it is a stop like any other."""
        other = self.halves.get(row.visit)
        drops = self.drops[other] if other is not None else []
        waits = [drop for drop in drops if not drop.is_return]
        if other is not None and (not waits or is_aboard(self.visits[other], drops, self.carriers)):
            other = None
        stop = collecting.collection(
            row.key,
            row,
            location=self.ground.index[point_of(row).key],
            load=self._load(waits) if other is not None else NO_LOAD,
            bring=f"v{other}" if other is not None else "",
            depot=self.depot,
            day=self.day,
        )
        return self.shut(stop, row) if row.arrived is None else collecting.lasting(stop, row.arrived, self.now)

    def holding(self, row: VisitRow, drops: list[DropRow]) -> frozenset[str]:
        own = self.shifts.get(row.shift or 0)
        return self.sites.holding(row, [drop.lies_at for drop in drops], own.depot if own is not None else "")

    def _with_collected(self, stop: Stop, row: VisitRow) -> Stop:
        """What the van collected takes room until its next call at the depot: its next stop, frozen, hands it on."""
        if row.shift is None or self.by_shift[row.shift][0] is not row or row.shift not in self.shifts:
            return stop
        collected = self._collected(row.shift)
        if collected == NO_LOAD or stop.is_reload:
            return stop
        if stop.collects and not stop.pair:
            return stop.replace(load=stop.load + collected)
        return stop.replace(returns=stop.returns + collected)

    def _collected(self, shift: int) -> Load:
        """On board since the last call at the depot."""
        done = self.done.get(shift, [])
        since = max((index + 1 for index, row in enumerate(done) if row.is_reload), default=0)
        return sum((self.rows.collected.get(row.visit, NO_LOAD) for row in done[since:]), NO_LOAD)

    def shut(self, stop: Stop, row: VisitRow) -> Stop:
        profile = self.shifts[row.shift].profile if row.shift in self.shifts else ""
        return shut(stop, point_of(row), self.closed, self.profiles, profile)

    @cached_property
    def carriers(self) -> dict[int, int]:
        return carriers_of(self.visits, self.drops)

    def _load(self, drops: list[DropRow]) -> Load:
        return total_load(self.rows.loads, drops)


def _ground(
    depot: Depot,
    day: date,
    shifts: Iterable[ShiftRow],
    places: Iterable[Whereabouts | VisitRow],
    done: Iterable[DoneRow],
) -> roads.Ground:
    vans = list(shifts)
    profiles = sorted({shift.profile for shift in vans})
    points = [point_of(depot), *map(point_of, vans), *map(point_of, places), *map(point_of, done)]
    return roads.ground(depot_code=depot.code, day=day, points=points, profiles=profiles)


def _counts(row: VisitRow, now: int, driving: Collection[int]) -> bool:
    """Not a hold that has expired, nor a van's call at the depot when the van does not drive."""
    if row.is_reload and row.shift not in driving:
        return False
    return row.hold_until is None or row.hold_until > now


def _reason(row: VisitRow) -> Reason:
    return Reason(row.unserved_reason) if row.unserved_reason in Reason else Reason.NOT_PLANNED
