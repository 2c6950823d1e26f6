"""What a live process reads again and again: which pages moved, which vans moved, which links are dead."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import batched
from typing import Any, Protocol

from django.db import connection
from django.db.models import Max

from apps.core import clock
from apps.core.instants import stored_instant
from apps.fleet.services import Written
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
        # Asked twenty times a second: the ORM would take longer to word it than the database to answer.
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, delivery_id FROM tracking_pagechange WHERE id > %s ORDER BY id", [self._last])
            rows = cursor.fetchall()
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


_MARKS = """
    SELECT h.vehicle_id, r.id, r.revision, r.finished_at, h.break_began_at, h.sick_at, h.broken_down_at,
        h.starts_at, h.ends_at, h.overtime_seconds, MAX(v.left_at), MAX(v.arrived_at), COUNT(v.id)
    FROM routing_route r JOIN fleet_shift h ON h.id = r.shift_id LEFT JOIN routing_visit v ON v.route_id = r.id
    WHERE r.departed_at IS NOT NULL AND h.ends_at > %s AND h.vehicle_id IN
"""


def road_marks(vehicle_ids: Collection[int]) -> dict[int, Mark]:
    """By vehicle under way: what its driver and its route last did. While a mark stays, so does who may see the van."""
    yesterday = connection.ops.adapt_datetimefield_value(clock.now() - timedelta(days=1))
    found: dict[int, Mark] = {}
    for vehicle, *mark in _rows(_MARKS, [yesterday], vehicle_ids, "GROUP BY r.id, h.id ORDER BY r.id"):
        # A vehicle has a route for each day it ever drove.
        found[vehicle] = (*found.get(vehicle, ()), *mark)
    return found


_LIVING = """
    SELECT id, generation FROM deliveries_link
    WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s) AND id IN
"""
_OVERDUE = """
    SELECT s.delivery_id FROM tracking_pagesnapshot s JOIN deliveries_delivery d ON d.id = s.delivery_id
    WHERE s.tier = 'link' AND s.version < d.page_version AND s.delivery_id IN
"""
_AT_ONCE = 500


def living_links(link_ids: Iterable[int]) -> Collection[tuple[int, int]]:
    """(link, generation) of those that still open a delivery."""
    return set(_rows(_LIVING, [connection.ops.adapt_datetimefield_value(clock.now())], link_ids))


def overdue_pages(delivery_ids: Iterable[int]) -> set[int]:
    """Those whose row is older than their delivery's page_version."""
    return {pk for (pk,) in _rows(_OVERDUE, [], delivery_ids)}


def _rows(sql: str, values: list[Any], ids: Iterable[int], after: str = "") -> list[tuple[Any, ...]]:
    """`sql` ends in IN. Without the ORM, which would look at each of thousands of numbers several times."""
    found: list[tuple[Any, ...]] = []
    for chunk in batched(ids, _AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} ({', '.join(['%s'] * len(chunk))}) {after}", [*values, *chunk])
            found += cursor.fetchall()
    return found
