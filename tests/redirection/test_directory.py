"""The points near a door: by distance, with what fits, what is full, what is closed."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.core.errors import NotFound, Throttled
from apps.deliveries.models import Delivery
from apps.redirection import selectors, services
from apps.redirection.rules import misfit
from apps.redirection.selectors import PointOffer
from apps.routing import roads
from tests import world
from tests.planner import travel_world
from tests.redirection.points import point, schaan

pytestmark = pytest.mark.django_db


def near(delivery: Delivery) -> list[PointOffer]:
    return selectors.nearby_points(delivery=delivery)


@pytest.mark.covers("A1")
def test_the_nearest_come_first_and_far_ones_not_at_all() -> None:
    schaan()
    point()
    point("zurich", latitude=47.37, longitude=8.54)
    point("gone", is_active=False)
    offers = near(world.delivery("Alice"))
    assert [offer.point.code for offer in offers] == ["post-vaduz", "post-schaan"]
    assert 200 < offers[0].distance_metres < 400
    assert all(offer.fits and offer.reason == "" for offer in offers)
    assert offers[0].opening_today == "07:45–12:00, 13:30–18:00"


@pytest.mark.covers("A1")
def test_closed_today_is_said_and_hours_nobody_can_read_are_not_offered() -> None:
    point("saturday", opening_hours="Sa 08:00-11:00")
    point("odd", opening_hours="whenever")
    point("wednesday", opening_hours="We 08:00-18:00")
    offers = {offer.point.code: offer for offer in near(world.delivery("Alice"))}
    assert (offers["saturday"].fits, offers["saturday"].reason) == (False, "closed")
    assert (offers["odd"].fits, offers["odd"].reason) == (False, "closed")
    assert (offers["wednesday"].fits, offers["wednesday"].open_today) == (True, False)
    assert offers["wednesday"].opening_today == "Closed today"


def test_after_closing_time_today_does_not_count(now) -> None:
    now.set(now.at("18:30"))
    assert selectors.opening_span(point(), world.TODAY) is None


@pytest.mark.covers("A3")
@pytest.mark.parametrize(
    ("grams", "sides", "reason"),
    [
        (2500, (300, 200, 150), ""),
        (20_000, (100, 1200, 100), ""),
        (20_000, (1200, 100, 100), ""),
        (20_001, (100, 100, 100), "too_heavy"),
        (2500, (100, 100, 1201), "too_large"),
        (2500, (1000, 800, 500), "too_large"),
    ],
)
def test_what_fits_however_it_is_turned(grams: int, sides: tuple[int, int, int], reason: str) -> None:
    alice = world.delivery("Alice")
    parcel = alice.parcels.get()
    parcel.weight_grams = grams
    parcel.length_millimetres, parcel.width_millimetres, parcel.height_millimetres = sides
    parcel.save()
    assert misfit([parcel], point()) == reason
    (offer,) = near(alice)
    assert (offer.fits, offer.reason) == (not reason, reason)


@pytest.mark.covers("A4")
def test_what_is_reserved_is_not_offered_again() -> None:
    full = point(capacity=1)
    services.reserve(delivery=world.delivery("Bob"), point=full)
    alice = world.delivery("Alice")
    assert [(offer.fits, offer.reason, offer.room_left) for offer in near(alice)] == [(False, "full", 0)]
    services.release(delivery_id=full.reservations.get().delivery_id)
    assert near(alice)[0].fits


def test_room_is_counted_in_parcels() -> None:
    counter = point(capacity=3)
    bob = world.delivery("Bob")
    for number in range(2):
        parcel = bob.parcels.first()
        parcel.pk, parcel.barcode = None, f"X{number}"
        parcel.save(force_insert=True)
    services.reserve(delivery=bob, point=counter)
    assert near(world.delivery("Alice"))[0].reason == "full"
    assert selectors.room_left([counter.pk], besides=bob.pk) == {counter.pk: 3}


def test_the_plan_says_when_a_point_can_be_served() -> None:
    world.shift()
    point()
    (offer,) = services.offer_points(delivery=world.delivery("Alice"))
    assert offer.fits
    assert offer.earliest is not None
    assert (offer.earliest.earliest, offer.earliest.latest) == (world.MORNING, world.hours(8, 18).latest)


def test_six_points_cost_no_more_readings_of_the_plan_than_one() -> None:
    world.planned_day(vans=1)
    alice = Delivery.objects.order_by("pk").first()
    assert alice is not None
    asked = []
    for number in range(6):
        point(f"point-{number}", latitude=47.1385 + number * 0.002)
        if number in (0, 5):
            with CaptureQueriesContext(connection) as queries:
                offers = services.offer_points(delivery=alice)
            assert all(offer.earliest for offer in offers)
            asked.append(len(queries))
    assert len(offers) == 6
    assert asked[1] <= asked[0] + 2


@pytest.mark.planner
def test_a_point_off_the_map_does_not_cost_the_others(settings, tmp_path) -> None:
    settings.ROADS_DIR, settings.MATRIX_DIR = travel_world.country().parent, tmp_path
    roads.forget()
    world.shift()
    point()
    point("in-the-alps", latitude=47.1, longitude=9.62)
    offers = {offer.point.code: offer for offer in services.offer_points(delivery=world.delivery("Alice"))}
    roads.forget()
    assert offers["post-vaduz"].fits
    assert "in-the-alps" not in offers or offers["in-the-alps"].reason == "unreachable"


def test_without_a_van_no_point_is_offered() -> None:
    point()
    (offer,) = services.offer_points(delivery=world.delivery("Alice"))
    assert (offer.fits, offer.reason) == (False, "unreachable")


def test_a_handout_link_opens_its_point_until_it_is_replaced_or_revoked() -> None:
    counter = point()
    token = services.make_handout_link(point=counter)
    assert selectors.find_point(token) == counter
    second = services.make_handout_link(point=counter)
    services.revoke_handout_link(point=schaan())
    for dead in (token, "", "x" * 10_000, "\0", "\ud800"):
        with pytest.raises(NotFound):
            selectors.find_point(dead)
    assert selectors.find_point(second) == counter
    services.revoke_handout_link(point=counter)
    with pytest.raises(NotFound):
        selectors.find_point(second)


def test_guessing_handout_links_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: instant)
    cache.clear()
    for guess in range(30):
        with pytest.raises(NotFound):
            selectors.find_point(f"{guess:032d}", address="203.0.113.9")
    with pytest.raises(Throttled):
        selectors.find_point("x", address="203.0.113.9")
