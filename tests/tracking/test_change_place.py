"""Another place, chosen without a line of JavaScript, after the code."""

import pytest
from django.test import Client

from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link, token_of
from apps.places.services import load_addresses
from apps.redirection.models import Reservation
from apps.redirection.services import reserve
from tests import world
from tests.redirection.points import point, schaan
from tests.tracking.shopper import Shopper
from tests.tracking.test_change_instructions import confirm

pytestmark = pytest.mark.django_db
TRIESEN = ("Landstrasse", "40", "9495", "Triesen", "LI", 47.1080, 9.5270)


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def alice() -> Delivery:
    alice, *_ = world.planned_day()
    return alice


@pytest.fixture
def shopper(alice: Delivery) -> Shopper:
    return Shopper(token_of(make_link(delivery=alice)))


@pytest.mark.covers("T2", "R11")
def test_the_list_of_places_is_behind_the_code(shopper: Shopper) -> None:
    """Distances from the door would give the door away to whoever holds the link."""
    point()
    shopper.follow("/place$")
    assert "First, a check that it is you" in shopper.text
    assert "Post Vaduz" not in shopper.text
    assert "Post Vaduz" in confirm(shopper, "place").text


@pytest.mark.covers("T20", "A2", "A4")
def test_to_a_pick_up_point_and_back_home(shopper: Shopper, alice: Delivery) -> None:
    counter, home = point(), alice.home
    confirm(shopper, "place").follow(f"point={counter.code}")
    assert "Send it there?" in shopper.text
    assert "New Post Vaduz" in shopper.text
    assert not Reservation.objects.exists()
    shopper.send()
    alice.refresh_from_db()
    assert alice.place.merge_key == f"point:{counter.code}"
    assert Reservation.objects.get().state == Reservation.State.RESERVED
    assert "It goes to Post Vaduz" in shopper.text
    shopper.send()
    alice.refresh_from_db()
    assert alice.place == home
    assert "It goes to Landstrasse 12, Vaduz" in shopper.text


@pytest.mark.covers("R11")
def test_to_another_address_typed_roughly_and_confirmed_exactly(shopper: Shopper, alice: Delivery) -> None:
    load_addresses([TRIESEN])
    confirm(shopper, "place").follow("to=address")
    shopper.send(street="landstr.", house_number="40", postcode="9495", town="triesen")
    assert "New Landstrasse 40, 9495 Triesen" in shopper.text
    shopper.send()
    alice.refresh_from_db()
    assert (alice.place.street, alice.place.town) == ("Landstrasse", "Triesen")
    assert "It goes to Landstrasse 40, Triesen" in shopper.text


@pytest.mark.covers("T21")
def test_another_address_gives_the_link_a_new_token(shopper: Shopper, alice: Delivery) -> None:
    """Whoever read the old link does not learn the new address; whoever changed it goes on, still verified."""
    load_addresses([TRIESEN])
    shared = make_link(delivery=alice, kind="view")
    Link.objects.filter(pk=shared.pk).update(shared_from=Link.objects.filter(delivery=alice, kind="full").first())
    old = shopper.page_address
    confirm(shopper, "place").follow("to=address")
    shopper.send(street="landstr.", house_number="40", postcode="9495", town="Triesen").send()
    assert "It goes to" in shopper.text
    assert not shopper.address.startswith(old)
    assert Client().get(old).status_code == 404
    assert Client().get(f"/t/{token_of(shared)}").status_code == 404
    now_at = shopper.address.partition("/place")[0]
    assert "Landstrasse 40" in shopper.open(now_at).text
    assert "Landstrasse 40" not in Client().get(now_at).content.decode()


def test_an_address_nobody_knows_is_not_lost(shopper: Shopper, alice: Delivery) -> None:
    load_addresses([TRIESEN])
    confirm(shopper, "place").follow("to=address")
    shopper.send(street="Nirgendwo", house_number="1", postcode="9490", town="Vaduz")
    assert shopper.status == 422
    assert "We do not know that address." in shopper.text
    assert shopper.forms[-1].fields["street"] == "Nirgendwo"
    shopper.send(form=-1, street="", town="Vaduz")
    assert "Please fill this in." in shopper.text


@pytest.mark.covers("A4")
def test_a_point_that_fills_up_meanwhile_is_refused_with_others(shopper: Shopper, alice: Delivery) -> None:
    full = point(capacity=1)
    schaan()
    confirm(shopper, "place").follow(f"point={full.code}")
    reserve(delivery=world.delivery("Bob"), point=full)
    before = alice.place_id
    shopper.send()
    assert shopper.status == 422
    assert "Nothing was changed. These still fit:" in shopper.text
    alice.refresh_from_db()
    assert alice.place_id == before


def test_a_clash_keeps_the_choice(shopper: Shopper, alice: Delivery) -> None:
    counter = point()
    confirm(shopper, "place").follow(f"point={counter.code}")
    Delivery.objects.filter(pk=alice.pk).update(revision=alice.revision + 1)
    shopper.send()
    assert shopper.status == 409
    assert "Someone changed this a moment ago" in shopper.text
    shopper.send()
    assert "It goes to Post Vaduz" in shopper.text


def test_an_address_never_stands_in_a_url(shopper: Shopper) -> None:
    load_addresses([TRIESEN])
    confirm(shopper, "place").follow("to=address")
    shopper.send(street="Landstrasse", house_number="40", postcode="9495", town="Triesen")
    assert "Landstrasse" not in shopper.address
    shopper.send()
    assert "Landstrasse" not in shopper.address
