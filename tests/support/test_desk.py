"""What an agent sees: figures that lead to their rows, one delivery in ten seconds, nobody else's customers."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.deliveries import services
from apps.deliveries.models import Delivery, Link
from apps.deliveries.states import State
from apps.events.models import Event, Reaction
from apps.merchants.models import Membership
from apps.notifications.models import Message
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def agent(client: Client) -> Client:
    """Works for Alpenkorb and nobody else."""
    person = User.objects.create_user("agent", is_staff=True)
    Membership.objects.create(user=person, merchant=world.merchant(), role=Membership.Role.AGENT)
    client.force_login(person)
    return client


def desk(client: Client, delivery: Delivery) -> str:
    return client.get(f"/admin/deliveries/delivery/{delivery.pk}/change/").content.decode()


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_figures_lead_to_the_rows_they_count(operator: Client) -> None:
    out, failed, _waiting = world.planned_day()
    for state in (State.LOADED, State.OUT):
        services.move_states(delivery_ids=[out.pk, failed.pk], to=state, actor="driver:1")
    services.move_state(delivery_id=failed.pk, to=State.FAILED, actor="driver:1", reason="consignee_not_home")
    page = operator.get("/admin/").content.decode()
    tiles = re.findall(r'<a class="tile[^"]*" href="([^"]+)">\s*<span class="tile-label">([^<]+)</span>\s*'
                       r'<span class="tile-value">(\d+)</span>', page)  # fmt: skip
    counted = {label: int(value) for _href, label, value in tiles}
    assert counted["Out now"] == counted["Not delivered"] == counted["Still to go"] == 1
    for href, label, value in tiles:
        rows = operator.get(href.replace("&amp;", "&"))
        assert rows.status_code == 200, label
        assert rows.context["cl"].result_count == int(value), label


def test_a_late_delivery_is_counted_by_what_was_promised(operator: Client, now) -> None:
    late, *_rest = world.planned_day()
    services.move_states(delivery_ids=[late.pk], to=State.OUT, actor="driver:1")
    services.open_promise(delivery_id=late.pk, window=world.hours(8.5, 8.75))
    now.set(world.hours(9, 10).earliest)
    page = operator.get("/admin/").content.decode()
    assert f"id__in={late.pk}" in page
    assert "1 late" in page


@pytest.mark.covers("S2")
def test_the_desk_answers_and_tells_one_story(operator: Client, drain: Callable[..., int]) -> None:
    delivery = world.planned_day()[0]
    services.make_link(delivery=delivery)
    services.open_promise(delivery_id=delivery.pk, window=world.hours(9, 11))
    services.move_state(delivery_id=delivery.pk, to=State.OUT, actor="driver:1")
    drain()
    told = Message.objects.get(delivery=delivery, trigger="out_today")
    page = desk(operator, delivery)
    text = words(page)
    for expected in ("We promised", "True now", "The customer sees", "May still be changed", "Change the time"):
        assert expected in text
    assert "The van is on its way." in text
    assert told.body.splitlines()[0] in text
    assert "has not opened the page" in text
    assert "Alice Muster" in text
    assert services.token_of(Link.objects.get(delivery=delivery)) not in page


def test_the_desk_asks_as_often_for_much_as_for_little(operator: Client) -> None:
    little, much = world.planned_day(("Alice", "Bob"))
    for number in range(30):
        Message.objects.create(
            delivery=much, recipient=much.recipient, trigger="changed", dedupe_key=str(number), language="en",
            body="Words", created_at=world.MORNING,
        )  # fmt: skip
        Event.objects.create(kind="instructions.saved", delivery_id=much.pk, at=world.MORNING, payload={"version": 1})
    counts = []
    for delivery in (little, much):
        desk(operator, delivery)
        with CaptureQueriesContext(connection) as queries:
            desk(operator, delivery)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 1
    assert counts[1] <= 55


def test_lists_and_overview_do_not_ask_per_row(operator: Client) -> None:
    world.planned_day(("Alice", "Bob"))
    counts: dict[str, list[int]] = {}
    for _round in range(2):
        for address in ("/admin/", "/admin/deliveries/delivery/", "/admin/notifications/message/"):
            with CaptureQueriesContext(connection) as queries:
                assert operator.get(address).status_code == 200
            counts.setdefault(address, []).append(len(queries))
        for offset in range(6):
            world.put_in_plan(world.delivery("Charlie", offset=offset / 1000))
    assert all(after <= before + 1 for before, after in counts.values()), counts
    assert counts["/admin/"][1] <= 31


@pytest.mark.covers("S3")
def test_seeing_as_the_customer_changes_nothing_and_is_recorded(operator: Client) -> None:
    delivery = world.planned_day()[0]
    full = services.make_link(delivery=delivery)
    answer = operator.post(f"/admin/desk/{delivery.pk}/as-customer")
    path = answer["Location"]
    assert services.token_of(full) not in path
    page = operator.get(path)
    assert page.status_code == 200
    assert f"{path}/time" not in page.content.decode()
    assert operator.post(f"{path}/time", {"window": "x"}).status_code in {403, 404}
    full.refresh_from_db()
    assert full.first_opened_at is None
    viewed = Event.objects.get(kind="support.page_viewed")
    assert (viewed.delivery_id, viewed.actor[:6]) == (delivery.pk, "agent:")
    operator.post(f"/admin/desk/{delivery.pk}/as-customer")
    assert Link.objects.filter(delivery=delivery, kind="view").count() == 1


@pytest.mark.covers("T21")
def test_a_replaced_link_is_dead_at_once(agent: Client) -> None:
    delivery = world.planned_day()[0]
    link = services.make_link(delivery=delivery)
    old = services.tracking_path(link)
    assert agent.get(f"/admin/desk/{delivery.pk}/replace-link").status_code == 405
    agent.post(f"/admin/desk/{delivery.pk}/replace-link")
    link.refresh_from_db()
    assert Client().get(old).status_code == 404
    assert Client().get(services.tracking_path(link)).status_code == 200
    assert Event.objects.get(kind="delivery.link_rotated").actor.startswith("agent:")


@pytest.mark.covers("T21")
def test_every_link_is_listed_and_can_be_withdrawn_alone(agent: Client) -> None:
    delivery = world.planned_day()[0]
    first, second = (services.make_link(delivery=delivery) for _ in range(2))
    shared = services.make_link(delivery=delivery, kind="view")
    page = desk(agent, delivery)
    assert page.count("Lives as long as the delivery") == 3
    assert page.count("never opened") == 3
    assert not any(services.token_of(link) in page for link in (first, second, shared))
    address = f"/admin/desk/{delivery.pk}/links/{first.pk}/withdraw"
    assert agent.get(address).status_code == 405
    agent.post(address)
    assert Client().get(services.tracking_path(first)).status_code == 404
    assert Client().get(services.tracking_path(second)).status_code == 200
    assert "Withdrawn today" in desk(agent, delivery)
    other = world.delivery("Bob")
    assert agent.post(f"/admin/desk/{other.pk}/links/{second.pk}/withdraw").status_code == 404
    second.refresh_from_db()
    assert second.revoked_at is None


@pytest.mark.covers("GS1")
def test_an_agent_has_nothing_to_do_with_other_merchants(agent: Client) -> None:
    other = world.delivery("Bob", sender=world.merchant("bergladen", "Bergladen"))
    services.make_link(delivery=other)
    before = list(Link.objects.filter(delivery=other).values())
    assert "Bob Muster" not in agent.get("/admin/deliveries/delivery/?q=Bob").content.decode()
    assert agent.get(f"/admin/deliveries/delivery/{other.pk}/change/").status_code == 302
    for step in ("as-customer", "replace-link"):
        assert agent.post(f"/admin/desk/{other.pk}/{step}").status_code == 404
    assert list(Link.objects.filter(delivery=other).values()) == before
    told = Message.objects.create(
        delivery=other, recipient=other.recipient, trigger="changed", dedupe_key="x", language="en",
        body="For Bob only", created_at=world.MORNING,
    )  # fmt: skip
    assert agent.get("/admin/notifications/message/").context["cl"].result_count == 0
    assert (
        "For Bob only" not in agent.get(f"/admin/notifications/message/{told.pk}/change/", follow=True).content.decode()
    )
    page = agent.get("/admin/").content.decode()
    assert '<span class="tile-value">1</span>' not in page
    for hidden in ("/admin/events/reaction/", "/admin/auth/user/", "/admin/fleet/driver/"):
        assert hidden not in page
        assert agent.get(hidden).status_code in {403, 404}


@pytest.mark.covers("GS1")
def test_a_reader_may_look_but_not_act(client: Client) -> None:
    person = User.objects.create_user("reader", is_staff=True)
    delivery = world.planned_day()[0]
    Membership.objects.create(user=person, merchant=delivery.merchant, role=Membership.Role.READER)
    client.force_login(person)
    link = services.make_link(delivery=delivery)
    assert "Alice Muster" in desk(client, delivery)
    client.post(f"/admin/desk/{delivery.pk}/replace-link")
    link.refresh_from_db()
    assert link.generation == 1


def test_strangers_and_forgers_reach_no_desk(client: Client) -> None:
    delivery = world.planned_day()[0]
    for step in ("as-customer", "replace-link"):
        assert client.post(f"/admin/desk/{delivery.pk}/{step}")["Location"].startswith("/admin/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("operator"))
    assert strict.post(f"/admin/desk/{delivery.pk}/as-customer").status_code == 403


@pytest.mark.covers("GS1")
def test_markup_in_what_customers_write_stays_text(operator: Client) -> None:
    delivery = world.planned_day()[0]
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
    type(delivery.recipient).objects.update(name=evil)
    type(delivery.place).objects.update(name=evil, street=evil)
    Message.objects.create(
        delivery=delivery, recipient=delivery.recipient, trigger="changed", dedupe_key="x", language="en", body=evil,
        created_at=world.MORNING,
    )  # fmt: skip
    for page in (
        desk(operator, delivery),
        operator.get("/admin/deliveries/delivery/").content.decode(),
        operator.get(f"/admin/deliveries/delivery/{delivery.pk}/history/").content.decode(),
    ):
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page


@pytest.mark.covers("S1")
def test_a_message_is_found_by_the_phone_as_a_caller_says_it(operator: Client) -> None:
    world.depot()
    delivery = world.delivery()
    type(delivery.recipient).objects.filter(pk=delivery.recipient_id).update(phone="+4237917766")
    Message.objects.create(
        delivery=delivery, recipient=delivery.recipient, trigger="changed", dedupe_key="x", language="en",
        created_at=world.MORNING,
    )  # fmt: skip
    for said in ("791 77 66", "+423 791 77 66", "00423 791 7766", "A-0001", "alice mus"):
        assert operator.get("/admin/notifications/message/", {"q": said}).context["cl"].result_count == 1, said
    assert operator.get("/admin/notifications/message/", {"q": "791 77 67"}).context["cl"].result_count == 0
    assert "8:30" in operator.get("/admin/notifications/message/").content.decode()


def test_parked_work_is_announced_in_the_sidebar(operator: Client) -> None:
    Reaction.objects.create(
        handler="x", state="parked", due_at=world.MORNING, next_try_at=world.MORNING, created_at=world.MORNING
    )
    page = operator.get("/admin/").content.decode()
    assert "/admin/events/reaction/?state__exact=parked" in page
    assert operator.get("/admin/events/reaction/?state__exact=parked").context["cl"].result_count == 1


@pytest.mark.covers("GS1")
def test_guessing_passwords_is_slowed_down_and_an_agent_elsewhere_is_not(client: Client) -> None:
    cache.clear()
    User.objects.create_superuser("operator", password="right-and-long-enough")
    for _try in range(6):
        client.post("/admin/login/", {"username": "operator", "password": "wrong"})
    right = {"username": "operator", "password": "right-and-long-enough"}
    answer = client.post("/admin/login/", right)
    assert answer.status_code == 200
    assert "Too many tries" in answer.content.decode()
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.post("/admin/login/", right).status_code == 302


@pytest.mark.covers("GS1")
def test_many_names_from_one_address_are_one_guesser(client: Client) -> None:
    cache.clear()
    answers = [
        client.post("/admin/login/", {"username": f"name{number}", "password": "wrong"}).content.decode()
        for number in range(31)
    ]
    assert "Too many tries" not in answers[0]
    assert "Too many tries" in answers[-1]


def test_staff_hear_of_plans_that_did_not_fit_and_of_endpoints_given_up(operator: Client) -> None:
    """Both are told to nobody else."""
    for kind in ("routing.replan_refused", "routing.replan_refused", "storefront.endpoint_disabled"):
        Event.objects.create(kind=kind, at=clock.now())
    told = words(operator.get("/admin/").content.decode())
    assert "Plans without room 2" in told
    assert "Webhooks switched off 1" in told


@pytest.mark.covers("O17")
def test_an_agent_learns_which_times_fit_and_what_stands_against_each_van_in_the_others(agent: Client) -> None:
    world.shift("van-1", start=9.98)
    alone, heavy = world.delivery("Charlie"), world.delivery("Bob")
    Delivery.objects.filter(pk=heavy.pk).update(needs=["two_people"])
    assert f"/admin/desk/{alone.pk}/times" in desk(agent, alone)
    told = words(agent.get(f"/admin/desk/{alone.pk}/times").content.decode())
    assert re.search(r"08:00–10:00 No van can be there at that time\. Every van, the nearest first "
                     r"van-1 would be \d+ minutes too late", told)  # fmt: skip
    assert re.search(r"12:00–14:00 It fits: a van would come at 1[23]:\d\d\.", told)
    told = words(agent.get(f"/admin/desk/{heavy.pk}/times").content.decode())
    assert "It fits" not in told
    assert "12:00–14:00 None of the vans on that day is equipped for it." in told
    assert "van-1 lacks: two_people" in told
    stranger = world.delivery("Alice", sender=world.merchant("other", "Other"))
    assert agent.get(f"/admin/desk/{stranger.pk}/times").status_code == 404
