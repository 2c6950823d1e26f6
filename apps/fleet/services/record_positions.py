"""Where the vans are: the newest position per vehicle wins, whatever order they arrive in."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from apps.core import clock
from apps.core.geo import distance_metres
from apps.fleet.models import Position, PositionDrop, PositionSample, Vehicle
from apps.fleet.rules import BELIEVED_AFTER, SAMPLE_EVERY, SAMPLE_METRES, Doubt, Fix, cleaned, doubted_with, drop_reason

KEEP_SAMPLES = timedelta(days=7)

__all__ = ["Fix", "drop_old_samples", "record_positions"]


def record_positions(*, vehicle: Vehicle, fixes: Iterable[Fix]) -> int:
    """Keeps what is believable; how many positions were believed.

    `sequence` is the wall clock in microseconds: who tails positions reads a second or two again, because a writer
    that took its number earlier may commit later.
    """
    now, dropped = clock.now(), Counter[str]()
    depot = (vehicle.depot.latitude, vehicle.depot.longitude)
    stored = Position.objects.filter(vehicle=vehicle).first()
    before = Fix(stored.latitude, stored.longitude, stored.at) if stored is not None else None
    doubt = known = _doubt_of(stored)
    believed: list[Fix] = []
    # Comparing an instant with one that has no zone would fail; the rules name such a fix.
    for fix in sorted(fixes, key=lambda fix: fix.at.timestamp()):
        reason = drop_reason(fix, depot, before, now)
        if reason == "too_fast":
            doubt = doubted_with(fix, doubt)
        if reason is not None and not (reason == "too_fast" and doubt and doubt.times >= BELIEVED_AFTER):
            dropped[reason] += 1
            continue
        doubt = None
        believed.append(cleaned(fix))
        before = fix if before is None or fix.at > before.at else before
    with transaction.atomic():
        if believed:
            _upsert(vehicle.pk, believed[-1])
            _keep_samples(vehicle.pk, believed)
        if doubt != known:
            Position.objects.filter(vehicle=vehicle).update(doubted=_kept(doubt))
        _count(dropped)
    return len(believed)


def drop_old_samples() -> int:
    """Forgets the history that is older than a week."""
    return PositionSample.objects.filter(at__lt=clock.now() - KEEP_SAMPLES).delete()[0]


def _doubt_of(stored: Position | None) -> Doubt | None:
    kept = stored.doubted if stored is not None else None
    if not kept:
        return None
    latitude, longitude, at, times = kept
    return Doubt(Fix(latitude, longitude, datetime.fromisoformat(at)), times)


def _kept(doubt: Doubt | None) -> list[object] | None:
    return [*doubt.fix.point, doubt.fix.at.isoformat(), doubt.times] if doubt else None


def _upsert(vehicle: int, fix: Fix) -> None:
    sequence = int(clock.wall().timestamp() * 1_000_000)
    at = connection.ops.adapt_datetimefield_value(fix.at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fleet_position (vehicle_id, latitude, longitude, heading_degrees, speed_metres_per_second,"
            " at, sequence) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (vehicle_id) DO UPDATE SET"
            " latitude = excluded.latitude, longitude = excluded.longitude,"
            " heading_degrees = excluded.heading_degrees, speed_metres_per_second = excluded.speed_metres_per_second,"
            " at = excluded.at, sequence = excluded.sequence WHERE excluded.at > fleet_position.at",
            [vehicle, fix.latitude, fix.longitude, fix.heading, fix.speed, at, sequence],
        )


def _keep_samples(vehicle: int, believed: list[Fix]) -> None:
    """Each sixth position, and each that lies 25 m from the last one kept."""
    last = PositionSample.objects.filter(vehicle=vehicle).order_by("-at").values_list("latitude", "longitude").first()
    rows: list[PositionSample] = []
    for number, fix in enumerate(believed):
        far = last is None or distance_metres(last, fix.point) > SAMPLE_METRES
        if far or number % SAMPLE_EVERY == SAMPLE_EVERY - 1:
            rows.append(PositionSample(vehicle_id=vehicle, latitude=fix.latitude, longitude=fix.longitude, at=fix.at))
            last = fix.point
    PositionSample.objects.bulk_create(rows)


def _count(dropped: Counter[str]) -> None:
    day = clock.now().date()
    for reason, count in sorted(dropped.items()):
        counter, _is_new = PositionDrop.objects.get_or_create(day=day, reason=reason)
        PositionDrop.objects.filter(pk=counter.pk).update(count=F("count") + count)
