"""Hands a merchant's checked words to the plan: finds the address, then asks rescheduling for a place on a van."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput, Terms
from apps.deliveries.models import Delivery, Place
from apps.merchants.models import Merchant
from apps.places.services import geocode, suggest
from apps.rescheduling import services as rescheduling

MOST_SUGGESTIONS = 5


def create_delivery(*, merchant: Merchant, order: Mapping[str, Any], actor: str) -> Delivery:
    """A delivery with its place in the plan. `order` is the validated body of serializers.DeliveryInput.

    Refused("address_not_found") with the addresses that may have been meant, or as rescheduling refuses.
    """
    return rescheduling.create_delivery(
        merchant=merchant,
        reference=order["reference"],
        recipient=_person(order["recipient"], merchant),
        buyer=_person(order["buyer"], merchant) if order["buyer"] else None,
        place=_place(order["place"]),
        window=_window(order["window"]),
        parcels=[ParcelInput(**parcel) for parcel in order["parcels"]],
        service_seconds=order.get("service_seconds"),
        terms=_terms(order),
        actor=actor,
    )


def _terms(order: Mapping[str, Any]) -> Terms:
    return Terms(
        kind=order["kind"],
        priority=order["priority"],
        needs=frozenset(order["needs"]),
        deferred=order["deferred"],
        proof=frozenset(order["proof"]),
        minimum_age=order["minimum_age"],
        cash_due=order["cash_due"],
        cash_currency=order["cash_currency"],
        collect_from=_shop(order["collect_from"]) if order["collect_from"] else None,
        preferred=_window(order["preferred_window"]),
    )


def _window(words: Mapping[str, Any] | None) -> TimeWindow | None:
    return TimeWindow(words["earliest"], words["latest"]) if words else None


def _shop(words: Mapping[str, Any]) -> PlaceInput:
    """The merchant's own shop, as a place where a van collects."""
    own = {name: words[name] for name in ("name", "opening_hours")}
    found = _place({name: value for name, value in words.items() if name not in own})
    return replace(found, kind=Place.Kind.SHOP, **own)


def cancel_delivery(*, delivery: Delivery, reason: str, revision: int | None, actor: str) -> Delivery:
    """The cancelled delivery. Without a revision the one just read counts."""
    return rescheduling.cancel_delivery(
        delivery=delivery, reason=reason, revision=delivery.revision if revision is None else revision, actor=actor
    )


def _person(words: Mapping[str, str], merchant: Merchant) -> ContactInput:
    return ContactInput(**{"language": merchant.language, **words})


def _place(words: Mapping[str, Any]) -> PlaceInput:
    """The place as it was pinned by the merchant, or the entrance of the address we know by that name."""
    if "latitude" in words:
        return PlaceInput(**words)
    parts = {name: words[name] for name in ("street", "house_number", "postcode", "town")}
    found = geocode(**parts)
    if found is None or not found.is_sure or words.get("country", found.country) != found.country:
        line = f"{parts['street']} {parts['house_number']}, {parts['postcode']} {parts['town']}"
        maybe = [str(one) for one in (suggest(line, limit=MOST_SUGGESTIONS) or ([found] if found else []))]
        raise Refused("address_not_found", _("We do not know this address. Check it, or send its coordinates."), maybe)
    return PlaceInput(
        street=found.street,
        house_number=found.house_number,
        postcode=found.postcode,
        town=found.town,
        country=found.country,
        latitude=found.latitude,
        longitude=found.longitude,
    )
