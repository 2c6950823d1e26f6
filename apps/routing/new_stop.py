"""A stop that is not in the plan yet."""

from apps.core.time_windows import TimeWindow
from apps.deliveries.inputs import ORDINARY, Terms
from apps.deliveries.models import Delivery
from apps.routing.closures import shut
from apps.routing.planner.problem import NEW_PLACE, Load, Stop
from apps.routing.planner.wishing import common
from apps.routing.snapshot import Snapshot
from apps.routing.stops import SECONDS_PER_FURTHER_DROP, Whereabouts, open_windows, point_of


def new_stop(
    snapshot: Snapshot,
    *,
    place: Whereabouts,
    window: TimeWindow,
    service: int,
    load: Load,
    loaded_on: str | None,
    terms: Terms = ORDINARY,
    lies_at: int | None = None,
    standing: str = "",
) -> Stop:
    """A stop that is not in the plan yet; `NEW_PLACE` when no matrix knows its place.

    `lies_at` and `standing`: as in `Sites.holding`.
    """
    location = snapshot.ground.location(point_of(place))
    windows = open_windows(place, snapshot.depot, snapshot.day, *snapshot.window(window))
    # Who asks for another window would like something else: the row forgets it then as well.
    preferred = terms.preferred if terms.preferred is not None and window.holds(terms.preferred) else None
    house = place.kind, place.postcode, max(1, load.pieces), getattr(place, "floor", None)
    service = min(round(service * snapshot.learned.times.service.factor(*house)), 86_400)
    stop = Stop(
        id="new",
        location=NEW_PLACE if location is None else location,
        windows=windows,
        service=service,
        load=load,
        loaded_on=loaded_on,
        merge_key=place.merge_key,
        zone=place.postcode,
        per_parcel=SECONDS_PER_FURTHER_DROP,
        skills=terms.needs,
        collects=terms.kind == Delivery.Kind.RETURN,
        priority=terms.priority,
        depots=snapshot.sites.holding(place, [lies_at], standing),
        wish=common(windows, [snapshot.window(preferred)] if preferred is not None else []),
    )
    own = snapshot.shifts.get(loaded_on or "")
    profile = own.profile if own is not None else ""
    return shut(stop, point_of(place), snapshot.closed, snapshot.profiles, profile)
