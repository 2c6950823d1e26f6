"""E-mails carry schema.org ParcelDelivery: what a mailbox may show without opening a page, and no more."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core import mail

from apps.deliveries import services
from apps.deliveries.models import Contact, Delivery
from apps.deliveries.states import State
from apps.merchants.models import Merchant
from apps.notifications.markup import _STATUS
from tests import world
from tests.notifications.people import alice, announce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wire")]
# The vocabulary, as schema.org has it: type -> the properties used here that belong to it.
VOCABULARY = {
    "ParcelDelivery": {
        "provider", "carrier", "expectedArrivalFrom", "expectedArrivalUntil", "hasDeliveryMethod", "deliveryStatus",
        "itemShipped", "partOfOrder", "deliveryAddress", "trackingUrl", "trackingNumber", "potentialAction",
    },
    "Organization": {"name"},
    "DeliveryEvent": {"name", "availableThrough"},
    "Product": {"name"},
    "Order": {"orderNumber", "orderStatus", "merchant"},
    "PostalAddress": {"addressLocality", "addressCountry", "name", "streetAddress", "postalCode"},
    "TrackAction": {"target"},
}  # fmt: skip
ORDER_STATUSES = {
    "OrderCancelled", "OrderDelivered", "OrderInTransit", "OrderPaymentDue", "OrderPickupAvailable", "OrderProblem",
    "OrderProcessing", "OrderReturned",
}  # fmt: skip


def html_of(letter: Any) -> str:
    (alternative,) = letter.alternatives
    assert alternative[1] == "text/html"
    return str(alternative[0])


def markup_of(letter: Any) -> dict[str, Any]:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html_of(letter), re.DOTALL)
    assert len(found) == 1
    described: dict[str, Any] = json.loads(found[0])
    return described


def check(value: Any) -> None:
    """Every object has a known type and only properties that this type has."""
    if isinstance(value, list):
        for item in value:
            check(item)
    elif isinstance(value, dict):
        unknown = set(value) - {"@type", "@context"} - VOCABULARY[value["@type"]]
        assert not unknown, (value["@type"], unknown)
        for item in value.values():
            check(item)


@pytest.mark.covers("T25")
def test_a_confirmation_says_when_what_and_where_to_look(drain: Callable[..., int]) -> None:
    delivery = alice(email=None)
    announce("delivery.created", delivery)
    drain()
    described = markup_of(mail.outbox[0])
    check(described)
    assert (described["@context"], described["@type"]) == ("https://schema.org", "ParcelDelivery")
    told = [datetime.fromisoformat(described[f"expectedArrival{end}"]) for end in ("From", "Until")]
    assert told == [delivery.window.earliest, delivery.window.latest]
    assert described["trackingUrl"] == services.tracking_url(delivery.links.get())
    assert described["provider"] == described["carrier"] == {"@type": "Organization", "name": "Alpenkorb"}
    assert described["partOfOrder"]["orderNumber"] == "A-0001"
    assert described["partOfOrder"]["merchant"]["name"] == "Alpenkorb"
    assert described["partOfOrder"]["orderStatus"] == "https://schema.org/OrderProcessing"
    assert described["deliveryAddress"] == {
        "@type": "PostalAddress",
        "addressLocality": "Vaduz",
        "addressCountry": "LI",
    }
    for secret in ("Landstrasse", "9490", "Muster", delivery.recipient.phone):
        assert secret not in json.dumps(described)


@pytest.mark.covers("T25")
def test_every_state_has_a_status_of_the_vocabulary() -> None:
    assert set(_STATUS) == set(State.values)
    assert set(_STATUS.values()) <= ORDER_STATUSES


@pytest.mark.covers("T25")
def test_a_name_cannot_end_the_script(drain: Callable[..., int]) -> None:
    evil = "</script><img src=x onerror=alert(1)> & Söhne"
    delivery = alice(email=None)
    Merchant.objects.filter(pk=delivery.merchant_id).update(name=evil)
    announce("delivery.created", delivery)
    drain()
    assert "<img" not in html_of(mail.outbox[0])
    assert markup_of(mail.outbox[0])["provider"]["name"] == evil


@pytest.mark.covers("T25")
def test_a_buyer_who_sends_to_somebody_else_gets_no_link_and_no_place(drain: Callable[..., int]) -> None:
    delivery: Delivery = alice(email=None)
    buyer = Contact.objects.create(name="Anna Kauf", email="anna@example.com")
    delivery.order.buyer = buyer
    delivery.order.save()
    for state in (State.PLANNED, State.OUT, State.DELIVERED):
        assert services.move_state(delivery_id=delivery.pk, to=state, actor="system")
    drain()
    described = {letter.to[0]: markup_of(letter) for letter in mail.outbox if "has been delivered" in letter.subject}
    check(list(described.values()))
    bought, received = described["anna@example.com"], described[delivery.recipient.email]
    assert bought["partOfOrder"]["orderStatus"] == "https://schema.org/OrderDelivered"
    assert not {"trackingUrl", "trackingNumber", "deliveryAddress", "potentialAction"} & set(bought)
    assert received["deliveryAddress"]["addressLocality"] == world.SPOTS["Alice"][3]


@pytest.mark.covers("T25")
def test_a_mail_with_a_code_carries_no_markup(drain: Callable[..., int]) -> None:
    """It is about a person who proves something, not about a parcel."""
    from apps.deliveries import access

    delivery = alice(email=None)
    opened = access.open_link(services.token_of(services.make_link(delivery=delivery)))
    access.request_code(access=opened, channel="email")
    drain()
    letters = [letter for letter in mail.outbox if "code" in letter.subject]
    assert letters
    assert "ld+json" not in html_of(letters[0])
