"""A depot-day as a dispatcher looks at it: each van's day in blocks of time, its stops, and what no van takes.

Times are aware datetimes; what lies behind is what happened, what lies ahead is what the plan expects.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.fleet.models import Shift
from apps.fleet.selectors import shifts_of
from apps.routing import plan_words, shares
from apps.routing.models import DayPlan, Incident, Route, Visit
from apps.routing.planner.emissions import plan_grams
from apps.routing.planner.explain import Obstacle, explain_unserved
from apps.routing.planner.intervals import lateness, permitted
from apps.routing.snapshot import Snapshot, take
from apps.routing.stops import zone_of

EXPLAINED, MOST_OBSTACLES = 12, 3
"""So many stops without a van are explained, each by what its nearest vans lack."""
# Told apart by people who see colours otherwise, too; each track also carries its van's name.
COLOURS = (
    ("#0b6bcb", "#6cb6ff"),
    ("#b4510b", "#ffb066"),
    ("#0a7d5a", "#5fd6ab"),
    ("#8b2fa8", "#dd9bf2"),
    ("#a8201a", "#ff948c"),
    ("#5a6270", "#b3bcc9"),
    ("#7a6a00", "#e3ce4a"),
    ("#06748c", "#64d3ec"),
    ("#96125f", "#ff8cc8"),
    ("#3c5a14", "#b4da7e"),
    ("#4b3fb5", "#aaa2ff"),
    ("#7d3c2b", "#e8a893"),
)
"""For the light scheme and for the dark one."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a van's day. `kind`: drive, wait, service, break or reload."""

    kind: str
    start: datetime
    end: datetime
    words: str = ""
    is_late: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class StopLine:
    """One stop of a van, in driving order. `window` is None for a call at the depot."""

    number: int
    start: datetime
    end: datetime
    town: str
    street: str
    orders: tuple[str, ...]
    deliveries: tuple[int, ...]
    window: tuple[datetime, datetime] | None
    state: str
    late_minutes: int
    point: tuple[float, float]
    is_reload: bool = False
    is_return: bool = False
    is_collection: bool = False


@dataclass(frozen=True, slots=True)
class VanLine:
    """One van's day. `colour` is an index into COLOURS."""

    shift: Shift
    route: Route | None
    colour: int
    blocks: tuple[Block, ...]
    stops: tuple[StopLine, ...]
    summary: str
    status: str

    @property
    def late(self) -> int:
        return sum(stop.late_minutes > 0 for stop in self.stops)

    @property
    def colours(self) -> tuple[str, str]:
        return COLOURS[self.colour]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that no van takes, and why."""

    orders: tuple[str, ...]
    deliveries: tuple[int, ...]
    town: str
    why: str
    against: tuple[str, ...]
    point: tuple[float, float]

    @property
    def links(self) -> list[tuple[int, str]]:
        """Delivery and order of each parcel that waits."""
        return list(zip(self.deliveries, self.orders, strict=True))


@dataclass(frozen=True, slots=True)
class Board:
    """All of it. `begins` and `ends` are full hours around every block; `now` is None on another day."""

    plan: DayPlan
    begins: datetime
    ends: datetime
    now: datetime | None
    vans: tuple[VanLine, ...]
    left_out: tuple[LeftOut, ...]
    incidents: tuple[Incident, ...]
    shares: str = ""
    """How evenly the vans share the day (see `shares.told`)."""
    grams: int = 0
    """CO2e of what is still to be driven."""

    @property
    def stops(self) -> int:
        return sum(len(van.stops) for van in self.vans)


def board_of(plan: DayPlan) -> Board:
    """The plan's day as it stands now."""
    snapshot = take(depot=plan.depot, day=plan.day)
    visits = _visits(plan)
    routes = {route.shift_id: route for route in Route.objects.filter(plan=plan)}
    shifts = shifts_of(plan.depot).filter(day=plan.day).select_related("vehicle__depot", "driver")
    vans = tuple(
        _van(snapshot, shift, routes.get(shift.pk), visits.get(shift.pk, []), number % len(COLOURS))
        for number, shift in enumerate(shifts.order_by("vehicle__code"))
    )
    now, zone = clock.now(), zone_of(plan.depot)
    begins, ends = _frame(vans, snapshot)
    return Board(
        plan=plan,
        begins=begins,
        ends=ends,
        now=now if now.astimezone(zone).date() == plan.day else None,
        vans=vans,
        left_out=tuple(_left_out(visit, number, snapshot) for number, visit in enumerate(visits.get(None, []))),
        incidents=tuple(plan.incidents.select_related("route__shift__vehicle", "visit__place").order_by("-pk")[:20]),
        shares=shares.told(snapshot, plan),
        grams=plan_grams(snapshot.problem, snapshot.standing),
    )


