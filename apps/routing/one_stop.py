"""Which deliveries to one place are one stop: those that one van can hand over at one time."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from apps.deliveries.models import Delivery, Parcel
from apps.fleet.selectors import shifts_of
from apps.routing.epoch_seconds import since
from apps.routing.models import DayPlan
from apps.routing.planner.problem import NO_LOAD, Load, Window
from apps.routing.rows import weighed
from apps.routing.stops import clipped, epoch_of, open_windows

LEAST_COMMON_SECONDS = 1800
"""Those who have less time than this in common are no stop that a van could be sure to reach in time."""


class _Group(NamedTuple):
    """Deliveries with what is common of their windows; `load` is what is brought, or what is collected."""

    members: list[Delivery]
    common: Window
    load: Load


def together(deliveries: Iterable[Delivery], plan: DayPlan) -> list[list[Delivery]]:
    """The deliveries, stop by stop.

    Each joins the first stop at its place (by merge key) with the same needs and direction, while the place is open at
    a time that suits all of them and a van of that day can hold it all.
    """
    found, epoch, rooms = list(deliveries), epoch_of(plan.depot, plan.day), _rooms(plan)
    loads = weighed(Parcel.objects.filter(delivery__in=found))
    groups: dict[object, list[_Group]] = defaultdict(list)
    for one in found:
        window = clipped(since(epoch, one.window_earliest), since(epoch, one.window_latest))
        new = _Group([one], window, loads.get(one.pk, NO_LOAD))
        key = one.place.merge_key if one.collect_from_id is None else ""
        alike = groups[(key, one.kind, frozenset(one.needs)) if key else one.pk]
        for index, group in enumerate(alike):
            if (both := _joined(group, new, plan, rooms)) is not None:
                alike[index] = both
                break
        else:
            alike.append(new)
    return [group.members for alike in groups.values() for group in alike]


def _joined(group: _Group, new: _Group, plan: DayPlan, rooms: list[Load]) -> _Group | None:
    common = max(group.common[0], new.common[0]), min(group.common[1], new.common[1])
    load = group.load + new.load
    shortest = min(last - first for first, last in (group.common, new.common))
    if common[1] - common[0] < min(shortest, LEAST_COMMON_SECONDS):
        return None
    if not open_windows(new.members[0].place, plan.depot, plan.day, *common):
        return None
    if rooms and not any(load.fits(room) for room in rooms):
        return None
    return _Group([*group.members, *new.members], common, load)


def _rooms(plan: DayPlan) -> list[Load]:
    """What the vans of that day can hold, each."""
    shifts = shifts_of(plan.depot).filter(day=plan.day)
    columns = "vehicle__capacity_grams", "vehicle__capacity_cubic_centimetres", "vehicle__capacity_pieces"
    return [Load(*row) for row in shifts.values_list(*columns)]
