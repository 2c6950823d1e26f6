"""Where the vans are: the newest position per vehicle wins, whatever order they arrive in."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F

from apps.core import clock
from apps.core.instants import stored_instant
from apps.core.wakeups import wake
from apps.fleet.models import Position, PositionDrop, PositionSample, Vehicle
from apps.fleet.rules import (
    BELIEVED_AFTER,
    Doubt,
    Fix,
    cleaned,
    doubted_with,
    drop_reason,
    is_plain,
    is_worth_keeping,
)
from apps.fleet.services.wakeups import Written, wake_readers

KEEP_SAMPLES = timedelta(days=7)
# SQLite counts the parameters of a statement.
_ROWS = 200
_VEHICLE = itemgetter(0)

__all__ = ["Fix", "Van", "drop_old_samples", "record_batch", "record_positions"]


class Van(NamedTuple):
    """A vehicle as far as its positions are judged by it: its depot says which map it is on."""

    vehicle_id: int
    depot: tuple[float, float]


@dataclass(slots=True)
class _Track:
    """One van's fixes, judged against what is on file."""

    before: Fix | None
    sampled: Fix | None
    doubt: Doubt | None
    believed: list[Fix] = field(default_factory=list)
    kept: list[Fix] = field(default_factory=list)
    was_doubted: Doubt | None = None
    sampled_row: tuple[Any, ...] | None = None
    """`sampled` as the table has it, to be written back as it is; None when it moved on."""


def record_positions(*, vehicle: Vehicle, fixes: Iterable[Fix]) -> int:
    """Keeps what is believable of one van; how many positions were believed."""
    van = Van(vehicle.pk, (vehicle.depot.latitude, vehicle.depot.longitude))
    return record_batch({van: list(fixes)})[van.vehicle_id]


def record_batch(fixes: Mapping[Van, Iterable[Fix]]) -> dict[int, int]:
    """The same for many vans with one read and one write; how many positions were believed, by vehicle.

    `sequence` is the wall clock in microseconds: who tails positions reads a second or two again, because a writer
    that took its number earlier may commit later.
    """
    now, dropped = clock.now(), Counter[str]()
    known = _known([van.vehicle_id for van in fixes])
    tracks = {
        van.vehicle_id: _judged(known.get(van.vehicle_id) or _Track(None, None, None), van, rows, now, dropped)
        for van, rows in fixes.items()
    }
    # Losing the last half second of positions with the power is no loss; waiting for the disk for each batch is.
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        written, rows = _upsert(tracks)
        _keep_samples(tracks)
        _note_doubts(tracks)
        _count(dropped)
        if written:
            wake("vans")
        # What is rolled back was never written: another process may take its number.
        transaction.on_commit(lambda: _remember(rows))
        transaction.on_commit(lambda: wake_readers(written))
    return {vehicle: len(track.believed) for vehicle, track in tracks.items()}


def drop_old_samples() -> int:
    """Forgets the history that is older than a week."""
    return PositionSample.objects.filter(at__lt=clock.now() - KEEP_SAMPLES).delete()[0]


def _judged(track: _Track, van: Van, fixes: Iterable[Fix], now: datetime, dropped: Counter[str]) -> _Track:
    track.was_doubted = track.doubt
    in_order = list(fixes)
    if len(in_order) == 1 and track.before is not None and is_plain(in_order[0], van.depot, track.before, now):
        _believe(track, in_order[0])
        return track
    if len(in_order) > 1:
        # Comparing an instant with one that has no zone would fail; the rules name such a fix.
        in_order.sort(key=lambda fix: fix.at.timestamp())
    for fix in in_order:
        reason = drop_reason(fix, van.depot, track.before, now)
        if reason == "too_fast":
            track.doubt = doubted_with(fix, track.doubt)
        if reason is not None and not (reason == "too_fast" and track.doubt and track.doubt.times >= BELIEVED_AFTER):
            dropped[reason] += 1
            continue
        _believe(track, fix)
    return track


def _believe(track: _Track, fix: Fix) -> None:
    track.doubt = None
    track.believed.append(cleaned(fix))
    if is_worth_keeping(fix, track.sampled):
        track.kept.append(fix)
        if track.sampled is None or fix.at > track.sampled.at:
            track.sampled, track.sampled_row = fix, None
    if track.before is None or fix.at > track.before.at:
        track.before = fix


class _Remembered(NamedTuple):
    """A row as this process wrote it; true while the table has its sequence."""

    sequence: int
    before: Fix
    sampled: Fix | None
    sampled_row: tuple[Any, ...] | None


_remembered: dict[int, _Remembered] = {}
_MOST_REMEMBERED = 20_000
_SEQUENCES = "SELECT vehicle_id, sequence, doubted FROM fleet_position WHERE vehicle_id IN "
_SELECT = (
    "SELECT vehicle_id, latitude, longitude, at, sampled_latitude, sampled_longitude, sampled_at, doubted"
    " FROM fleet_position WHERE vehicle_id IN "
)


