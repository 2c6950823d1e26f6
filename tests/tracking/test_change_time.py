"""Another window, chosen without a line of JavaScript, against the real plan."""

from datetime import date

import pytest

from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, token_of
from apps.merchants.models import Policy
from apps.routing.models import Drop
from tests import world
from tests.tracking.shopper import Shopper
from tests.tracking.test_change_instructions import confirm

pytestmark = pytest.mark.django_db
TOMORROW = date(2026, 3, 11)


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def alice() -> Delivery:
    alice, *_ = world.planned_day()
    world.shift("van-1", TOMORROW)
    return alice


@pytest.fixture
def shopper(alice: Delivery) -> Shopper:
    return Shopper(token_of(make_link(delivery=alice)))


@pytest.mark.covers("T20", "R1", "R15")
def test_three_taps_from_the_open_link_to_another_window(shopper: Shopper, alice: Delivery) -> None:
    shopper.follow("/time$")
    assert "When should we come?" in shopper.text
    assert "Tomorrow" in shopper.text
    wanted = world.hours(14, 16, TOMORROW)
    shopper.follow(rf"window={int(wanted.earliest.timestamp())}-")
    assert "Come tomorrow, 14:00–16:00?" in shopper.text
    assert "Until now Today, 08:00–18:00" in shopper.text
    shopper.send()
    alice.refresh_from_db()
    assert alice.window == wanted
    assert "We come tomorrow, 14:00–16:00" in shopper.text
    assert Drop.objects.get(delivery=alice).visit.plan.day == TOMORROW
    shopper.open(shopper.page_address)
    assert "Arriving tomorrow," in shopper.text


@pytest.mark.covers("R16")
def test_undo_brings_the_old_window_back(shopper: Shopper, alice: Delivery) -> None:
    shopper.follow("/time$").follow("window=").send()
    assert "Undo: back to today, 08:00–18:00" in shopper.text
    shopper.send()
    alice.refresh_from_db()
    assert alice.window == world.hours(8, 18)


def test_nothing_changes_before_the_yes(shopper: Shopper, alice: Delivery) -> None:
    shopper.follow("/time$").follow("window=")
    alice.refresh_from_db()
    assert alice.window == world.hours(8, 18)


def test_a_clash_keeps_the_choice_and_asks_again(shopper: Shopper, alice: Delivery) -> None:
    wanted = world.hours(14, 16, TOMORROW)
    shopper.follow("/time$").follow(rf"window={int(wanted.earliest.timestamp())}-")
    Delivery.objects.filter(pk=alice.pk).update(revision=alice.revision + 1)
    shopper.send()
    assert shopper.status == 409
    assert "Someone changed this a moment ago" in shopper.text
    assert "Come tomorrow, 14:00–16:00?" in shopper.text
    shopper.send()
    alice.refresh_from_db()
    assert alice.window == wanted


@pytest.mark.covers("R1")
def test_a_window_that_cannot_be_held_is_refused_with_others_that_can(shopper: Shopper, alice: Delivery) -> None:
    midnight = world.hours(22, 24, TOMORROW)
    key = f"{int(midnight.earliest.timestamp())}-{int(midnight.latest.timestamp())}"
    shopper.open(f"{shopper.page_address}/time?window={key}").send()
    assert shopper.status == 422
    assert "Nothing was changed. These still fit:" in shopper.text
    alice.refresh_from_db()
    assert alice.window == world.hours(8, 18)
    shopper.follow("window=").send()
    assert "We come " in shopper.text


def test_a_mangled_window_shows_the_offers(shopper: Shopper) -> None:
    for text in ("1-2-3", "9" * 40, "²-³", "2-1", "x"):
        assert "When should we come?" in shopper.open(f"{shopper.page_address}/time?window={text}").text


def test_a_merchant_without_other_times_says_so(shopper: Shopper, alice: Delivery) -> None:
    shopper.follow("/time$").follow("window=")
    Policy.objects.filter(merchant=alice.merchant).update(allow_time_change=False)
    shopper.send()
    assert shopper.status == 422
    assert "This shop does not offer another time." in shopper.text


@pytest.mark.covers("R13", "T2")
def test_cancelling_needs_the_code_and_says_what_follows(shopper: Shopper, alice: Delivery) -> None:
    shopper.open(f"{shopper.page_address}/cancel")
    assert "First, a check that it is you" in shopper.text
    confirm(shopper, "cancel")
    assert "Cancel this delivery?" in shopper.text
    shopper.send(reason="not_needed")
    assert "The delivery is cancelled" in shopper.text
    assert "This delivery is cancelled" in shopper.open(shopper.page_address).text


def test_pages_with_a_form_keep_the_origin_so_that_browsers_may_send_it(alice: Delivery) -> None:
    """`Referrer-Policy: no-referrer` makes browsers send `Origin: null`, which Django's CSRF check refuses."""
    shopper = Shopper(token_of(make_link(delivery=alice)))
    for name, policy in (("time", "same-origin"), ("verify", "same-origin"), ("", "no-referrer")):
        answer = shopper.client.get(f"{shopper.page_address}/{name}".rstrip("/"))
        assert answer["Referrer-Policy"] == policy
        assert answer["Cache-Control"] == "private, no-store"