def _visits(plan: DayPlan) -> dict[int | None, list[Visit]]:
    """Visits by shift in driving order; those without a route under None."""
    rows = (
        Visit.objects.filter(plan=plan, hold_until=None)
        .select_related("place", "route")
        .prefetch_related("drops__delivery__order", "collects__order")
        .order_by("route__shift", "sequence", "pk")
    )
    rows = [row for row in rows if row.route is not None or row.state in Visit.REMAINING]  # type: ignore[assignment]
    keyed = groupby(rows, key=lambda row: row.route.shift_id if row.route else None)
    found: dict[int | None, list[Visit]] = {}
    for shift, group in keyed:
        found.setdefault(shift, []).extend(group)
    return found


def _van(snapshot: Snapshot, shift: Shift, route: Route | None, visits: list[Visit], colour: int) -> VanLine:
    times = _times(snapshot, shift)
    lines = tuple(_stop(number, visit, times, snapshot) for number, visit in enumerate(visits, start=1))
    blocks = tuple(_blocks(snapshot, shift, route, lines))
    return VanLine(shift, route, colour, blocks, lines, _summary(lines), _status(shift, route))


def _times(snapshot: Snapshot, shift: Shift) -> Mapping[int, tuple[datetime, datetime, int]]:
    """Start, end and seconds late of the stops ahead, by visit."""
    table = snapshot.timetable.tables.get(str(shift.pk))
    if table is None:
        return {}
    found = {}
    for stop, at in zip(table.route.stops, table.times, strict=True):
        late = lateness(permitted(snapshot.problem.stop[stop]), at.start)
        found[int(stop[1:])] = (snapshot.instant(at.start), snapshot.instant(at.departure), late)
    return found


