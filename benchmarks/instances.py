"""Published routing problems with time windows, read from files: Solomon/Homberger tables and VRPLIB (ORTEC) sections.

Distances stay in double precision; node 0 is the depot. Whoever solves in whole numbers uses `Instance.whole`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from apps.routing.planner.problem import LATEST_INSTANT, Load, Problem, Stop, Vehicle
from apps.routing.planner.travel import Travel

type Floats = npt.NDArray[np.float64]

FINEST = 10_000
"""Whole units per unit of the file, at most."""

LONGEST_SERVICE = 86_400


class InstanceError(ValueError):
    """A file that is no such problem; says which file and what is wrong."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")


class Whole(NamedTuple):
    """The same problem in whole numbers: a plan that holds here holds in the file's own numbers as well.

    Travel and service are rounded up, closing times down; `scale` is so fine that this loses no plan worth having.
    """

    scale: int
    travel: npt.NDArray[np.int64]
    opens: list[int]
    closes: list[int]
    service: list[int]
    demand: list[int]


@dataclass(frozen=True)
class Instance:
    """One problem. Lists run over the nodes, the depot first; `vehicles` is how many vans there are at most."""

    name: str
    vehicles: int
    capacity: int
    distance: Floats
    demand: list[int]
    opens: list[float]
    closes: list[float]
    service: list[float]

    @property
    def customers(self) -> range:
        return range(1, len(self.demand))

    @cached_property
    def whole(self) -> Whole:
        scale = self._scale()
        up = [math.ceil(value * scale - 1e-6) for value in self.opens]
        service = [math.ceil(value * scale - 1e-6) for value in self.service]
        down = [math.floor(value * scale + 1e-6) for value in self.closes]
        travel = np.ceil(self.distance * scale - 1e-6).astype(np.int64)
        return Whole(scale, travel, up, down, service, self.demand)

    def _scale(self) -> int:
        """As fine as the planner's limits on instants and service allow; 1 when the file is in whole numbers."""
        numbers = (self.distance, np.array([self.opens, self.closes, self.service]))
        if all(bool((values == np.rint(values)).all()) for values in numbers):
            return 1
        longest = max(*self.closes, float(self.distance.max()), 1.0)
        return int(max(1, min(FINEST, LONGEST_SERVICE // max(*self.service, 1.0), LATEST_INSTANT // (2 * longest))))

    @cached_property
    def problem(self) -> Problem:
        """The product's own form of it: identical vans, travel time is distance."""
        whole = self.whole
        vans = tuple(
            Vehicle(f"van{n}", "car", 0, 0, max(0, whole.opens[0]), whole.closes[0], Load(pieces=self.capacity))
            for n in range(self.vehicles)
        )
        stops = tuple(
            Stop(
                str(node),
                node,
                ((whole.opens[node], whole.closes[node]),),
                service=whole.service[node],
                load=Load(pieces=self.demand[node]),
            )
            for node in self.customers
        )
        seconds = whole.travel.astype(np.int32)
        return Problem(0, vans, stops, {"car": Travel(seconds, seconds, True)})


def read(path: Path) -> Instance:
    """The problem in a file of either form. Raises InstanceError."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InstanceError(path, f"cannot be read ({error.strerror})") from error
    reader = _vrplib if "EDGE_WEIGHT_TYPE" in text else _solomon
    try:
        instance = reader(path, text)
    except (ValueError, IndexError, KeyError) as error:
        if isinstance(error, InstanceError):
            raise
        raise InstanceError(path, f"is neither a Solomon nor a VRPLIB file ({error})") from error
    _sensible(path, instance)
    return instance


def _sensible(path: Path, instance: Instance) -> None:
    """Nonsense is refused by name."""
    checks: list[tuple[bool, str]] = [
        (instance.vehicles >= 1, "has no vehicles"),
        (instance.capacity >= 0, "has a negative capacity"),
        (len(instance.demand) >= 2, "has no customers"),
        (bool(np.isfinite(instance.distance).all()) and bool((instance.distance >= 0).all()), "has a bad distance"),
        (all(math.isfinite(x) for x in (*instance.opens, *instance.closes, *instance.service)), "has a bad time"),
        (all(value >= 0 for value in (*instance.service, *instance.demand)), "has a negative service or demand"),
        (all(a <= b for a, b in zip(instance.opens, instance.closes, strict=True)), "has a window that never opens"),
    ]
    for holds, message in checks:
        if not holds:
            raise InstanceError(path, message)


def _solomon(path: Path, text: str) -> Instance:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    words = [line[0].upper() for line in lines]
    if "VEHICLE" not in words or "CUSTOMER" not in words:
        raise InstanceError(path, "is neither a Solomon nor a VRPLIB file (no VEHICLE and CUSTOMER sections)")
    vehicles, capacity = (int(float(value)) for value in lines[words.index("VEHICLE") + 2][:2])
    rows: list[list[float]] = []
    for line in lines[words.index("CUSTOMER") + 2 :]:
        row = [float(value) for value in line]
        if len(row) != 7 or row[0] != len(rows):
            raise InstanceError(path, f"customer {len(rows)} should have seven numbers in order, not {' '.join(line)}")
        rows.append(row)
    if not rows:
        raise InstanceError(path, "has no customers")
    _, x, y, demand, opens, closes, service = (list(column) for column in zip(*rows, strict=True))
    return Instance(
        lines[0][0], vehicles, capacity, _straight(x, y), [_count(d) for d in demand], opens, closes, service
    )


def _straight(x: Sequence[float], y: Sequence[float]) -> Floats:
    at = np.array([x, y], dtype=np.float64).T
    distance: Floats = np.hypot(*(at[:, None, :] - at[None, :, :]).transpose(2, 0, 1))
    return distance


def _count(value: float) -> int:
    if not math.isfinite(value) or value != int(value):
        raise ValueError(f"{value} should be a whole number")
    return int(value)


def _vrplib(path: Path, text: str) -> Instance:
    head, sections = _sections(text)
    size = int(head["DIMENSION"])
    if size < 2:
        raise InstanceError(path, "has no customers")
    for needed in ("TIME_WINDOW_SECTION", "DEMAND_SECTION"):
        if needed not in sections:
            raise InstanceError(path, f"has no {needed}")
    depot = int(float(sections["DEPOT_SECTION"][0])) - 1 if sections.get("DEPOT_SECTION") else 0
    if not 0 <= depot < size:
        raise InstanceError(path, "its depot is none of its nodes")
    order = [depot, *(node for node in range(size) if node != depot)]
    column = _columns(sections, size, order)
    return Instance(
        head.get("NAME", path.stem),
        int(float(head.get("VEHICLES", size - 1))),
        int(float(head["CAPACITY"])),
        _weights(path, head, sections, size)[np.ix_(order, order)],
        [_count(value) for value in column("DEMAND_SECTION", 1)],
        column("TIME_WINDOW_SECTION", 1),
        column("TIME_WINDOW_SECTION", 2),
        column("SERVICE_TIME_SECTION", 1) if "SERVICE_TIME_SECTION" in sections else _same(head, order),
    )


def _same(head: dict[str, str], order: list[int]) -> list[float]:
    """One service time for everybody, as the header may give it; the depot has none."""
    service = float(head.get("SERVICE_TIME", 0))
    return [0.0, *(service for _ in order[1:])]


def _sections(text: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The header's keys and every section's words."""
    head: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "EOF":
            continue
        if words[0].endswith("_SECTION"):
            current = sections.setdefault(words[0], [])
        elif ":" in line and words[0].rstrip(":").isupper():
            key, _, value = line.partition(":")
            head[key.strip()] = value.strip()
        elif current is not None:
            current += words
    return head, sections


def _columns(sections: dict[str, list[str]], size: int, order: list[int]) -> Callable[[str, int], list[float]]:
    def column(name: str, number: int) -> list[float]:
        """One column of a section of `node value ...` rows, in the nodes' order."""
        words = [float(word) for word in sections[name]]
        width = 3 if name in ("TIME_WINDOW_SECTION", "NODE_COORD_SECTION") else 2
        if len(words) != size * width:
            raise ValueError(f"{name} has {len(words)} numbers instead of {size * width}")
        by_node = {int(words[at]) - 1: words[at + number] for at in range(0, len(words), width)}
        return [by_node[node] for node in order]

    return column


def _weights(path: Path, head: dict[str, str], sections: dict[str, list[str]], size: int) -> Floats:
    kind = head["EDGE_WEIGHT_TYPE"]
    if kind == "EUC_2D":
        column = _columns(sections, size, list(range(size)))
        return _straight(column("NODE_COORD_SECTION", 1), column("NODE_COORD_SECTION", 2))
    if kind != "EXPLICIT" or head.get("EDGE_WEIGHT_FORMAT") != "FULL_MATRIX":
        raise InstanceError(path, f"distances of type {kind} {head.get('EDGE_WEIGHT_FORMAT', '')} are not supported")
    words = sections["EDGE_WEIGHT_SECTION"]
    if len(words) != size * size:
        raise InstanceError(path, f"EDGE_WEIGHT_SECTION has {len(words)} numbers instead of {size * size}")
    matrix: Floats = np.array(words, dtype=np.float64).reshape(size, size)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def drive(instance: Instance, route: Sequence[int]) -> tuple[float, Iterator[str]]:
    """Distance of one route in the file's own numbers, and everything that is wrong with it."""
    places = [0, *route, 0]
    length = float(instance.distance[places[:-1], places[1:]].sum())
    return length, _wrong(instance, places)


def _wrong(instance: Instance, places: list[int]) -> Iterator[str]:
    if sum(instance.demand[node] for node in places) > instance.capacity:
        yield "more than the van carries"
    clock = instance.opens[0]
    for before, node in pairwise(places):
        clock += float(instance.distance[before, node])
        if clock > instance.closes[node] + 1e-6:
            yield f"too late at {node}"
        clock = max(clock, instance.opens[node]) + (instance.service[node] if node else 0.0)


def faults(instance: Instance, routes: Sequence[Sequence[int]]) -> list[str]:
    """What is wrong with a plan, judged in double precision by code of its own; empty when it holds."""
    used = [route for route in routes if route]
    found = [fault for route in used for fault in drive(instance, route)[1]]
    if len(used) > instance.vehicles:
        found.append(f"{len(used)} vans instead of {instance.vehicles}")
    if sorted(node for route in used for node in route) != list(instance.customers):
        found.append("not everybody is served once")
    return found


def cost(instance: Instance, routes: Sequence[Sequence[int]]) -> float:
    """Distance of the whole plan in double precision."""
    return sum(drive(instance, route)[0] for route in routes if route)
