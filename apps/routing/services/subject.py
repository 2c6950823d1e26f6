"""What is to be planned: a delivery, or one that does not exist yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, Protocol

from apps.core.errors import Refused
from apps.deliveries.inputs import ORDINARY, PlaceInput, Terms
from apps.deliveries.models import Delivery, Parcel, Place
from apps.fleet.models import Depot
from apps.routing import words
from apps.routing.collecting import shop_of
from apps.routing.models import Drop
from apps.routing.planner.problem import Load
from apps.routing.planner.solution import Reason
from apps.routing.rows import REMAINING, is_on_van, load_of
from apps.routing.sites import Sites, is_after_cutoff, nearest_first
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
    site: str = ""
    """The code of the depot its van starts at."""


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
    """`collect_from` only while it still lies there."""
    lies_at: int | None = None

    def check_cutoff(self, day: date) -> None:
        """Refused("after_cutoff") once no depot packs it for that day any more; who has a part in the day keeps it,
        and what a van collects at a shop is packed there.
        """
        if any(one.day == day for one in self.standing) or self.terms.collect_from is not None:
            return
        sites = Sites.of(self.depot, day)
        sending = [depot for depot in sites.depots if depot.pk == self.lies_at] or sites.sending(self.place)
        if all(is_after_cutoff(depot, day) for depot in sending):
            last = max(depot.cutoff_time for depot in sending if depot.cutoff_time is not None)
            raise Refused("after_cutoff", str(words.AFTER_CUTOFF) % {"time": f"{last:%H:%M}"})

    def packed_at(self, day: date) -> str:
        """The code of the depot whose van is to bring it that day."""
        return next((one.site for one in self.standing if one.day == day), "")

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
        .select_related("visit__plan__depot", "visit__route__shift__vehicle__depot")
        .order_by("is_hold", "pk")
    )
    standing = tuple(map(_standing, drops))
    where, last = place or delivery.place, _last_drop(delivery, drops)
    tried = last.visit.plan.depot if last is not None and (drops or delivery.kind != Delivery.Kind.RETURN) else None
    depot = tried or nearest_depot(where)
    parcels = list(
        Parcel.objects.filter(delivery=delivery).values_list(
            "weight_grams", "length_millimetres", "width_millimetres", "height_millimetres", "loaded_at"
        )
    )
    own = next((one for one in standing if not one.is_hold), None)
    loaded = max((row[4] for row in parcels if row[4] is not None), default=None)
    loaded_day = loaded.astimezone(zone_of(depot)).date() if loaded is not None else None
    is_return, shop = delivery.kind == Delivery.Kind.RETURN, shop_of(delivery)
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
        terms=Terms(
            delivery.kind,
            delivery.priority,
            frozenset(delivery.needs),
            collect_from=None if shop is None else PlaceInput.of(shop),
            preferred=delivery.preferred if where.kind == Place.Kind.ADDRESS else None,
        ),
        lies_at=last.lies_at_id if last is not None else None,
    )


def _standing(drop: Drop) -> Standing:
    visit = drop.visit
    if visit.route is None:
        return Standing(visit.plan.day, None, drop.is_hold)
    return Standing(visit.plan.day, visit.route.shift_id, drop.is_hold, visit.route.shift.vehicle.depot.code)


def _last_drop(delivery: Delivery, drops: Sequence[Drop]) -> Drop | None:
    """Its part in a plan, or the last one it had: where its goods came from, they come back to."""
    own = next((drop for drop in drops if not drop.is_hold), None)
    if own is not None:
        return own
    tried = Drop.objects.filter(delivery=delivery, is_hold=False).select_related("visit__plan__depot")
    return tried.order_by("-pk").first() or (drops[0] if drops else None)


def newcomer(
    *, place: Whereabouts, service_seconds: int, parcels: Sequence[HasSizes], terms: Terms = ORDINARY
) -> Subject:
    """A delivery that is still being ordered."""
    sizes = [(p.weight_grams, p.length_millimetres, p.width_millimetres, p.height_millimetres) for p in parcels]
    depot = nearest_depot(place)
    return Subject(None, "", place, depot, service_of([service_seconds]), load_of(sizes), terms=terms)


def nearest_depot(place: Whereabouts) -> Depot:
    """The depot in whose plan goods lie that are sent to a place, the closest by air. Refused when there is none."""
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
    return [one.plans_with for one in nearest_first(place, stocked or depots)[:1]] == [depot]


def _serving(place: Whereabouts) -> list[Depot]:
    """The depots in whose plans goods lie that are sent there, nearest first."""
    stocked = nearest_first(place, Depot.objects.filter(has_stock=True).select_related("parent"))
    return list(dict.fromkeys(depot.plans_with for depot in stocked))
