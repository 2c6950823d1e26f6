"""What happens once parcels lie on a point's shelf: the code, the deadline, the way back."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused
from apps.deliveries.models import Delivery
from apps.deliveries.services import move_state, set_collection
from apps.deliveries.states import State
from apps.events.services import cancel, emit, react
from apps.places.selectors import opening_windows
from apps.redirection import events
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.selectors import LIVE, point_of

EXPIRE_HANDLER = "apps.redirection.handlers.on_collection_expired"
# Closing time of a point whose hours nobody can read.
_CLOSING = time(18)


def store_at_point(*, delivery_ids: Iterable[int], actor: str, at: datetime | None = None) -> list[int]:
    """The ids that are ready to collect now. Harmless twice; what is not out for a point is left as it is."""
    at = at or clock.now()
    stored = []
    for delivery in Delivery.objects.filter(pk__in=list(delivery_ids)).select_related("place", "merchant__policy"):
        point = point_of(delivery)
        if point is not None and _store(delivery, point, actor, at):
            stored.append(delivery.pk)
    return stored


def _store(delivery: Delivery, point: PickupPoint, actor: str, at: datetime) -> bool:
    with transaction.atomic():
        moved = move_state(delivery_id=delivery.pk, to=State.AT_POINT, actor=actor, at=at)
        # The driver's face may have moved the delivery already; without a reservation it was addressed to the point.
        if not moved and delivery.state != State.AT_POINT:
            return False
        Reservation.objects.get_or_create(delivery=delivery, state__in=LIVE, defaults={"point": point, "made_at": at})
        fresh = Reservation.objects.filter(delivery=delivery, state=Reservation.State.RESERVED).update(
            state=Reservation.State.STORED, stored_at=at
        )
        if not fresh:
            return False
        _wait_until(delivery.pk, collect_until(point, at, delivery.merchant.policy.pickup_days))
        emit(events.STORED, delivery_id=delivery.pk, payload={"point": point.pk}, actor=actor)
    return True


def collect_until(point: PickupPoint, stored_at: datetime, days: int) -> datetime:
    """Closing time, so many days later in the point's zone, or on the next day it opens after that."""
    zone = ZoneInfo(point.time_zone)
    last = stored_at.astimezone(zone).date() + timedelta(days=days)
    for later in range(8):
        windows = opening_windows(point.opening_hours, last + timedelta(days=later), zone, point.country)
        if windows:
            return windows[-1].latest
    return datetime.combine(last, _CLOSING, tzinfo=zone).astimezone(UTC)


def extend_collection(*, delivery: Delivery, days: int, actor: str) -> datetime:
    """The new deadline, so many days after the old one. Refused when nothing waits any more."""
    point = point_of(delivery)
    if point is None or delivery.state != State.AT_POINT or delivery.collect_until is None:
        raise Refused("not_waiting", _("Nothing of this delivery is waiting to be collected."))
    with transaction.atomic():
        until = collect_until(point, delivery.collect_until, days)
        cancel(_timer(delivery.pk))
        _wait_until(delivery.pk, until)
        emit(events.EXTENDED, delivery_id=delivery.pk, payload={"until": until}, actor=actor)
    return until


def expire_collection(*, delivery_id: int) -> bool:
    """Sends back what nobody collected in time; False when it was, or when it may wait longer by now."""
    with transaction.atomic():
        due = Delivery.objects.filter(pk=delivery_id, state=State.AT_POINT, collect_until__lte=clock.now())
        if not due.exists() or not move_state(
            delivery_id=delivery_id, to=State.RETURNING, actor="system", reason="not_collected"
        ):
            return False
        Reservation.objects.filter(delivery=delivery_id, state__in=LIVE).update(
            state=Reservation.State.RELEASED, ended_at=clock.now()
        )
    return True


def _wait_until(delivery_id: int, until: datetime) -> None:
    set_collection(delivery_id=delivery_id, until=until)
    react(EXPIRE_HANDLER, due_at=until, dedupe_key=_timer(delivery_id), delivery_id=delivery_id)


def _timer(delivery_id: int) -> str:
    return f"collect:{delivery_id}"


def stop_waiting(delivery_id: int) -> None:
    """Calls the timer off."""
    cancel(_timer(delivery_id))
