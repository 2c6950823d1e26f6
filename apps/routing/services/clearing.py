"""A day's plan with one delivery taken out of it: its drop, and the holds made for it."""

from dataclasses import dataclass

from apps.routing.closures import shut
from apps.routing.days_so_far import service_factor
from apps.routing.models import Drop, Visit
from apps.routing.planner.insertion import FrozenStop, Timetable, remove
from apps.routing.rows import DropRow
from apps.routing.snapshot import Snapshot
from apps.routing.stops import build_stop, carriers_of, is_aboard, point_of, service_of, told_of, total_load


@dataclass(frozen=True)
class Cleared:
    """`gone` are visits nobody needs any more, `shared` those that others keep, with what is left of them."""

    snapshot: Snapshot
    timetable: Timetable
    vans: frozenset[str]
    gone: tuple[int, ...]
    shared: dict[int, list[DropRow]]
    collection: str = ""
    """The stop that collects the delivery and stays, as the van is on its way there."""

    @property
    def members(self) -> dict[int, list[int]]:
        """Deliveries by visit, where they are others than in the snapshot."""
        return {visit: [drop.delivery for drop in drops] for visit, drops in self.shared.items()}


def clear(snapshot: Snapshot, delivery_id: int | None, *, keep_collection: bool = False) -> Cleared:
    """Raises FrozenStop when the van is already on its way to the delivery, or to the shop where it is collected;
    with `keep_collection` that stop then stays.
    """
    timetable, vans, gone, shared = snapshot.timetable, set(), [], {}
    collection = ""
    for visit, row in snapshot.visits.items() if delivery_id is not None else ():
        if row.collects != delivery_id:
            continue
        van = timetable.vehicle_of.get(row.key)
        try:
            timetable = remove(timetable, row.key)
            gone.append(visit)
        except FrozenStop:
            if not keep_collection:
                raise
            collection = row.key
        if van is not None:
            vans.add(van)
    for visit in snapshot.visits_of(delivery_id) if delivery_id is not None else []:
        stop = snapshot.visits[visit].key
        rest = [drop for drop in snapshot.drops[visit] if drop.delivery != delivery_id]
        van = timetable.vehicle_of.get(stop)
        if rest:
            shared[visit] = rest
            if van is not None:
                timetable = _smaller(snapshot, timetable, visit, van, rest)
        else:
            gone.append(visit)
            timetable = remove(timetable, stop)
        if van is not None:
            vans.add(van)
    return Cleared(snapshot, timetable, frozenset(vans), tuple(gone), shared, collection)


def _smaller(snapshot: Snapshot, timetable: Timetable, visit: int, van: str, rest: list[DropRow]) -> Timetable:
    row, route = snapshot.visits[visit], timetable.tables[van].route
    if row.key in route.stops[: route.frozen]:
        raise FrozenStop(row.key)
    stop = build_stop(
        row.key,
        row,
        rest,
        location=snapshot.problem.stop[row.key].location,
        day=snapshot.day,
        depot=snapshot.depot,
        loads=snapshot.loads,
        promises=told_of(rest, snapshot.promises),
        aboard=is_aboard(row, rest, carriers_of(snapshot.visits, snapshot.drops)),
        depots=snapshot.problem.stop[row.key].depots,
        factor=service_factor(snapshot.learned.times, snapshot.today, row, total_load(snapshot.loads, rest)),
    )
    profile = snapshot.shifts[van].profile
    stop = shut(stop, point_of(row), snapshot.closed, snapshot.profiles, profile)
    return timetable.with_route(route, timetable.problem.with_stop(stop))


def delete_rows(cleared: Cleared, delivery_id: int) -> None:
    """Takes the delivery's drops and holds out of the rows, and the visits that are empty then."""
    visits = [*cleared.gone, *cleared.shared]
    if not visits:
        return
    Drop.objects.filter(visit__in=visits, delivery=delivery_id, is_open=True).delete()
    Visit.objects.filter(pk__in=cleared.gone).delete()
    for visit, rest in cleared.shared.items():
        Visit.objects.filter(pk=visit).update(service_seconds=service_of(drop.service for drop in rest))
