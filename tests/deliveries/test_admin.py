"""What support agents see: their own merchant's deliveries, found by anything, told in words, without codes."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.deliveries import access, services
from apps.deliveries.models import CollectionCode, Delivery, Link
from apps.deliveries.states import State
from apps.merchants.models import ApiKey, Membership
from apps.merchants.services import find_api_key
from apps.redirection.models import PickupPoint
from tests import world
from tests.redirection.points import point

pytestmark = pytest.mark.django_db
LIST = reverse("admin:deliveries_delivery_changelist")


def staff(role: str | None = Membership.Role.AGENT, slug: str = "alpenkorb") -> Client:
    user = get_user_model().objects.create_user(f"{role}-{slug}", is_staff=True, is_superuser=role is None)
    if role:
        Membership.objects.create(user=user, merchant=world.merchant(slug, slug.title()), role=role)
    client = Client()
    client.force_login(user)
    return client


def page_of(client: Client, delivery: Delivery) -> str:
    return client.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).content.decode()


@pytest.mark.covers("S1")
@pytest.mark.parametrize(
    "typed", ["A-0001", "alice", "+423 791 00 01", "00423 7910001", "791 00 01", "0791 00 01", "alice1@example.com"]
)
def test_a_delivery_is_found_by_what_the_caller_says(typed: str) -> None:
    alice, bob = world.delivery("Alice"), world.delivery("Bob")
    html = staff().get(LIST, {"q": typed}).content.decode()
    assert str(alice.order.reference) in html
    assert "Alice Muster" in html
    assert "Order received" in html
    assert bob.order.reference not in html


def test_the_list_costs_the_same_for_many() -> None:
    client, costs = staff(), []
    for count in (2, 28):
        for number in range(count):
            delivery = world.delivery("Alice", offset=number / 1000)
            services.open_promise(delivery_id=delivery.pk, window=world.hours(9, 11))
        with CaptureQueriesContext(connection) as queries:
            html = client.get(LIST).content.decode()
        costs.append(len(queries))
    assert html.count("today, 09:00–11:00") == 30
    assert costs[1] <= costs[0] <= 40


@pytest.mark.covers("S2")
def test_the_page_tells_the_story_without_any_code() -> None:
    alice, driver = world.delivery("Alice", state=State.OUT), world.shift().driver
    link = services.make_link(delivery=alice)
    step_up = access.request_code(access=access.open_link(services.token_of(link)), channel="sms")
    one_time = access.issue_code(step_up_id=step_up.pk)
    services.save_access_code(delivery_id=alice.pk, code="4711#")
    services.move_state(delivery_id=alice.pk, to=State.AT_POINT, actor=f"driver:{driver.pk}")
    services.set_collection(delivery_id=alice.pk, until=world.hours(18, 19).earliest)
    html = page_of(staff(), alice)
    told = ("Ready to collect.", f"driver {driver.name}", "A one-time code was requested.")
    for shown in (*told, "DS00000001", "+4237910001"):
        assert shown in html
    assert "A door code is kept." in html
    secret = CollectionCode.objects.get().code
    for hidden in ("4711#", one_time, secret, services.token_of(link), link.token_sha256):
        assert not re.search(rf"(?<![\w-]){re.escape(str(hidden))}(?![\w-])", html)


def test_hostile_names_stay_text() -> None:
    alice = world.delivery("Alice")
    alice.recipient.name = "<script>alert(1)</script>{{ 7*7 }}"
    alice.recipient.save()
    client = staff()
    for html in (page_of(client, alice), client.get(LIST).content.decode()):
        assert "<script>alert(1)" not in html
        assert "&lt;script&gt;alert(1)" in html


@pytest.mark.covers("S1")
def test_another_merchants_deliveries_do_not_exist() -> None:
    alice = world.delivery("Alice")
    outsider = staff(slug="velohaus")
    assert "A-0001" not in outsider.get(LIST).content.decode()
    assert "A-0001" not in outsider.get(LIST, {"q": "alice"}).content.decode()
    answer = outsider.get(reverse("admin:deliveries_delivery_change", args=[alice.pk]))
    assert answer.status_code == 302
    link = services.make_link(delivery=alice)
    outsider.post(LIST, {"action": "rotate_links", "_selected_action": [alice.pk]})
    assert Link.objects.get(pk=link.pk).generation == 1


def test_nobody_edits_a_delivery_by_hand() -> None:
    alice = world.delivery("Alice")
    for client in (staff(), staff(None)):
        answer = client.post(reverse("admin:deliveries_delivery_change", args=[alice.pk]), {"state": "delivered"})
        assert answer.status_code == 403
        assert client.get(reverse("admin:deliveries_delivery_add")).status_code == 403
        assert client.get(reverse("admin:deliveries_delivery_delete", args=[alice.pk])).status_code == 403


def test_an_agent_replaces_a_leaked_link_and_a_reader_cannot() -> None:
    alice = world.delivery("Alice")
    link = services.make_link(delivery=alice)
    old = services.token_of(link)
    chosen = {"action": "rotate_links", "_selected_action": [alice.pk]}
    staff(Membership.Role.READER).post(LIST, chosen)
    assert access.open_link(old)
    staff().post(LIST, chosen)
    link.refresh_from_db()
    assert services.token_of(link) != old
    assert access.open_link(services.token_of(link))


def test_an_api_key_is_shown_once_and_withdrawn() -> None:
    owner = staff(Membership.Role.OWNER)
    theirs = world.merchant("velohaus", "Velohaus")
    add = reverse("admin:merchants_apikey_add")
    form = {"merchant": world.merchant().pk, "name": "Shop", "can_write": "on"}
    html = owner.post(add, form, follow=True).content.decode()
    (key,) = re.findall(r"ds_[0-9a-f]{10}_[\w-]{43}", html)
    assert find_api_key(key) is not None
    assert key not in owner.get(reverse("admin:merchants_apikey_changelist")).content.decode()
    owner.post(add, {**form, "merchant": theirs.pk})
    assert ApiKey.objects.count() == 1
    row = ApiKey.objects.get()
    owner.post(reverse("admin:merchants_apikey_changelist"), {"action": "revoke", "_selected_action": [row.pk]})
    assert find_api_key(key) is None


def test_opening_hours_nobody_can_read_are_not_saved() -> None:
    operator = staff(None)
    counter = point()
    url = reverse("admin:redirection_pickuppoint_change", args=[counter.pk])
    fields = {name: getattr(counter, name) for name in (
        "code", "kind", "name", "street", "house_number", "postcode", "town", "country", "latitude", "longitude",
        "time_zone", "capacity", "largest_millimetres", "heaviest_grams",
    )}  # fmt: skip
    html = operator.post(url, {**fields, "opening_hours": "whenever"}).content.decode()
    assert "cannot be read" in html
    operator.post(url, {**fields, "opening_hours": "Mo-Fr 09:00-17:00"})
    assert PickupPoint.objects.get().opening_hours == "Mo-Fr 09:00-17:00"


def test_every_list_opens() -> None:
    world.delivery("Alice")
    point()
    operator = staff(None)
    for model in (
        "deliveries_order", "merchants_merchant", "merchants_apikey", "places_address", "redirection_pickuppoint",
        "redirection_reservation",
    ):  # fmt: skip
        assert operator.get(reverse(f"admin:{model}_changelist")).status_code == 200
    merchant = reverse("admin:merchants_merchant_change", args=[world.merchant().pk])
    assert operator.get(merchant).status_code == 200
    assert staff(Membership.Role.OWNER).get(merchant).status_code == 200


@pytest.mark.covers("P8")
def test_lists_of_all_merchants_open_for_the_operator_alone() -> None:
    """Even a member of staff with every permission Django knows: a stop names the orders of every shop on it."""
    world.planned_day(vans=1)
    point()
    agent = get_user_model().objects.create_user("agent", is_staff=True)
    Membership.objects.create(user=agent, merchant=world.merchant(), role=Membership.Role.OWNER)
    agent.user_permissions.set(Permission.objects.all())
    client, operator = Client(), staff(None)
    client.force_login(agent)
    for model in (
        "events_event", "events_reaction", "routing_dayplan", "routing_route", "routing_visit", "routing_replan",
        "redirection_pickuppoint",
    ):  # fmt: skip
        url = reverse(f"admin:{model}_changelist")
        assert operator.get(url).status_code == 200
        assert client.get(url).status_code == 403, model
    assert client.get(LIST).status_code == 200


def test_the_page_of_a_delivery_tells_its_story_once() -> None:
    """The desk above the form holds timeline, people, place and messages; the form does not repeat them."""
    alice = world.delivery("Alice")
    html = page_of(staff(), alice)
    assert html.count("+4237910001") == 1
    assert "field-timeline" not in html
    assert "field-shown_messages" not in html