def _stop(
    number: int, visit: Visit, times: Mapping[int, tuple[datetime, datetime, int]], snapshot: Snapshot
) -> StopLine:
    drops = list(visit.drops.all())
    start, end, late = times.get(visit.pk, (None, None, 0))
    if visit.arrived_at is not None:
        start = visit.arrived_at
        end = visit.left_at or max(end or start, start)
    start = start or visit.left_at or visit.planned_arrival or snapshot.instant(snapshot.now)
    end = visit.left_at or end or visit.planned_departure or start
    is_reload = visit.kind == Visit.Kind.RELOAD
    window = None
    if drops:
        window = max(d.delivery.window_earliest for d in drops), min(d.delivery.window_latest for d in drops)
    if visit.arrived_at is not None and window is not None:
        late = max(0, int((visit.arrived_at - window[1]).total_seconds()))
    return StopLine(
        number=number,
        start=start,
        end=max(end, start),
        town=visit.place.town,
        street=f"{visit.place.street} {visit.place.house_number}".strip(),
        orders=tuple(one.order.reference for one in _people(visit)),
        deliveries=tuple(one.pk for one in _people(visit)),
        window=window,
        state=visit.state,
        late_minutes=-(-late // 60),
        point=visit.place.point,
        is_reload=is_reload,
        is_return=any(drop.delivery.kind == drop.delivery.Kind.RETURN for drop in drops),
        is_collection=visit.collects is not None,
    )


def _people(visit: Visit) -> list[Delivery]:
    """The deliveries of a stop: brought there, or collected there for somebody further on."""
    if visit.collects is not None:
        return [visit.collects]
    return [drop.delivery for drop in visit.drops.all()]


def _blocks(snapshot: Snapshot, shift: Shift, route: Route | None, stops: Sequence[StopLine]) -> Iterator[Block]:
    """Handing over at each stop, and between two what is known of driving, waiting and resting."""
    table = snapshot.timetable.tables.get(str(shift.pk))
    if not stops:
        return
    zone = zone_of(snapshot.depot)
    ahead = len(table.route.stops) if table is not None else 0
    first_ahead = len(stops) - ahead
    since = route.departed_at if route is not None and route.departed_at is not None else shift.starts_at
    for index, stop in enumerate(stops):
        is_done = stop.state not in Visit.REMAINING
        clear = since
        if table is not None and index >= first_ahead:
            for rest in _rests(snapshot, str(shift.pk), index - first_ahead, since):
                yield rest
                clear = rest.end
            arrival = snapshot.instant(table.times[index - first_ahead].arrival)
            arrival = min(max(arrival, clear), stop.start)
            yield from _driven(clear, arrival, is_done)
            if stop.start > arrival:
                yield Block("wait", arrival, stop.start, _("waits for the window"))
        else:
            yield from _driven(clear, stop.start, is_done)
        late, begins = stop.late_minutes > 0, _begins(stop)
        if begins > stop.start:
            yield Block("wait", stop.start, begins, _("waits for the window"), is_done=is_done)
        yield Block("reload" if stop.is_reload else "service", begins, stop.end, _told(stop, zone), late, is_done)
        since = stop.end
    if table is not None and (ahead or (route is not None and route.finished_at is None)):
        rests = list(_rests(snapshot, str(shift.pk), ahead, since))
        yield from rests
        home = snapshot.instant(table.back)
        yield from _driven(rests[-1].end if rests else since, home, False)


def _begins(stop: StopLine) -> datetime:
    """When handing over began: who comes early waits in the van."""
    return min(stop.end, max(stop.start, stop.window[0])) if stop.window is not None else stop.start


def _driven(start: datetime, end: datetime, is_done: bool) -> Iterator[Block]:
    if end > start:
        yield Block("drive", start, end, is_done=is_done)


def _rests(snapshot: Snapshot, van: str, index: int, since: datetime) -> Iterator[Block]:
    """The breaks taken before leaving towards the stop of that index."""
    route, vehicle = snapshot.standing.route[van], snapshot.problem.vehicle[van]
    for rest, place in zip(vehicle.breaks, route.breaks, strict=False):
        if place == index:
            start = max(since, snapshot.instant(rest.earliest))
            since = start + timedelta(seconds=rest.seconds)
            yield Block("break", start, since, _("Break"))


def _told(stop: StopLine, zone: object) -> str:
    """What a block says when it is pointed at, or read out."""

    def at(instant: datetime) -> str:
        return f"{instant.astimezone(zone):%H:%M}"  # type: ignore[arg-type]

    if stop.is_reload:
        return _("%(start)s–%(end)s at the depot") % {"start": at(stop.start), "end": at(stop.end)}
    facts = {"number": stop.number, "start": at(stop.start), "end": at(stop.end), "orders": ", ".join(stop.orders)}
    told = _("Stop %(number)s, %(start)s–%(end)s, %(orders)s") % facts
    parts = [told, stop.town]
    if stop.window is not None:
        parts.append(_("agreed %(start)s–%(end)s") % {"start": at(stop.window[0]), "end": at(stop.window[1])})
    if stop.late_minutes:
        minutes = stop.late_minutes
        parts.append(ngettext("%(minutes)s minute late", "%(minutes)s minutes late", minutes) % {"minutes": minutes})
    return ", ".join(parts)


def _summary(stops: Sequence[StopLine]) -> str:
    count = sum(not stop.is_reload for stop in stops)
    if not count:
        return _("no stops")
    return ngettext("%(count)s stop", "%(count)s stops", count) % {"count": count}


def _status(shift: Shift, route: Route | None) -> str:
    if shift.broken_down_at:
        return _("broken down")
    if shift.sick_at:
        return _("driver sick")
    if route is None or route.departed_at is None:
        return _("at the depot")
    return _("back at the depot") if route.finished_at else _("on the road")


def _left_out(visit: Visit, number: int, snapshot: Snapshot) -> LeftOut:
    people, stop = _people(visit), f"v{visit.pk}"
    found: list[Obstacle] = []
    if number < EXPLAINED and stop in snapshot.problem.stop:
        found = explain_unserved(snapshot.timetable, stop)[:MOST_OBSTACLES]
    codes = {key: row.code for key, row in snapshot.shifts.items()}
    return LeftOut(
        orders=tuple(one.order.reference for one in people),
        deliveries=tuple(one.pk for one in people),
        town=f"{visit.place.postcode} {visit.place.town}".strip(),
        why=plan_words.unserved(visit.unserved_reason),
        against=tuple(plan_words.against(one, codes) for one in found),
        point=visit.place.point,
    )


def _frame(vans: Sequence[VanLine], snapshot: Snapshot) -> tuple[datetime, datetime]:
    starts = [van.shift.starts_at for van in vans] + [block.start for van in vans for block in van.blocks]
    ends = [van.shift.ends_at for van in vans] + [block.end for van in vans for block in van.blocks]
    begins = min(starts, default=snapshot.instant(8 * 3600)).replace(minute=0, second=0, microsecond=0)
    last = max(ends, default=begins + timedelta(hours=10))
    return begins, (last + timedelta(minutes=59)).replace(minute=0, second=0, microsecond=0)
