"""How much room a route has at each of its gaps: load on the way, metres of range, goods from the depot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import NO_LOAD, Load, Stop, Vehicle

type Amounts = npt.NDArray[np.int64]
type Triple = tuple[int, int, int]

NOTHING: Final = (0, 0, 0)
ENDLESS: Final = 2**50


@dataclass(frozen=True, slots=True)
class Rooms:
    """Per gap (before node i+1, i from 0), and per dimension of the load where there are three columns.

    - `front`: room on the way from the depot to this gap: for what is fetched there. `whole`: from the route's start
      on: for what is on board already. `back`: from this gap to the next call at the depot: for what is taken along.
    - `metres`: metres that the way between two calls at the depot may still grow; `sofar`: driven since the last call
      when leaving node i; `ahead`: from node i+1 to the next call; `full`: allowed between two calls further on.
    - `beside`: room beside all that is on board at the start: what is on board already is no reason to say no.
    - `fed`: whether a parcel that lies at the depot gets on board before this gap.
    - `fullest` and `excess` are what the route makes of its van: the most on board, the longest way over the range.
    """

    front: Amounts
    whole: Amounts
    back: Amounts
    metres: Amounts
    sofar: Amounts
    ahead: Amounts
    full: int
    beside: Amounts
    fed: npt.NDArray[np.bool_]
    fullest: Triple
    excess: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a standing plan already does: the most on board, metres over the range. It may stay so."""

    fullest: Triple = NOTHING
    excess: int = 0


def triple(load: Load) -> Triple:
    return load.grams, load.cubic_centimetres, load.pieces


def rooms(vehicle: Vehicle, stops: list[Stop], metres: list[int], allowed: Allowed | None) -> Rooms:
    """The room along one route. Without an allowance it is a standing one, which allows itself what it does."""
    gaps = len(stops) + 1
    calls = [node for node, stop in enumerate(stops) if stop.reload_of is not None]
    brings, takes = _amounts(stops)
    here = [stop.loaded_on == vehicle.id for stop in stops]
    on_board = brings[1:][here].sum(axis=0)
    arcs = brings.sum(axis=0) - np.cumsum(brings, axis=0)
    if calls:
        arcs = _arcs(brings, takes, np.array([False, *here]), calls)
    elif takes is not None:
        arcs = arcs + np.cumsum(takes, axis=0)
    grows = bool(calls) or takes is not None
    most = arcs.max(axis=0) if grows else arcs[0]
    excess = 0 if vehicle.first_range is None and vehicle.range_metres is None else _excess(vehicle, calls, metres)
    fullest: Triple = tuple(most.tolist())
    allowed = allowed or Allowed(fullest, excess)
    room = np.maximum(np.maximum(triple(vehicle.capacity), allowed.fullest), on_board)
    starts, ends = [0, *(call + 1 for call in calls)], [*(call + 1 for call in calls), gaps]
    if grows:
        front, whole, back = _on_the_way(room, arcs, starts, ends)
    else:  # the load only ever shrinks
        front = whole = np.broadcast_to(room - most, arcs.shape)
        back = room - arcs
    spare, sofar, ahead, full = _spare(vehicle, starts, ends, metres, allowed.excess)
    fed = np.full(gaps, not vehicle.started)
    if calls:
        fed[calls[0] + 1 :] = True
    return Rooms(front, whole, back, spare, sofar, ahead, full, room - on_board, fed, fullest, excess)


def parcel_by_parcel(vehicle: Vehicle) -> Rooms:
    """The one gap of a carrier: each parcel has to be small enough by itself."""
    room = np.array([triple(vehicle.capacity)], dtype=np.int64)
    endless, nothing = np.full(1, ENDLESS, dtype=np.int64), np.zeros(1, dtype=np.int64)
    fed = np.full(1, not vehicle.started)
    return Rooms(room, room, room, endless, nothing, nothing, ENDLESS, room[0], fed, NOTHING, 0)


def _amounts(stops: list[Stop]) -> tuple[Amounts, Amounts | None]:
    """What is handed over and what is taken along at each node but the end; None when nothing is taken."""
    loads = [stop.load for stop in stops]
    flat = [NOTHING, *((load.grams, load.cubic_centimetres, load.pieces) for load in loads)]
    brings = np.array(flat, dtype=np.int64)
    if not any(stop.collects or stop.returns is not NO_LOAD for stop in stops):
        return brings, None
    brings = np.array([NOTHING, *(triple(stop.brings) for stop in stops)], dtype=np.int64)
    return brings, np.array([NOTHING, *(triple(stop.takes) for stop in stops)], dtype=np.int64)


def _arcs(brings: Amounts, takes: Amounts | None, here: npt.NDArray[np.bool_], calls: list[int]) -> Amounts:
    """What is on board on the way to each stop and on the way back, when the depot is called at on the way."""
    on_board, fetched = brings * here[:, None], brings * ~here[:, None]
    arcs: Amounts = on_board.sum(axis=0) - np.cumsum(on_board, axis=0)
    for start, end in pairwise([0, *(call + 1 for call in calls), len(brings)]):
        arcs[start:end] += fetched[start:end].sum(axis=0) - np.cumsum(fetched[start:end], axis=0)
        if takes is not None:
            arcs[start:end] += np.cumsum(takes[start:end], axis=0)
    return arcs


def _on_the_way(room: Amounts, arcs: Amounts, starts: list[int], ends: list[int]) -> tuple[Amounts, Amounts, Amounts]:
    """Room from the last call at the depot to each gap, from the start of the route to it, from it to the next call."""
    front, back = np.empty_like(arcs), np.empty_like(arcs)
    for start, end in zip(starts, ends, strict=True):
        front[start:end] = room - np.maximum.accumulate(arcs[start:end], axis=0)
        back[start:end] = room - np.maximum.accumulate(arcs[start:end][::-1], axis=0)[::-1]
    return front, room - np.maximum.accumulate(arcs, axis=0), back


def _excess(vehicle: Vehicle, calls: list[int], metres: list[int]) -> int:
    bounds = [0, *(call + 1 for call in calls), len(metres)]
    limits = [vehicle.first_range, *([vehicle.range_metres] * len(calls))]
    driven = [sum(metres[start:end]) for start, end in pairwise(bounds)]
    over = [0 if limit is None else way - limit for way, limit in zip(driven, limits, strict=True)]
    return max(0, *over)


def _spare(
    vehicle: Vehicle, starts: list[int], ends: list[int], metres: list[int], excess: int
) -> tuple[Amounts, Amounts, Amounts, int]:
    gaps = len(metres)
    spare = np.full(gaps, ENDLESS, dtype=np.int64)
    if vehicle.first_range is None and vehicle.range_metres is None:
        zero = np.zeros(gaps, dtype=np.int64)
        return spare, zero, zero, ENDLESS
    way = np.array(metres, dtype=np.int64)
    sofar, ahead = np.zeros(gaps, dtype=np.int64), np.zeros(gaps, dtype=np.int64)
    for start, end in zip(starts, ends, strict=True):
        limit = vehicle.range_metres if start else vehicle.first_range
        total = int(way[start:end].sum())
        spare[start:end] = ENDLESS if limit is None else limit + excess - total
        sofar[start:end] = np.cumsum(way[start:end]) - way[start:end]
        ahead[start:end] = total - np.cumsum(way[start:end])
    full = ENDLESS if vehicle.range_metres is None else vehicle.range_metres + excess
    return spare, sofar, ahead, full