def _known(vehicles: list[int]) -> dict[int, _Track]:
    """What is on file: from memory where the table says that nobody else wrote meanwhile."""
    found: dict[int, _Track] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(vehicles), _ROWS):
            chunk = vehicles[start : start + _ROWS]
            cursor.execute(f"{_SEQUENCES}({', '.join(['%s'] * len(chunk))})", chunk)
            for vehicle, sequence, doubted in cursor.fetchall():
                kept = _remembered.get(vehicle)
                if kept is not None and kept.sequence == sequence:
                    doubt = _doubt_of(doubted) if doubted else None
                    found[vehicle] = _Track(kept.before, kept.sampled, doubt, sampled_row=kept.sampled_row)
    if len(found) < len(vehicles):
        found |= _read([vehicle for vehicle in vehicles if vehicle not in found])
    return found


def _read(vehicles: list[int]) -> dict[int, _Track]:
    """Read and written without the ORM: its conversions would cost more than the database itself."""
    found: dict[int, _Track] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(vehicles), _ROWS):
            chunk = vehicles[start : start + _ROWS]
            cursor.execute(f"{_SELECT}({', '.join(['%s'] * len(chunk))})", chunk)
            for vehicle, lat, lon, at, kept_lat, kept_lon, since, doubted in cursor.fetchall():
                kept = Fix(kept_lat, kept_lon, stored_instant(since)) if since else None
                track = _Track(Fix(lat, lon, stored_instant(at)), kept, _doubt_of(doubted) if doubted else None)
                track.sampled_row = (kept_lat, kept_lon, since) if since else None
                found[vehicle] = track
    return found


def _storing() -> Callable[[datetime], str | datetime]:
    """How the column keeps an instant: SQLite's text has no offset and means UTC."""
    return _as_text if connection.vendor == "sqlite" else lambda at: at


def _as_text(at: datetime) -> str:
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(" ")


def _doubt_of(kept: str | list[Any] | None) -> Doubt | None:
    kept = json.loads(kept) if isinstance(kept, str) else kept
    if not kept:
        return None
    latitude, longitude, at, times = kept
    return Doubt(Fix(latitude, longitude, datetime.fromisoformat(at)), times)


def _kept(doubt: Doubt | None) -> list[object] | None:
    return [*doubt.fix.point, doubt.fix.at.isoformat(), doubt.times] if doubt else None


_INSERT = (
    "INSERT INTO fleet_position (vehicle_id, latitude, longitude, heading_degrees, speed_metres_per_second,"
    " at, sequence, sampled_latitude, sampled_longitude, sampled_at) VALUES "
)
_UNLESS_NEWER = (
    " ON CONFLICT (vehicle_id) DO UPDATE SET"
    " latitude = excluded.latitude, longitude = excluded.longitude,"
    " heading_degrees = excluded.heading_degrees, speed_metres_per_second = excluded.speed_metres_per_second,"
    " at = excluded.at, sequence = excluded.sequence, sampled_latitude = excluded.sampled_latitude,"
    " sampled_longitude = excluded.sampled_longitude, sampled_at = excluded.sampled_at"
    " WHERE excluded.at > fleet_position.at"
)


def _upsert(tracks: Mapping[int, _Track]) -> tuple[list[Written], dict[int, _Remembered]]:
    """What was written, for others and for this process.

    In the order of vehicles, so that two writers never wait for each other in a circle.
    """
    sequence = int(clock.wall().timestamp() * 1_000_000)
    rows, written, remembered, stored = [], [], {}, _storing()
    for vehicle, track in sorted(tracks.items(), key=_VEHICLE):
        if not track.believed:
            continue
        (latitude, longitude, at, heading, speed), sampled = track.believed[-1], track.sampled
        where = track.sampled_row
        if where is None:
            where = (sampled.latitude, sampled.longitude, stored(sampled.at)) if sampled else (None, None, None)
        rows.append((vehicle, latitude, longitude, heading, speed, stored(at), sequence, *where))
        utc = at if at.tzinfo is UTC else at.astimezone(UTC)
        written.append(Written(vehicle, sequence, latitude, longitude, utc, heading))
        remembered[vehicle] = _Remembered(sequence, Fix(latitude, longitude, utc), sampled, where)
    _write(_INSERT, rows, _UNLESS_NEWER)
    return written, remembered


def _remember(rows: Mapping[int, _Remembered]) -> None:
    if len(_remembered) + len(rows) > _MOST_REMEMBERED:
        _remembered.clear()
    _remembered.update(rows)


def _keep_samples(tracks: Mapping[int, _Track]) -> None:
    stored = _storing()
    rows = [(vehicle, *fix.point, stored(fix.at)) for vehicle, track in tracks.items() for fix in track.kept]
    _write("INSERT INTO fleet_positionsample (vehicle_id, latitude, longitude, at) VALUES ", rows)


def _write(insert: str, rows: Sequence[tuple[Any, ...]], after: str = "") -> None:
    """Many rows a statement: on either database that costs half of one statement for each."""
    if not rows:
        return
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            cursor.execute(f"{insert}{', '.join([row] * len(chunk))}{after}", list(chain.from_iterable(chunk)))


def _note_doubts(tracks: Mapping[int, _Track]) -> None:
    for vehicle, track in tracks.items():
        if track.doubt != track.was_doubted:
            Position.objects.filter(vehicle_id=vehicle).update(doubted=_kept(track.doubt))


def _count(dropped: Counter[str]) -> None:
    day = clock.now().date()
    for reason, count in sorted(dropped.items()):
        counter, _is_new = PositionDrop.objects.get_or_create(day=day, reason=reason)
        PositionDrop.objects.filter(pk=counter.pk).update(count=F("count") + count)
