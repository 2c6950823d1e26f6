"""What a van collects at a shop and brings to somebody the same day: two visits of one delivery, a pair in the plan."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Place
from apps.fleet.models import Depot
from apps.places.selectors import opening_windows
from apps.routing.models import DayPlan, Visit
from apps.routing.planner.problem import Load, Stop
from apps.routing.planner.stop import NEW_PLACE
from apps.routing.rows import REMAINING, DropRow, VisitRow
from apps.routing.stops import STILL_BUSY_SECONDS, Whereabouts, clipped, open_windows, zone_of

SECONDS: Final = 180
"""At the counter of a shop, from parking to leaving."""

NEW: Final = "collect"
"""The stop's id while no row stands for it."""

_WHOLE_DAY: Final = (0, 86_399)


def halves(visits: Mapping[int, VisitRow], drops: Mapping[int, list[DropRow]]) -> dict[int, int]:
    """The visit of the other half, by visit, both ways round; a hold's halves belong together."""
    shops = {(row.collects, row.hold_until is not None): row.visit for row in visits.values() if row.collects}
    found: dict[int, int] = {}
    for visit, rows in drops.items() if shops else ():
        for drop in rows:
            shop = shops.get((drop.delivery, drop.is_hold))
            if shop is not None:
                found[visit], found[shop] = shop, visit
    return found


def brought(stop: Stop, other: int | None, drops: Collection[DropRow]) -> Stop:
    """The stop of the drop: half of a pair while its goods wait in the shop; nobody comes when nobody collects them."""
    if stop.loaded_on is not None or stop.collects:
        return stop
    if other is not None:
        return stop.replace(pair=f"v{other}", merge_key="", depots=frozenset())
    return stop.replace(windows=()) if any(drop.at_shop for drop in drops) else stop


def collection(
    key: str, place: Whereabouts, *, location: int | None, load: Load, bring: str, depot: Depot, day: date
) -> Stop:
    """The stop at the shop, while it is open, for the stop `bring` further on; "" for none any more."""
    return Stop(
        id=key,
        location=NEW_PLACE if location is None else location,
        windows=open_windows(place, depot, day, *clipped(*_WHOLE_DAY)),
        service=SECONDS,
        load=load,
        zone=place.postcode,
        collects=True,
        pair=bring,
    )


def lasting(stop: Stop, arrived: int | None, now: int) -> Stop:
    """The same where the van stands already."""
    if arrived is None or now - arrived <= stop.service:
        return stop
    return stop.replace(service=min(now - arrived + STILL_BUSY_SECONDS, 86_400))


def open_collection(delivery_ids: Collection[int]) -> dict[int, Visit]:
    """The visit that is still to collect each of these deliveries, by delivery; holds not counted."""
    rows = Visit.objects.filter(collects__in=list(delivery_ids), state__in=REMAINING, hold_until=None)
    return {row.collects_id: row for row in rows.select_related("place") if row.collects_id is not None}


def shop_hours(visit: Visit) -> TimeWindow | None:
    """From when to when the shop of a collection is open that day; None: nobody said."""
    if visit.collects_id is None or not visit.place.opening_hours:
        return None
    plan = visit.plan
    spans = opening_windows(visit.place.opening_hours, plan.day, zone_of(plan.depot))
    return TimeWindow(spans[0].earliest, spans[-1].latest) if spans else None


def make_visit(plan: DayPlan, delivery: Delivery) -> Visit:
    """A visit to the shop of a delivery that is collected, on no route yet."""
    shop = delivery.collect_from
    assert shop is not None
    return Visit.objects.create(
        plan=plan,
        place=shop,
        kind=Visit.Kind.COLLECT,
        collects=delivery,
        service_seconds=SECONDS,
    )


def with_other_halves(visits: Sequence[int]) -> list[int]:
    """These visits, and behind them those that bring what some of them were to collect."""
    asked = Visit.objects.filter(pk__in=visits, kind=Visit.Kind.COLLECT).values("collects")
    further = Visit.objects.filter(drops__delivery__in=asked, drops__is_open=True, drops__is_hold=False)
    brought = list(further.order_by("sequence").values_list("pk", flat=True))
    return [*(visit for visit in visits if visit not in brought), *brought]


def shop_of(delivery: Delivery) -> Place | None:
    """Where it is still to be collected: no parcel of it has been on a van or at a depot. None: it lies there."""
    shop = delivery.collect_from
    return None if shop is None or delivery.parcels.filter(arrived_at__isnull=False).exists() else shop
