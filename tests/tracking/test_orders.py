"""An order in several deliveries on several vans: one page with all of it, each part's own time, one last message."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.deliveries.models import Contact, Delivery, Order
from apps.deliveries.services import make_link, move_state, token_of
from apps.deliveries.states import State
from apps.notifications.models import Message
from apps.routing.models import Visit
from apps.tracking import state
from apps.tracking.page_html import shelf
from apps.tracking.selectors import page_document
from tests import world
from tests.tracking.roads import on_route

pytestmark = [pytest.mark.django_db, pytest.mark.covers("T11")]


@pytest.fixture(autouse=True)
def empty_shelf() -> None:
    shelf.clear()


def parts(count: int, state_: State = State.OUT) -> list[Delivery]:
    """Deliveries of one order to one person."""
    made = [world.delivery("Bob", state=state_) for _ in range(count)]
    first = made[0]
    Delivery.objects.filter(pk__in=[one.pk for one in made]).update(order=first.order)
    for one in made[1:]:
        one.recipient.phone = first.recipient.phone
        one.recipient.save()
    return [Delivery.objects.get(pk=one.pk) for one in made]


def test_three_parcels_over_two_routes_are_one_page_with_two_times(client: Client) -> None:
    first, second, third = parts(3)
    on_route([first.pk, second.pk], van="van-1")
    on_route([third.pk], van="van-2")
    page = state.build(first.pk, "link")
    assert (page["order"]["parcels"], page["order"]["delivered"]) == (3, 0)
    etas = [page["eta"], *(part["eta"] for part in page["order"]["siblings"])]
    by_visit = {visit.drops.get().delivery_id: visit.eta_earliest.isoformat() for visit in Visit.objects.all()}
    assert [eta[0] for eta in etas] == [by_visit[one.pk] for one in (first, second, third)]
    assert len({eta[0] for eta in etas}) == 2
    html = client.get(f"/t/{token_of(make_link(delivery=first))}").content.decode()
    assert "0 of 3 parcels delivered" in html


def test_any_of_the_links_shows_the_whole_order(client: Client) -> None:
    for made in parts(2):
        html = client.get(f"/t/{token_of(make_link(delivery=made))}").content.decode()
        assert "0 of 2 parcels delivered" in html


def test_a_sibling_brings_no_street_code_contact_or_link_with_it() -> None:
    first, second = parts(2)
    on_route([first.pk, second.pk])
    for tier in ("link", "verified"):
        order = state.build(first.pk, tier)["order"]  # type: ignore[arg-type]
        (sibling,) = order["siblings"]
        assert set(sibling) == {"id", "status", "window", "eta", "deferred", "parcels"}
        text = json.dumps(order)
        links = [token_of(link) for link in second.links.all()]
        for secret in ("Feldkircher", second.recipient.phone, second.recipient.email, "Muster", *links):
            assert secret not in text


def test_what_goes_to_somebody_else_stays_theirs() -> None:
    first, gift = parts(2)
    gift.recipient.phone, gift.recipient.email = "+423791098", "grandma@example.com"
    gift.recipient.save()
    assert state.build(first.pk, "verified")["order"] is None
    assert state.build(gift.pk, "verified")["order"] is None


def test_a_part_that_comes_later_says_why(client: Client) -> None:
    first, later = parts(2, State.CREATED)
    Delivery.objects.filter(pk=later.pk).update(deferred_reason=Delivery.Deferred.NOT_IN_STOCK)
    assert state.build(first.pk, "link")["order"]["siblings"][0]["deferred"] == "not_in_stock"
    assert "Not in stock yet" in client.get(f"/t/{token_of(make_link(delivery=first))}").content.decode()


def test_the_other_parts_pages_follow(drain: Any) -> None:
    first, second = parts(2)
    assert page_document(first, "link")["order"]["delivered"] == 0
    move_state(delivery_id=second.pk, to=State.DELIVERED, actor="driver:1")
    drain()
    first.refresh_from_db()
    order = page_document(first, "link")["order"]
    assert (order["delivered"], order["siblings"][0]["status"]) == (1, "delivered")


def test_one_last_message_when_everything_is_there(drain: Any) -> None:
    first, second, third, never = parts(4)
    Delivery.objects.filter(pk=never.pk).update(state=State.CANCELLED)
    for made in (first, second, third):
        move_state(delivery_id=made.pk, to=State.DELIVERED, actor="driver:1")
        drain()
    told = list(Message.objects.filter(trigger__contains="delivered").order_by("pk"))
    assert [(one.delivery_id, one.trigger) for one in told if one.recipient_id == one.delivery.recipient_id] == [
        (first.pk, "delivered"),
        (second.pk, "delivered"),
        (third.pk, "all_delivered"),
    ]


def test_a_buyer_hears_of_all_only_when_the_gift_has_come_too(drain: Any) -> None:
    first, second, gift = parts(3)
    buyer = Contact.objects.create(name="Buyer", email="buyer@example.com")
    Order.objects.filter(pk=first.order_id).update(buyer=buyer)
    gift.recipient.phone, gift.recipient.email = "+423791098", "grandma@example.com"
    gift.recipient.save()
    for made in (first, second):
        move_state(delivery_id=made.pk, to=State.DELIVERED, actor="driver:1")
        drain()
    told = Message.objects.filter(recipient=buyer).order_by("pk")
    assert [one.trigger for one in told] == ["delivered", "delivered"]
    assert Message.objects.filter(recipient=second.recipient, trigger="all_delivered").exists()


def test_two_vans_that_end_the_order_together_tell_it_once(drain: Any) -> None:
    first, second = parts(2)
    for made in (first, second):
        move_state(delivery_id=made.pk, to=State.DELIVERED, actor="driver:1")
    drain()
    told = Message.objects.filter(trigger__contains="delivered", recipient__phone=first.recipient.phone)
    assert [one.trigger for one in told] == ["all_delivered"]
