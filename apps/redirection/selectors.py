"""What others may read of pick-up points: which are near, what waits where, whose page a hand-out link opens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import NotFound
from apps.core.geo import distance_metres
from apps.core.throttles import check_tries, count_try
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import CollectionCode, Delivery, Parcel
from apps.deliveries.services import COLLECTION_TRIES
from apps.places.selectors import opening_windows
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.rules import misfit

LIVE = (Reservation.State.RESERVED, Reservation.State.STORED)
# Nobody fetches a parcel from further away: half a degree is some 40 to 55 km.
_NEAR_DEGREES = 0.5
_MISSES, _WINDOW_SECONDS = 30, 60


@dataclass(frozen=True, slots=True)
class PointOffer:
    """A point near the door, or near where one asked.

    `fits` says it can be chosen, `reason` why not: too_large, too_heavy, full, closed, here. `earliest` is when the
    parcel can be there, where that has been asked of the plan.
    """

    point: PickupPoint
    distance_metres: int
    fits: bool
    reason: str
    opening_today: str
    open_today: bool
    room_left: int
    earliest: TimeWindow | None = None

    def as_json(self) -> dict[str, Any]:
        earliest = self.earliest
        return {
            "code": self.point.code,
            "name": self.point.name,
            "distance_metres": self.distance_metres,
            "earliest": [earliest.earliest.isoformat(), earliest.latest.isoformat()] if earliest else None,
        }


@dataclass(frozen=True, slots=True)
class WaitingParcels:
    """What the staff of a point need to find one delivery on the shelf; no names."""

    delivery_id: int
    merchant: str
    barcodes: tuple[str, ...]
    until: datetime | None
    is_locked: bool


def nearby_points(
    *, delivery: Delivery, limit: int = 12, around: tuple[float, float] | None = None
) -> list[PointOffer]:
    """The nearest points, those that can be chosen first, then by distance. Asks no plan.

    Distances are from the recipient's door, or from `around` (latitude, longitude).
    """
    centre = around or delivery.home.point
    latitude, longitude = centre
    points = PickupPoint.objects.filter(
        is_active=True,
        latitude__range=(latitude - _NEAR_DEGREES, latitude + _NEAR_DEGREES),
        longitude__range=(longitude - _NEAR_DEGREES, longitude + _NEAR_DEGREES),
    )
    nearest = sorted(points, key=lambda point: distance_metres(centre, point.point))[: limit * 2]
    parcels = list(delivery.parcels.all())
    room = room_left([point.pk for point in nearest], besides=delivery.pk)
    days = days_for(delivery)
    offers = [_offer(delivery, centre, point, parcels, room[point.pk], days) for point in nearest]
    return sorted(offers, key=lambda offer: (not offer.fits, offer.distance_metres))[:limit]


def _offer(
    delivery: Delivery,
    centre: tuple[float, float],
    point: PickupPoint,
    parcels: Sequence[Parcel],
    room: int,
    days: Sequence[date],
) -> PointOffer:
    zone = ZoneInfo(point.time_zone)
    today = opening_windows(point.opening_hours, clock.now().astimezone(zone).date(), zone, point.country)
    reason = misfit(parcels, point)
    if not reason and delivery.place.merge_key == merge_key_of(point):
        reason = "here"
    if not reason and room < len(parcels):
        reason = "full"
    if not reason and not any(opening_span(point, day) for day in days):
        reason = "closed"
    words = ", ".join(f"{w.earliest.astimezone(zone):%H:%M}–{w.latest.astimezone(zone):%H:%M}" for w in today)
    return PointOffer(
        point=point,
        distance_metres=round(distance_metres(centre, point.point)),
        fits=not reason,
        reason=reason,
        opening_today=words or _("Closed today"),
        open_today=bool(today),
        room_left=room,
    )


def opening_span(point: PickupPoint, day: date) -> TimeWindow | None:
    """From now or the first opening to the last closing of that day; None when it is closed from now on."""
    windows = opening_windows(point.opening_hours, day, ZoneInfo(point.time_zone), point.country)
    now = clock.now()
    left = [window for window in windows if window.latest > now]
    return TimeWindow(max(left[0].earliest, now), left[-1].latest) if left else None


def days_for(delivery: Delivery) -> list[date]:
    """The local days on which the parcel could be brought: once it is at the depot, as far as the policy looks."""
    zone = ZoneInfo(delivery.merchant.time_zone)
    today = clock.now().astimezone(zone).date()
    first = today
    if delivery.state in ("created", "planned"):
        first = max(today, delivery.window_earliest.astimezone(zone).date())
    last = today.toordinal() + delivery.merchant.policy.days_ahead
    return [date.fromordinal(day) for day in range(first.toordinal(), max(last, first.toordinal()) + 1)]


def room_left(point_ids: Iterable[int], *, besides: int | None = None) -> dict[int, int]:
    """How many more parcels each point can keep; what the delivery `besides` has reserved does not count."""
    ids = list(point_ids)
    capacity: dict[int, int] = dict(PickupPoint.objects.filter(pk__in=ids).values_list("pk", "capacity"))
    taken = (
        Reservation.objects.filter(point__in=ids, state__in=LIVE)
        .exclude(delivery=besides)
        .values("point")
        .annotate(parcels=Count("delivery__parcels"))
        .values_list("point", "parcels")
    )
    used = dict(taken)
    return {pk: capacity.get(pk, 0) - used.get(pk, 0) for pk in ids}


def merge_key_of(point: PickupPoint) -> str:
    """Equal for all that goes to this point: one stop serves it."""
    return f"point:{point.code}"


def point_of(delivery: Delivery) -> PickupPoint | None:
    """The point the delivery goes to or waits at."""
    mark, _colon, code = delivery.place.merge_key.partition(":")
    return PickupPoint.objects.filter(code=code).first() if mark == "point" else None


def reservation_of(delivery_id: int) -> Reservation | None:
    """The live one."""
    return Reservation.objects.filter(delivery=delivery_id, state__in=LIVE).select_related("point").first()


def waiting_at(point: PickupPoint) -> list[WaitingParcels]:
    """What is on the point's shelf, the most urgent first."""
    rows: QuerySet[Delivery] = (
        Delivery.objects.filter(reservations__point=point, reservations__state=Reservation.State.STORED)
        .select_related("merchant", "collection_code")
        .prefetch_related("parcels")
        .order_by("collect_until", "pk")
    )
    return [
        WaitingParcels(
            delivery_id=row.pk,
            merchant=row.merchant.name,
            barcodes=tuple(parcel.barcode for parcel in row.parcels.all()),
            until=row.collect_until,
            is_locked=_is_locked(row),
        )
        for row in rows
    ]


def _is_locked(delivery: Delivery) -> bool:
    try:
        return delivery.collection_code.tries >= COLLECTION_TRIES
    except CollectionCode.DoesNotExist:
        return True


def find_point(token: str, *, address: str = "") -> PickupPoint:
    """The point whose hand-out page a token opens; NotFound for every other, Throttled after too many tries."""
    if address:
        check_tries("point-miss", address, limit=_MISSES, seconds=_WINDOW_SECONDS)
    digest = sha256_hex(token[:65].encode("utf-8", "replace").decode())
    point = PickupPoint.objects.filter(handout_sha256=digest, is_active=True).first()
    if point is None:
        if address:
            count_try("point-miss", address, limit=_MISSES, seconds=_WINDOW_SECONDS)
        raise NotFound("link_not_found", _("This link does not open anything."))
    return point
