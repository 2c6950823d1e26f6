"""schema.org ParcelDelivery for e-mails: mailboxes show the parcel's window and status from it, without opening a page.

Says no more than the mail itself: no street, no name, the tracking link only where the mail has it.
"""

import json
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Place
from apps.deliveries.states import State

_SCHEMA = "https://schema.org"
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
# https://schema.org/OrderStatus
_STATUS: dict[str, str] = {
    State.CREATED: "OrderProcessing",
    State.PLANNED: "OrderProcessing",
    State.ARRIVED: "OrderProcessing",
    State.LOADED: "OrderInTransit",
    State.OUT: "OrderInTransit",
    State.DELIVERED: "OrderDelivered",
    State.COLLECTED: "OrderDelivered",
    State.AT_POINT: "OrderPickupAvailable",
    State.FAILED: "OrderProblem",
    State.RETURNING: "OrderReturned",
    State.RETURNED: "OrderReturned",
    State.CANCELLED: "OrderCancelled",
}


def parcel_delivery(delivery: Delivery, window: TimeWindow, *, link: str, is_recipients: bool) -> dict[str, Any]:
    """The JSON-LD object; `is_recipients` is False for a buyer who sends to somebody else."""
    status = f"{_SCHEMA}/{_STATUS[delivery.state]}"
    shop = {"@type": "Organization", "name": delivery.merchant.name}
    described: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "ParcelDelivery",
        "provider": shop,
        # The older name, which Gmail still asks for.
        "carrier": shop,
        "expectedArrivalFrom": window.earliest.isoformat(),
        "expectedArrivalUntil": window.latest.isoformat(),
        "hasDeliveryMethod": f"http://purl.org/goodrelations/v1#{_method(delivery)}",
        "deliveryStatus": _event(delivery),
        "itemShipped": [
            {"@type": "Product", "name": parcel.description or delivery.order.reference}
            for parcel in delivery.parcels.order_by("pk")
        ],
        "partOfOrder": {
            "@type": "Order",
            "orderNumber": delivery.order.reference,
            "orderStatus": status,
            "merchant": shop,
        },
    }
    if is_recipients:
        described["deliveryAddress"] = _address(delivery.place)
    if link:
        described |= {"trackingUrl": link, "trackingNumber": delivery.public_id}
        described["potentialAction"] = {"@type": "TrackAction", "target": link}
    return described


def script_text(described: dict[str, Any]) -> SafeString:
    """For the inside of a <script>: nothing in it can end the script."""
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308


def _event(delivery: Delivery) -> dict[str, str]:
    event = {"@type": "DeliveryEvent", "name": str(State(delivery.state).label)}
    if delivery.state == State.AT_POINT and delivery.collect_until:
        event["availableThrough"] = delivery.collect_until.isoformat()
    return event


def _method(delivery: Delivery) -> str:
    return "DeliveryModePickUp" if delivery.place.kind != Place.Kind.ADDRESS else "DeliveryModeOwnFleet"


def _address(place: Place) -> dict[str, str]:
    """A pick-up point is public; of a home the town says enough."""
    address = {"@type": "PostalAddress", "addressLocality": place.town, "addressCountry": place.country}
    if place.kind != Place.Kind.ADDRESS:
        address |= {"name": place.name, "streetAddress": f"{place.street} {place.house_number}".strip()}
        address["postalCode"] = place.postcode
    return address
