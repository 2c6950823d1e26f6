"""Which points the plan can really serve, and when."""

from collections.abc import Sequence
from dataclasses import replace

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.deliveries.services import PlaceInput
from apps.redirection.models import PickupPoint
from apps.redirection.selectors import PointOffer, days_for, merge_key_of, nearby_points, opening_span
from apps.routing.services import offers_at

# Each asks the plan of a day or more; further away than the nearest few, people only want to see that they exist.
ASKED_OF_PLAN = 6


def offer_points(*, delivery: Delivery, limit: int = 12) -> list[PointOffer]:
    """Points near the door; for the nearest that fit, the plan says when the parcel can be there.

    `fits` is False with reason "unreachable" when no van gets there on any of the days.
    """
    near = nearby_points(delivery=delivery, limit=limit)
    asked = [offer.point for offer in near if offer.fits][:ASKED_OF_PLAN]
    earliest = earliest_at(delivery, asked)
    answered = []
    for offer in near:
        if offer.point in asked:
            window = earliest.get(offer.point.pk)
            offer = replace(offer, fits=window is not None, reason="" if window else "unreachable", earliest=window)
        answered.append(offer)
    return sorted(answered, key=lambda offer: (not offer.fits, offer.distance_metres))


def earliest_at(delivery: Delivery, points: Sequence[PickupPoint]) -> dict[int, TimeWindow]:
    """The opening span of the first day on which the plan can bring the delivery there, by point.

    A day's plan is read once for all points, and only while some of them are without an answer.
    """
    found: dict[int, TimeWindow] = {}
    for day in days_for(delivery):
        spans = {point.pk: span for point in points if point.pk not in found and (span := opening_span(point, day))}
        if not spans:
            continue
        asked = [(as_place(point), [spans[point.pk]]) for point in points if point.pk in spans]
        try:
            answers = offers_at(delivery=delivery, asked=asked)
        except Refused:
            return found
        for (pk, span), (answer,) in zip(spans.items(), answers, strict=True):
            if answer.feasible:
                found[pk] = span
    return found


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
