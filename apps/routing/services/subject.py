"""What is to be planned: a delivery, or one that does not exist yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, Protocol

from apps.core import clock
from apps.core.errors import Refused
from apps.core.geo import distance_metres
from apps.deliveries.inputs import ORDINARY, Terms
from apps.deliveries.models import Delivery, Parcel
from apps.fleet.models import Depot
from apps.routing import words
from apps.routing.models import Drop
from apps.routing.planner.problem import Load
from apps.routing.planner.solution import Reason
from apps.routing.rows import REMAINING, is_on_van, load_of
from apps.routing.shift_rows import codes_in
from apps.routing.stops import Whereabouts, service_of, zone_of


class HasSizes(Protocol):
    """A parcel, as a row or as a caller's input."""

    @property
    def weight_grams(self) -> int: ...

    @property
    def length_millimetres(self) -> int: ...

    @property
    def width_millimetres(self) -> int: ...

    @property
    def height_millimetres(self) -> int: ...


class Standing(NamedTuple):
    """A day on which the delivery has a part in the plan: its drop, or a hold."""

    day: date
    shift: int | None
    is_hold: bool


@dataclass(frozen=True)
class Subject:
    """`carried_by` is the shift whose van has the parcel on board; `returning` the day it comes back on a van."""

    delivery: int | None
    state: str
    place: Whereabouts
    depot: Depot
    service: int
    load: Load
    standing: tuple[Standing, ...] = ()
    carried_by: int | None = None
    returning: date | None = None
    terms: Terms = ORDINARY

    def check_cutoff(self, day: date) -> None:
        """Refused("after_cutoff") once its depot packs no more for that day; who has a part in the day keeps it."""
        if is_after_cutoff(self.depot, day) and all(one.day != day for one in self.standing):
            closed = {"time": f"{self.depot.cutoff_time:%H:%M}"}
            raise Refused("after_cutoff", str(words.AFTER_CUTOFF) % closed)

    def loaded_on(self, day: date) -> str | None:
        """The van it may not leave on that day. Refused while it is on its way back to the depot."""
        if self.returning == day:
            raise Refused("on_the_way_back", str(words.BACK_AT_DEPOT_LATER))
        if self.carried_by is None:
            return None
        if any(one.shift == self.carried_by and one.day == day for one in self.standing):
            return str(self.carried_by)
        return None


def subject_of(delivery: Delivery, place: Whereabouts | None = None) -> Subject:
    """A delivery that exists, going to its place or to another one."""
    drops = list(
        Drop.objects.filter(delivery=delivery, is_open=True, visit__state__in=REMAINING)
        .select_related("visit__plan__depot", "visit__route")
        .order_by("is_hold", "pk")
    )
    standing = tuple(
        Standing(drop.visit.plan.day, drop.visit.route.shift_id if drop.visit.route else None, drop.is_hold)
        for drop in drops
    )
    where = place or delivery.place
    depot = drops[0].visit.plan.depot if drops else _last_depot(delivery) or nearest_depot(where)
    parcels = list(
        Parcel.objects.filter(delivery=delivery).values_list(
            "weight_grams", "length_millimetres", "width_millimetres", "height_millimetres", "loaded_at"
        )
    )
    own = next((one for one in standing if not one.is_hold), None)
    loaded = max((row[4] for row in parcels if row[4] is not None), default=None)
    loaded_day = loaded.astimezone(zone_of(depot)).date() if loaded is not None else None
    is_return = delivery.kind == Delivery.Kind.RETURN
    on_van = not is_return and is_on_van(delivery.state, scanned=own is not None and own.day == loaded_day)
    return Subject(
        delivery=delivery.pk,
        state=delivery.state,
        place=where,
        depot=depot,
        service=service_of([delivery.service_seconds]),
        load=load_of([row[:4] for row in parcels]),
        standing=standing,
        carried_by=own.shift if on_van and own else None,
        returning=None if on_van or is_return else loaded_day,
        terms=Terms(delivery.kind, delivery.priority, frozenset(delivery.needs)),
    )


def _last_depot(delivery: Delivery) -> Depot | None:
    """Where the goods of a delivery that was tried came from, and come back to; a return lies at the customer's."""
    if delivery.kind == Delivery.Kind.RETURN:
        return None
    tried = Drop.objects.filter(delivery=delivery, is_hold=False).select_related("visit__plan__depot")
    last = tried.order_by("-pk").first()
    return last.visit.plan.depot if last is not None else None


def newcomer(
    *, place: Whereabouts, service_seconds: int, parcels: Sequence[HasSizes], terms: Terms = ORDINARY
) -> Subject:
    """A delivery that is still being ordered."""
    sizes = [(p.weight_grams, p.length_millimetres, p.width_millimetres, p.height_millimetres) for p in parcels]
    depot = nearest_depot(place)
    return Subject(None, "", place, depot, service_of([service_seconds]), load_of(sizes), terms=terms)


def is_after_cutoff(depot: Depot, day: date) -> bool:
    """Whether the depot packs no more for that day: it is today, and past its cut-off."""
    here = clock.now().astimezone(zone_of(depot))
    return depot.cutoff_time is not None and here.date() == day and here.time() > depot.cutoff_time


def nearest_depot(place: Whereabouts) -> Depot:
    """The depot that serves a place and is closest to it by air. Refused when this install has none."""
    depots = _serving(place)
    if not depots:
        raise Refused("no_depot", str(words.WHY[Reason.NO_VEHICLE]))
    return depots[0]


def from_every_depot(subject: Subject) -> list[Subject]:
    """What is still being ordered, from each depot that could send it; what exists already lies where it lies."""
    if subject.delivery is not None:
        return [subject]
    others = [depot for depot in _serving(subject.place) if depot != subject.depot]
    return [subject, *(replace(subject, depot=depot) for depot in others)]


def sends(depot: Depot, place: Whereabouts, depots: Sequence[Depot]) -> bool:
    """Whether of these depots, read once for many places, this one is `nearest_depot`; all, where none has stock."""
    stocked = [one for one in depots if one.has_stock]
    return _nearest_first(place, stocked or depots)[:1] == [depot]


def _serving(place: Whereabouts) -> list[Depot]:
    return _nearest_first(place, Depot.objects.filter(has_stock=True))


def _nearest_first(place: Whereabouts, among: Iterable[Depot]) -> list[Depot]:
    """Depots with stock in whose zone the place lies, nearest first; the nearest of all where no zone holds it."""
    here = (place.latitude, place.longitude)
    depots = sorted(
        among,
        key=lambda depot: distance_metres(here, (depot.latitude, depot.longitude)),
    )
    zoned = [depot for depot in depots if not (zone := codes_in(depot.postcodes)) or place.postcode in zone]
    return zoned or depots[:1]
