"""What a live process reads again and again: which pages moved, which vans moved, which links are dead."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Protocol

from django.db import connection
from django.db.models import Count, Max, Q

from apps.core import clock
from apps.core.instants import stored_instant
from apps.deliveries.models import Link
from apps.fleet.services import Written
from apps.routing.models import Route
from apps.tracking.dots import Fix, Step
from apps.tracking.models import PageChange

# Sequences are wall microseconds and may be committed out of order: the newest two seconds are read again and compared.
_OVERLAP_MICROSECONDS = 2_000_000


class PageFeed(Protocol):
    def start(self) -> None:
        """Takes the position: everything committed after this call will be reported."""

    def moved(self) -> list[int]:
        """The deliveries whose pages moved since the last call, each once."""


class OrderedFeed:
    """SQLite: one writer at a time, so ids are in the order of commits."""

    def __init__(self) -> None:
        self._last = 0

    def start(self) -> None:
        self._last = PageChange.objects.aggregate(last=Max("pk"))["last"] or 0

    def moved(self) -> list[int]:
        rows = list(PageChange.objects.filter(pk__gt=self._last).order_by("pk").values_list("pk", "delivery_id"))
        if rows:
            self._last = rows[-1][0]
        return list(dict.fromkeys(delivery_id for _pk, delivery_id in rows))


class SnapshotFeed:
    """PostgreSQL: rows become visible out of the order of their ids, so snapshots are compared, never ids."""

    _NOW = "SELECT pg_current_snapshot()::text"
    _SINCE = """
        SELECT s.snap::text, c.delivery_id
        FROM (SELECT pg_current_snapshot() AS snap) s
        LEFT JOIN tracking_pagechange c
          ON c.xid >= pg_snapshot_xmin(%s::pg_snapshot) AND NOT pg_visible_in_snapshot(c.xid, %s::pg_snapshot)
        ORDER BY c.id
    """

    def __init__(self) -> None:
        self._position = ""

    def start(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._NOW)
            self._position = cursor.fetchone()[0]

    def moved(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(self._SINCE, [self._position, self._position])
            rows = cursor.fetchall()
        self._position = rows[0][0]
        return list(dict.fromkeys(delivery_id for _snapshot, delivery_id in rows if delivery_id is not None))


def page_feed() -> PageFeed:
    return SnapshotFeed() if connection.vendor == "postgresql" else OrderedFeed()


class VanFeed:
    """Remembers every van's two newest fixes, so that a step can be drawn from where the last one ended."""

    # Plain columns: most rows of the overlap are known already and need no instants made of them.
    _SINCE = """
        SELECT vehicle_id, sequence, latitude, longitude, at, heading_degrees
        FROM fleet_position WHERE sequence > %s ORDER BY sequence
    """

    def __init__(self) -> None:
        self.steps: dict[int, Step] = {}
        self._last = 0
        self._sequences: dict[int, int] = {}

    def moved(self, overlap: int = _OVERLAP_MICROSECONDS) -> list[int]:
        """The vehicles that moved since the last call, among those numbered up to `overlap` before the newest."""
        # A wall clock that was set back numbers from there; what it numbers must not wait until it has caught up.
        self._last = min(self._last, int(clock.wall().timestamp() * 1_000_000))
        with connection.cursor() as cursor:
            cursor.execute(self._SINCE, [self._last - overlap])
            rows = cursor.fetchall()
        moved = []
        for vehicle, sequence, latitude, longitude, at, heading in rows:
            self._last = max(self._last, sequence)
            if self._sequences.get(vehicle) == sequence:
                continue
            self._step(vehicle, sequence, Fix(latitude, longitude, stored_instant(at), heading))
            moved.append(vehicle)
        return moved

    def told(self, rows: Iterable[Written]) -> list[int]:
        """The vehicles that moved by what this process wrote itself. One that was overtaken in the table is ignored."""
        moved = []
        for vehicle, sequence, latitude, longitude, at, heading in rows:
            known = self.steps.get(vehicle)
            if known is None or at > known.newest.at:
                self._step(vehicle, sequence, Fix(latitude, longitude, at, heading))
                moved.append(vehicle)
        return moved

    def _step(self, vehicle: int, sequence: int, fix: Fix) -> None:
        known = self.steps.get(vehicle)
        self.steps[vehicle] = Step(fix, known.newest if known else None)
        self._sequences[vehicle] = sequence


type Mark = tuple[object, ...]


def road_marks(vehicle_ids: Collection[int]) -> dict[int, Mark]:
    """By vehicle under way: what its driver and its route last did. While a mark stays, so does who may see the van."""
    routes = Route.objects.filter(shift__vehicle_id__in=vehicle_ids, departed_at__isnull=False)
    routes = routes.filter(shift__ends_at__gt=clock.now() - timedelta(days=1))
    columns = ("revision", "finished_at", "shift__break_began_at", "shift__sick_at", "shift__broken_down_at")
    rows = routes.values_list("shift__vehicle_id", "pk", *columns).annotate(
        left=Max("visits__left_at"), arrived=Max("visits__arrived_at"), stops=Count("visits")
    )
    found: dict[int, Mark] = {}
    for vehicle, *mark in rows.order_by("pk"):
        # A vehicle has a route for each day it ever drove.
        found[vehicle] = (*found.get(vehicle, ()), *mark)
    return found


def living_links(link_ids: Iterable[int]) -> Collection[tuple[int, int]]:
    """(link, generation) of those that still open a delivery."""
    rows = Link.objects.filter(pk__in=list(link_ids), revoked_at=None)
    rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()))
    return set(rows.values_list("pk", "generation"))
