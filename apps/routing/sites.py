"""The depots of one plan: where a stop's goods lie, and until when each of them still packs for the day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from apps.core import clock
from apps.core.geo import distance_metres
from apps.fleet.models import Depot
from apps.routing.shift_rows import codes_in
from apps.routing.stops import Whereabouts, zone_of


@dataclass(frozen=True)
class Sites:
    """A depot and its micro depots on one day, the depot first."""

    depots: tuple[Depot, ...]
    day: date

    @classmethod
    def of(cls, depot: Depot, day: date) -> "Sites":
        return cls(depot.together, day)

    @property
    def several(self) -> bool:
        return len(self.depots) > 1

    def sending(self, place: Whereabouts) -> list[Depot]:
        """Those that may send goods to a place, whatever the hour: with stock, in whose zone it lies."""
        stocked = [depot for depot in self.depots if depot.has_stock]
        return nearest_first(place, stocked or self.depots)

    def still_packing(self, place: Whereabouts) -> list[Depot]:
        """Those of them that an order for the day still reaches now."""
        return [depot for depot in self.sending(place) if not is_after_cutoff(depot, self.day)]

    def holding(self, place: Whereabouts, lies_at: Iterable[int | None] = (), standing: str = "") -> frozenset[str]:
        """Codes of the depots at which a stop's goods lie (`Stop.depots`); none at all where there is one depot only.

        `lies_at` are the depots that its parcels have been seen at: then there. Else wherever goods lie in stock and
        are still packed; what a van of the depot `standing` is to bring is packed there already.
        """
        if not self.several:
            return frozenset()
        seen = set(lies_at) - {None}
        found = {depot.code for depot in self.depots if depot.pk in seen}
        if found:
            return frozenset(found)
        found = {depot.code for depot in self.still_packing(place) or self.sending(place)}
        return frozenset(found | {standing} if standing else found)


def is_after_cutoff(depot: Depot, day: date) -> bool:
    """Whether the depot packs no more for that day: it is today, and past its cut-off."""
    here = clock.now().astimezone(zone_of(depot))
    return depot.cutoff_time is not None and here.date() == day and here.time() > depot.cutoff_time


def nearest_first(place: Whereabouts, among: Iterable[Depot]) -> list[Depot]:
    """Depots in whose zone the place lies, nearest first; the nearest of all where no zone holds it."""
    here = (place.latitude, place.longitude)
    depots = sorted(among, key=lambda depot: distance_metres(here, (depot.latitude, depot.longitude)))
    zoned = [depot for depot in depots if not (zone := codes_in(depot.postcodes)) or place.postcode in zone]
    return zoned or depots[:1]
