"""Who decides a disputed attempt sees what was measured, decides once, and the customer may choose again."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client

from apps.core import clock
from apps.deliveries.models import Attempt, ContactTry, Delivery, Link, Proof
from apps.deliveries.services import token_of
from apps.deliveries.states import State
from apps.feedback.models import Dispute
from apps.fleet.models import PositionSample
from apps.merchants.models import Membership
from apps.rescheduling.services import roll_over
from apps.routing import services as routing
from apps.routing.models import DayPlan, Route, Visit
from tests import world
from tests.feedback.pages import token_for
from tests.tracking.shopper import Shopper

pytestmark = [pytest.mark.django_db, pytest.mark.covers("D11")]


def person(role: str = Membership.Role.AGENT, slug: str = "alpenkorb") -> Client:
    user = User.objects.create_user(f"{role}-{slug}", is_staff=True)
    Membership.objects.create(user=user, merchant=world.merchant(slug, slug.title()), role=role)
    client = Client()
    client.force_login(user)
    return client


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


@pytest.fixture
def dispute(now, settings, tmp_path) -> Dispute:
    """The van came within 300 metres, waited four minutes, called once and failed the stop; the customer was there."""
    cache.clear()
    settings.MEDIA_ROOT = tmp_path
    made = world.planned_day(("Alice",), vans=1)[0]
    Attempt.objects.create(delivery=made, number=1, place=made.place, started_at=clock.now())
    routing.publish(plan=DayPlan.objects.get())
    route = Route.objects.get()
    routing.depart(route=route, actor="driver:1")
    now.advance(minutes=20)
    visit = Visit.objects.get()
    routing.arrive(visit=visit, actor="driver:1")
    lat, lon = made.place.point
    for minute, offset in ((-2, 0.02), (0, 0.0027), (3, 0.0030), (6, 0.04)):
        at = clock.now() + timedelta(minutes=minute)
        PositionSample.objects.create(vehicle=route.shift.vehicle, latitude=lat + offset, longitude=lon, at=at)
    ContactTry.objects.create(delivery=made, channel="call", at=clock.now() + timedelta(minutes=1), actor="driver:1")
    now.advance(minutes=4)
    visit.refresh_from_db()
    routing.fail(visit=visit, reason="consignee_not_home", actor="driver:1")
    Proof.objects.create(
        delivery=made,
        kind=Proof.Kind.FAILURE,
        image=ContentFile(b"\xff\xd8 a door", "door.jpg"),
        latitude=lat + 0.0001,
        longitude=lon,
        taken_at=clock.now(),
        details={"metres": 300},
        flags=["attempt_far"],
    )
    Attempt.objects.filter(delivery=made).update(staff_note="no bell")
    Shopper(token_for(made)).follow("/dispute$").send(text="I waited behind the door.")
    return Dispute.objects.get()


def test_the_evidence_is_on_one_page_and_who_may_decide_does_so_once(dispute, drain):
    address, agent = f"/admin/desk/dispute/{dispute.pk}", person()
    answer = agent.get(address)
    page = words(answer)
    # Other shops' customers live where the van was before and after: far away, a distance is all that is told.
    lat = dispute.attempt.place.latitude
    marks = [one["lat"] for one in answer.context["evidence"].marks if one["kind"] == "seen"]
    assert [round(one - lat, 4) for one in marks] == [0.0027]
    assert str(lat + 0.02) not in answer.content.decode()
    assert re.search(r"22\d\d m", page)
    for said in (
        "I waited behind the door.",
        "Driver of van-1, van-1; no bell",
        "300 m at 08:50:00",
        "never within 60 m",
        "4 min 0 s",
        "11 m from the door",
        "08:51:00 Call",
        "was too far from the door",
    ):
        assert said in page, said
    photo = Proof.objects.get()
    assert agent.get(f"/admin/desk/proof/{photo.pk}").content == b"\xff\xd8 a door"
    assert address in agent.get(f"/admin/deliveries/delivery/{dispute.delivery_id}/change/").content.decode()
    # Nobody else's agent, nobody without the right to act, and not without a reason.
    stranger = person(slug="ski-werk")
    assert (stranger.get(address).status_code, stranger.get(f"/admin/desk/proof/{photo.pk}").status_code) == (404, 404)
    viewer = person(Membership.Role.READER)
    assert "Decide" not in words(viewer.get(address))
    viewer.post(address, {"upheld": "yes", "reason": "x"})
    assert "why: colleagues read it later" in words(agent.post(address, {"upheld": "yes", "reason": " "}))
    assert Dispute.objects.get().state == "open"
    agent.post(address, {"upheld": "yes", "reason": "Never nearer than 300 m.", "answer": "Sorry."})
    agent.post(address, {"upheld": "no", "reason": "Changed my mind."})
    decided = Dispute.objects.get()
    assert (decided.state, decided.reason, decided.answer) == ("upheld", "Never nearer than 300 m.", "Sorry.")
    assert decided.driver.name == "Driver of van-1"
    assert "Never nearer than 300 m." in words(agent.get(address))
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator"))
    assert f"driver__id__exact={decided.driver_id}" in operator.get("/admin/fleet/driver/").content.decode()
    assert "Driver of van-1" in words(agent.get("/admin/feedback/dispute/"))
    assert "Driver of van-1" not in words(stranger.get("/admin/feedback/dispute/")), "another shop's, in a filter"
    drain()
    shopper = Shopper(token_of(Link.objects.filter(delivery=dispute.delivery_id, kind=Link.Kind.FULL).latest("pk")))
    assert "You were right about the attempt" in shopper.text
    assert [link for link in shopper.links if link.endswith("/time")]
    assert "300 m" not in shopper.text


@pytest.mark.parametrize(("upheld", "again"), [("yes", True), ("no", False)])
def test_an_attempt_that_was_none_leaves_the_next_try_open(dispute, upheld, again):
    Attempt.objects.update(number=3)
    person().post(f"/admin/desk/dispute/{dispute.pk}", {"upheld": upheld, "reason": "As measured."})
    world.shift("van-1", world.TODAY + timedelta(days=1))
    assert (dispute.delivery_id in roll_over(plan=DayPlan.objects.get(day=world.TODAY))) is again
    assert Delivery.objects.filter(state=State.FAILED).exists() is not again
