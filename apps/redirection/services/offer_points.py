"""Which points the plan can really serve, and when."""

from dataclasses import replace

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.deliveries.services import PlaceInput
from apps.redirection.models import PickupPoint
from apps.redirection.selectors import PointOffer, days_for, merge_key_of, nearby_points, opening_span
from apps.routing.services import offers

# Each asks the plan of a day or more; further away than the nearest few, people only want to see that they exist.
ASKED_OF_PLAN = 6


def offer_points(*, delivery: Delivery, limit: int = 12) -> list[PointOffer]:
    """Points near the door; for the nearest that fit, the plan says when the parcel can be there.

    `fits` is False with reason "unreachable" when no van gets there on any of the days.
    """
    asked, answered = 0, []
    for offer in nearby_points(delivery=delivery, limit=limit):
        if offer.fits and asked < ASKED_OF_PLAN:
            asked += 1
            earliest = earliest_at(delivery, offer.point)
            offer = replace(
                offer, fits=earliest is not None, reason="" if earliest else "unreachable", earliest=earliest
            )
        answered.append(offer)
    return sorted(answered, key=lambda offer: (not offer.fits, offer.distance_metres))


def earliest_at(delivery: Delivery, point: PickupPoint) -> TimeWindow | None:
    """The opening span of the first day on which the plan can bring the delivery there."""
    for day in days_for(delivery):
        window = opening_span(point, day)
        if window is None:
            continue
        try:
            answer = offers(delivery=delivery, place=as_place(point), windows=[window])[0]
        except Refused:
            return None
        if answer.feasible:
            return window
    return None


def as_place(point: PickupPoint) -> PlaceInput:
    """The point as a delivery's place. Parcels for it share one stop."""
    return PlaceInput(
        kind="pickup_point",
        name=point.name,
        street=point.street,
        house_number=point.house_number,
        postcode=point.postcode,
        town=point.town,
        country=point.country,
        latitude=point.latitude,
        longitude=point.longitude,
        opening_hours=point.opening_hours,
        merge_key=merge_key_of(point),
    )
