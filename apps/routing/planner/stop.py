"""One visit to one place: who waits there, when, and for how much."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from apps.routing.planner.checked import LATEST_INSTANT, ProblemError, Window, closed, text, whole
from apps.routing.planner.load import NO_LOAD, Load

NEW_PLACE: Final = -1
"""`Stop.location` of a place that stands in no matrix yet (see `new_place.best_for_new_place`)."""

MOST_PRIORITY: Final = 10


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit to one place.

    - `windows`: service must start inside one of them; none at all means closed, and the plan will name the stop.
    - `promise`: what a message told the customer; hard: service must start inside it as well.
    - `wish`: the part of its windows in which service would best start; a price and no limit (see `wishing`).
    - `loaded_on`: the vehicle that carries the parcel already; it may not change vans. None: it lies at the depot, so
      only a van that has not left can bring it, or one that calls at the depot again before, unless `collects`
      (nothing to bring: a pick-up at the customer's).
    - `load`: what is brought, or what is taken along if it `collects`. `returns`: what is taken along besides.
    - `merge_key`: stops with one key (a pick-up point) may become one visit; another parcel then costs `per_parcel`.
    - `eta`: what the page shows now; moving it costs stability, and nothing else.
    - `skills`: what the van must have; `zone`: checked against `Vehicle.zones` and `Vehicle.barred_zones`.
    - `areas`: zones drawn on the map that it lies in, checked against `Vehicle.barred_zones`.
    - `members`: ids of the deliveries that were merged into this visit, besides its own.
    - `priority`: 0 to 10; the higher, the later it is left out when not all can be served.
    - `depots`: where the goods lie, checked against `Vehicle.depot`; none: anywhere.
    - `reload_of`: not a customer but a call of that vehicle at its depot (the stop's location): what it collected is
      handed over, what comes behind is taken on board, its range is full again. Using none is no omission.
    - `pair`: the other half of goods that are collected on the way (at a shop) and brought to somebody else: the half
      that `collects` comes first, one van makes both, and `load` is on board in between, also over a call at the
      depot. Once it is collected, the other half is `loaded_on` and a pair no more.
    """

    id: str
    location: int
    windows: tuple[Window, ...]
    service: int = 0
    load: Load = NO_LOAD
    promise: Window | None = None
    loaded_on: str | None = None
    merge_key: str = ""
    per_parcel: int = 0
    eta: Window | None = None
    skills: frozenset[str] = frozenset()
    zone: str = ""
    areas: frozenset[str] = frozenset()
    collects: bool = False
    members: tuple[str, ...] = ()
    priority: int = 0
    depots: frozenset[str] = frozenset()
    reload_of: str | None = None
    returns: Load = NO_LOAD
    pair: str = ""
    wish: Window | None = None

    def __post_init__(self) -> None:
        who = f"stop {self.id}"
        text(f"{who}: id", self.id)
        whole(f"{who}: location", self.location, NEW_PLACE)
        whole(f"{who}: service", self.service, 0, 86_400)
        whole(f"{who}: per_parcel", self.per_parcel, 0, 86_400)
        whole(f"{who}: priority", self.priority, 0, MOST_PRIORITY)
        last = -LATEST_INSTANT - 1
        for window in self.windows:
            closed(f"{who}: windows", window)
            if window[0] <= last:
                raise ProblemError(f"{who}: windows", "must be in order and must not overlap")
            last = window[1]
        for name in ("promise", "eta", "wish"):
            if (window_or_none := getattr(self, name)) is not None:
                closed(f"{who}: {name}", window_or_none)
        if self.wish is not None and not _holds(self.windows, self.wish):
            raise ProblemError(f"{who}: wish", "must lie between the first opening and the last closing")
        if self.reload_of is not None:
            text(f"{who}: reload_of", self.reload_of)
            if self.load != NO_LOAD or self.returns != NO_LOAD or self.loaded_on is not None:
                raise ProblemError(f"{who}: reload_of", "a call at the depot carries no parcel of its own")
        if self.pair and (self.loaded_on is not None or self.reload_of is not None or self.pair == self.id):
            raise ProblemError(f"{who}: pair", "lies where it is collected, on no van, and is no call at the depot")

    @property
    def brings(self) -> Load:
        """What is handed over here, on board from the start or the depot until then."""
        return NO_LOAD if self.collects or self.pair else self.load

    @property
    def takes(self) -> Load:
        """What is taken along from here: on board until the next call at the depot."""
        return self.load if self.collects and not self.pair else self.returns

    @property
    def is_reload(self) -> bool:
        return self.reload_of is not None

    @property
    def lies_at_depot(self) -> bool:
        """Whether a van has to fetch something for it at the depot."""
        return self.loaded_on is None and not self.collects and self.reload_of is None and not self.pair

    def replace(self, **changes: Any) -> Stop:
        """The stop with changes; a wish that new windows do not hold is dropped, unless it is named as well."""
        if self.wish is not None and "windows" in changes and not _holds(changes["windows"], self.wish):
            changes.setdefault("wish", None)
        return dataclasses.replace(self, **changes)


def _holds(windows: tuple[Window, ...], wish: Window) -> bool:
    return bool(windows) and windows[0][0] <= wish[0] and wish[1] <= windows[-1][1]
