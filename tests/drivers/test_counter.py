"""Hand-out at a pick-up point: no names, one code, few tries, and a link that can be taken away."""

import pytest
from django.test import Client

from apps.deliveries.models import CollectionCode, Delivery
from apps.deliveries.services import move_state
from apps.deliveries.states import State
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.selectors import merge_key_of
from apps.redirection.services import make_handout_link, revoke_handout_link, store_at_point
from tests import world
from tests.conftest import FrozenClock

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def point() -> PickupPoint:
    return PickupPoint.objects.create(
        code="post-vaduz",
        kind="post_office",
        name="Post Vaduz",
        street="Aeulestrasse",
        postcode="9490",
        town="Vaduz",
        latitude=47.139,
        longitude=9.52,
        opening_hours="Mo-Sa 08:00-18:00",
    )


def stored(point: PickupPoint, name: str = "Alice") -> Delivery:
    delivery = world.delivery(name, state=State.OUT)
    place = delivery.place
    place.kind, place.name, place.merge_key = "pickup_point", point.name, merge_key_of(point)
    place.save()
    assert store_at_point(delivery_ids=[delivery.pk], actor="driver:1") == [delivery.pk]
    return Delivery.objects.get(pk=delivery.pk)


def code_of(delivery: Delivery) -> str:
    return CollectionCode.objects.get(delivery=delivery).code


def test_the_right_code_ends_the_delivery(point: PickupPoint) -> None:
    delivery, client = stored(point), Client()
    path = f"/point/{make_handout_link(point=point)}"
    code = code_of(delivery)
    answer = client.post(path, {"delivery": delivery.pk, "code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (303, path)
    page = client.get(path).content.decode()
    assert f"Handed out: …{delivery.parcels.get().barcode[-4:]}" in page
    assert "Nothing is waiting" in page
    assert Delivery.objects.get(pk=delivery.pk).state == "collected"
    assert Reservation.objects.get().state == "collected"


def test_the_shelf_shows_barcode_ends_and_days_but_no_names(point: PickupPoint, now: FrozenClock) -> None:
    delivery = stored(point)
    page = Client().get(f"/point/{make_handout_link(point=point)}").content.decode()
    barcode = delivery.parcels.get().barcode
    assert f"…{barcode[-4:]}" in page
    assert "7 days left" in page
    for secret in (
        barcode,
        delivery.recipient.name,
        delivery.recipient.phone,
        delivery.order.reference,
        code_of(delivery),
    ):
        assert secret not in page
    now.advance(days=7)
    assert "last day" in Client().get(f"/point/{make_handout_link(point=point)}").content.decode()


def test_wrong_codes_run_out(point: PickupPoint) -> None:
    delivery = stored(point)
    code = code_of(delivery)
    wrong = "000000" if code != "000000" else "111111"
    path, client = f"/point/{make_handout_link(point=point)}", Client()
    for _try in range(5):
        answer = client.post(path, {"delivery": delivery.pk, "code": wrong})
        assert answer.status_code == 403
        assert "does not belong" in answer.content.decode()
    answer = client.post(path, {"delivery": delivery.pk, "code": code})
    assert answer.status_code == 422
    assert Delivery.objects.get(pk=delivery.pk).state == "at_point"
    assert "Too many wrong codes" in client.get(path).content.decode()


def test_another_points_parcels_cannot_be_handed_out(point: PickupPoint) -> None:
    delivery = stored(point)
    other = PickupPoint.objects.get()
    other.pk, other.code, other.handout_sha256 = None, "shop-triesen", None
    other.save()
    path = f"/point/{make_handout_link(point=other)}"
    answer = Client().post(path, {"delivery": delivery.pk, "code": code_of(delivery)})
    assert answer.status_code == 403
    assert Delivery.objects.get(pk=delivery.pk).state == "at_point"


@pytest.mark.parametrize("delivery", ["", "x", "-1", "9" * 40, "\0"])
def test_a_strange_choice_is_asked_again(point: PickupPoint, delivery: str) -> None:
    stored(point)
    answer = Client().post(f"/point/{make_handout_link(point=point)}", {"delivery": delivery, "code": "123456"})
    assert answer.status_code == 400
    assert "Choose the parcel first." in answer.content.decode()


def test_a_revoked_link_is_the_same_404_as_an_unknown_one(point: PickupPoint) -> None:
    token = make_handout_link(point=point)
    revoke_handout_link(point=point)
    revoked, unknown = Client().get(f"/point/{token}"), Client().get("/point/" + "z" * 32)
    assert revoked.status_code == unknown.status_code == 404
    assert revoked.content == unknown.content
    for mangled in ("x", "%00%00", "ü", "a" * 4000):
        assert Client().get(f"/point/{mangled}").content == unknown.content


def test_what_was_called_off_meanwhile_is_not_handed_out(point: PickupPoint) -> None:
    delivery = stored(point)
    code = code_of(delivery)
    move_state(delivery_id=delivery.pk, to=State.RETURNING, actor="system")
    answer = Client().post(f"/point/{make_handout_link(point=point)}", {"delivery": delivery.pk, "code": code})
    assert answer.status_code in (403, 422)
    assert Delivery.objects.get(pk=delivery.pk).state == "returning"
