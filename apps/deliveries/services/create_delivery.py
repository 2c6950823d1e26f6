"""Takes an order's delivery on: people, place, parcels, the agreed window and the recipient's link."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries import events
from apps.deliveries.inputs import ORDINARY, ContactInput, ParcelInput, PlaceInput, Terms, is_plain
from apps.deliveries.models import Attempt, Contact, Delivery, Order, Parcel
from apps.deliveries.services.home_key import with_home_key
from apps.deliveries.services.links import make_link
from apps.events.services import emit
from apps.merchants.models import Merchant

SERVICE_SECONDS = 120
SERVICE_SECONDS_PER_FURTHER_PARCEL = 20
MOST_PARCELS = 50
# No i, l, o, u: read aloud and typed by clerks.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def create_delivery(
    *,
    merchant: Merchant,
    reference: str,
    recipient: ContactInput,
    buyer: ContactInput | None,
    place: PlaceInput,
    window: TimeWindow,
    parcels: Sequence[ParcelInput],
    service_seconds: int | None = None,
    terms: Terms = ORDINARY,
    actor: str,
) -> Delivery:
    """A new delivery in state *created*, with its full link. Asks no plan: rescheduling.services does that.

    A reference that is known already adds a delivery to that order. Raises InvalidInput for words or sizes that make
    no sense, Refused("barcode_taken") when a parcel's barcode belongs to another delivery.
    """
    reference = reference.strip()
    if not reference or len(reference) > 60 or not is_plain(reference):
        raise InvalidInput("reference_not_understood", _("Give the order a reference of at most 60 characters."))
    if not 0 < len(parcels) <= MOST_PARCELS:
        raise InvalidInput("parcels_missing", _("A delivery has between 1 and 50 parcels."))
    for parcel in parcels:
        parcel.check()
    terms.check()
    _check_preferred(terms, window)
    person = recipient.as_row()
    where = with_home_key(place, person).as_row()
    payer = buyer.as_row() if buyer and buyer != recipient else None
    if service_seconds is None:
        service_seconds = door_service_seconds(len(parcels))
    with transaction.atomic():
        person.save()
        where.save()
        order = _order(merchant, reference, payer or person)
        now = clock.now()
        delivery = Delivery.objects.create(
            order=order,
            merchant=merchant,
            recipient=person,
            place=where,
            home=where,
            window_earliest=window.earliest,
            window_latest=window.latest,
            service_seconds=service_seconds,
            created_at=now,
            **_asked(terms),
        )
        _add_parcels(delivery, parcels)
        Attempt.objects.create(delivery=delivery, number=1, place=where, started_at=now)
        make_link(delivery=delivery)
        emit(events.CREATED, delivery_id=delivery.pk, actor=actor)
    return delivery


def _check_preferred(terms: Terms, window: TimeWindow) -> None:
    if terms.preferred is not None and not window.holds(terms.preferred):
        raise InvalidInput("preferred_outside_window", _("We do not understand what this delivery needs."))


def _asked(terms: Terms) -> dict[str, Any]:
    """The columns of the terms; the shop is written."""
    shop = terms.collect_from.as_row() if terms.collect_from is not None else None
    if shop is not None:
        shop.save()
    return {
        "kind": terms.kind,
        "collect_from": shop,
        "preferred_earliest": terms.preferred.earliest if terms.preferred else None,
        "preferred_latest": terms.preferred.latest if terms.preferred else None,
        "priority": terms.priority,
        "needs": sorted(terms.needs),
        "deferred_reason": terms.deferred,
        "proof_needed": sorted(terms.proof),
        "minimum_age": terms.minimum_age,
        "cash_due": terms.cash_due,
        "cash_currency": terms.cash_currency,
    }


def door_service_seconds(parcels: int) -> int:
    """How long a stop at a door takes unless the merchant knows better."""
    return SERVICE_SECONDS + SERVICE_SECONDS_PER_FURTHER_PARCEL * max(0, parcels - 1)


def _order(merchant: Merchant, reference: str, payer: Contact) -> Order:
    order = Order.objects.filter(merchant=merchant, reference=reference).first()
    if order:
        return order
    if payer.pk is None:
        payer.save()
    # Two creates with one reference may both have found none: the second waits here and joins the first's order.
    order, _is_new = Order.objects.get_or_create(
        merchant=merchant, reference=reference, defaults={"buyer": payer, "placed_at": clock.now()}
    )
    return order


def _add_parcels(delivery: Delivery, parcels: Sequence[ParcelInput]) -> None:
    rows = [
        Parcel(
            delivery=delivery,
            barcode=parcel.barcode or new_barcode(),
            description=parcel.description[:120],
            weight_grams=parcel.weight_grams,
            length_millimetres=parcel.length_millimetres,
            width_millimetres=parcel.width_millimetres,
            height_millimetres=parcel.height_millimetres,
        )
        for parcel in parcels
    ]
    try:
        with transaction.atomic():
            Parcel.objects.bulk_create(rows)
    except IntegrityError:
        raise Refused("barcode_taken", _("One of these barcodes is on another parcel already.")) from None


def new_barcode() -> str:
    """DS and twelve characters (60 bits), so that two installs do not collide and nobody can count."""
    return "DS" + "".join(secrets.choice(_ALPHABET) for _position in range(12))
