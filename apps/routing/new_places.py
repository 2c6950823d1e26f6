"""A place that no matrix of the day knows yet: the exact rows that an answer needs, and no more."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from apps.routing import roads
from apps.routing.closures import Barrier, detours
from apps.routing.planner.new_place import SEEDS, PlaceRows
from apps.routing.planner.slots import Neighbourhood
from apps.routing.planner.travel import UNREACHABLE, Ints, Point, Travel


def neighbourhood(ground: roads.Ground, point: Point, closed: tuple[Barrier, ...] = ()) -> Neighbourhood:
    """Its nearest known places and its road queries. OffTheMap when those are asked and no road comes near it."""
    return Neighbourhood(ground.nearest(point, SEEDS), _rows(ground, point, closed))


def known_from(
    ground: roads.Ground,
    travel: Mapping[str, Travel],
    point: Point,
    profile: str,
    near: Sequence[int],
    closed: tuple[Barrier, ...] = (),
) -> dict[str, Travel]:
    """The day's travel with one more place, the last one, reachable from and to these locations only."""
    rows = _rows(ground, point, closed)(profile, near)
    return {
        name: Travel(
            _larger(known.seconds, near, rows.to_seconds, rows.from_seconds, filled=name == profile),
            _larger(known.metres, near, rows.to_metres, rows.from_metres, filled=name == profile),
            known.exact and roads.network(profile).exact,
        )
        for name, known in travel.items()
    }


def known_everywhere(
    ground: roads.Ground, travel: Mapping[str, Travel], point: Point, closed: tuple[Barrier, ...] = ()
) -> dict[str, Travel]:
    """The day's travel with one more place, the last one, and every way to and from it: for who need not hurry."""
    ask, grown = _rows(ground, point, closed), dict[str, Travel]()
    for profile, known in travel.items():
        near = range(known.size)
        rows = ask(profile, near)
        grown[profile] = Travel(
            _larger(known.seconds, near, rows.to_seconds, rows.from_seconds, filled=True),
            _larger(known.metres, near, rows.to_metres, rows.from_metres, filled=True),
            known.exact and roads.network(profile).exact,
        )
    return grown


def _rows(ground: roads.Ground, point: Point, closed: tuple[Barrier, ...]) -> Callable[[str, Sequence[int]], PlaceRows]:
    def rows(profile: str, locations: Sequence[int]) -> PlaceRows:
        network, known = roads.network(profile), [ground.points[location] for location in locations]
        to, away = network.table(known, [point]), network.table([point], known)
        there = detours(profile, closed, known, [point], to.seconds)
        back = detours(profile, closed, [point], known, away.seconds)
        return PlaceRows(there[:, 0], back[0], to.metres[:, 0], away.metres[0])

    return rows


def _larger(matrix: Ints, near: Sequence[int], to: Ints, away: Ints, *, filled: bool) -> Ints:
    size = matrix.shape[0]
    grown = np.full((size + 1, size + 1), UNREACHABLE, dtype=np.int32)
    grown[:size, :size] = matrix
    grown[size, size] = 0
    if filled:
        where = np.asarray(near, dtype=np.intp)
        grown[where, size] = to
        grown[size, where] = away
    return grown
