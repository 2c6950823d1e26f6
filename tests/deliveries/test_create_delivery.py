"""What a merchant hands in becomes a delivery; nonsense is refused in words."""

import threading

import pytest
from django.db import connection, transaction

from apps.core.errors import InvalidInput, Refused
from apps.deliveries import services
from apps.deliveries.models import Attempt, Delivery, Link, Order
from apps.deliveries.services import ContactInput, ParcelInput, PlaceInput
from apps.events.models import Event
from tests import world

pytestmark = pytest.mark.django_db

ALICE = ContactInput("Alice Muster", "791 00 01", "Alice@Example.com")
VADUZ = PlaceInput("Landstrasse", "9490", "Vaduz", 47.141, 9.5215, house_number="12")
BOX = ParcelInput(2500, 300, 200, 150)


def create(**changed: object) -> Delivery:
    values: dict = {
        "merchant": world.merchant(),
        "reference": "A-1001",
        "recipient": ALICE,
        "buyer": None,
        "place": VADUZ,
        "window": world.hours(14, 16),
        "parcels": [BOX],
        "actor": "merchant:1",
    }
    return services.create_delivery(**{**values, **changed})


def test_it_makes_order_link_attempt_and_event() -> None:
    delivery = create(parcels=[BOX, ParcelInput(900, 100, 100, 100, "Gloves", "MY-1")])
    assert delivery.order.buyer == delivery.recipient
    assert delivery.recipient.email == "alice@example.com"
    assert delivery.home == delivery.place
    assert sorted(delivery.parcels.values_list("description", flat=True)) == ["", "Gloves"]
    assert delivery.service_seconds == 140
    assert Attempt.objects.get().number == 1
    assert Link.objects.get().kind == Link.Kind.FULL
    event = Event.objects.get(kind="delivery.created")
    assert (event.delivery_id, event.payload, event.actor) == (delivery.pk, {}, "merchant:1")


def test_phones_typed_in_any_way_become_one_number() -> None:
    typed = ["+423 791 00 01", "00423 7910001", "791 00 01", "(423) 791-0001".replace("(423)", "+423")]
    assert {ContactInput("A", phone).as_row().phone for phone in typed} == {"+4237910001"}


def test_a_second_delivery_of_the_same_order_joins_it() -> None:
    first, second = create(recipient=ContactInput("A")), create(recipient=ContactInput("A"))
    assert first.order == second.order
    assert Order.objects.count() == 1


def test_a_buyer_of_their_own_is_kept_apart() -> None:
    delivery = create(recipient=ContactInput("Alice"), buyer=ContactInput("Bob", email="bob@example.com"))
    assert delivery.order.buyer.name == "Bob"


def test_a_barcode_belongs_to_one_parcel() -> None:
    taken = ParcelInput(900, 100, 100, 100, barcode="MY-1")
    create(recipient=ContactInput("A"), parcels=[taken])
    with pytest.raises(Refused, match="barcodes"):
        create(recipient=ContactInput("A"), reference="A-1002", parcels=[taken])
    assert not Order.objects.filter(reference="A-1002").exists()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"reference": " "}, "reference_not_understood"),
        ({"reference": "x" * 61}, "reference_not_understood"),
        ({"reference": "a\x00b"}, "reference_not_understood"),
        ({"recipient": ContactInput(" ")}, "name_not_understood"),
        ({"recipient": ContactInput("Alice\u202eBob")}, "name_not_understood"),
        ({"recipient": ContactInput("Alice\nBcc: x")}, None),
        ({"recipient": ContactInput("A", phone="12")}, "phone_not_understood"),
        ({"recipient": ContactInput("A", email="a@")}, "email_not_understood"),
        ({"place": PlaceInput("S", "1", "T", float("nan"), 9.5)}, "place_not_on_map"),
        ({"place": PlaceInput("S", "1", "T", 47.0, float("inf"))}, "place_not_on_map"),
        ({"place": PlaceInput("S" * 121, "1", "T", 47.0, 9.0)}, "address_not_understood"),
        ({"parcels": []}, "parcels_missing"),
        ({"parcels": [BOX] * 51}, "parcels_missing"),
        ({"parcels": [ParcelInput(0, 1, 1, 1)]}, "parcel_size_not_understood"),
        ({"parcels": [ParcelInput(1, 10**7, 1, 1)]}, "parcel_size_not_understood"),
    ],
)
def test_nonsense_is_refused_in_words_and_leaves_nothing(changed: dict, code: str | None) -> None:
    if code is None:
        # A line break in a name is only folded: it cannot start a header of its own.
        assert create(**changed).recipient.name == "Alice Bcc: x"
        return
    with pytest.raises(InvalidInput) as error:
        create(**changed)
    assert error.value.code == code
    assert error.value.message.endswith(".")
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_creates_of_one_order_at_the_same_time_join_it() -> None:
    """Neither may fail: a shop sends the two deliveries of an order in one breath."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    world.merchant()
    written, failures = threading.Event(), []

    def first() -> None:
        try:
            with transaction.atomic():
                create(recipient=ContactInput("A"))
                written.set()
                threading.Event().wait(0.5)
        except Exception as error:  # noqa: BLE001  (whatever it is, the test must say so)
            failures.append(error)
        finally:
            written.set()
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    written.wait(10)
    create(recipient=ContactInput("A"))
    thread.join()
    assert failures == []
    assert Order.objects.get().deliveries.count() == 2
