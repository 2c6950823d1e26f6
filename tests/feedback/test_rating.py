"""Stars and a comment after a delivery: once, by one browser, which may think again for some hours."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.deliveries import access as gate
from apps.deliveries.models import Link
from apps.deliveries.states import State
from apps.feedback.models import Rating
from apps.feedback.services import rate
from apps.merchants.models import Policy
from apps.storefront import services
from tests import world
from tests.conftest import FrozenClock
from tests.feedback.pages import confirmed, delivery_in, token_for
from tests.storefront.endpoint import listening
from tests.tracking.shopper import Shopper
from tests.tracking.verify_change import COMMITS, verify_change

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def rated(token: str, **typed: str) -> Shopper:
    """A browser that followed a star of the page and sent the form."""
    shopper = Shopper(token).follow(r"/rate\?stars=4$")
    return shopper.send(**typed)


@pytest.mark.covers("T13", "T20")
def test_stars_and_a_comment_are_kept_and_may_be_changed_for_some_hours(now: FrozenClock) -> None:
    token = token_for(delivery_in())
    shopper = rated(token, comment="Very  friendly\nat the door")
    assert "Thank you for your rating" in shopper.text
    assert "You can change it until Thu 12 March, 08:30" in shopper.text
    kept = Rating.objects.get()
    assert (kept.stars, kept.comment, kept.nps) == (4, "Very friendly at the door", None)
    now.advance(hours=47)
    shopper.open(shopper.page_address).follow("/rate$")
    assert shopper.forms[0].fields == shopper.forms[0].fields | {"stars": "4", "comment": "Very friendly at the door"}
    shopper.send(stars="2")
    assert Rating.objects.get().stars == 2
    now.advance(hours=2)
    shopper.open(shopper.page_address)
    assert not any("/rate" in link for link in shopper.links)
    shopper.open(f"{shopper.page_address}/rate").send(stars="5")
    assert shopper.status == 422
    assert "can no longer be changed" in shopper.text
    assert Rating.objects.get().stars == 2


@pytest.mark.covers("T13")
def test_a_second_browser_is_told_that_somebody_was_faster() -> None:
    token = token_for(delivery_in())
    second = Shopper(token).follow(r"/rate\?stars=4$")
    rated(token)
    second.send(stars="1")
    assert second.status == 409
    assert "has been rated already" in second.text
    assert Rating.objects.get().stars == 4
    second.open(f"/t/{token}/rate")
    assert second.status == 409
    # Whoever proves to be the contact on file may change it from any browser.
    confirmed(second, token).open(f"/t/{token}/rate").send(stars="3")
    assert Rating.objects.get().stars == 3


@pytest.mark.covers("T13")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"stars": "0"}, "one to five stars"),
        ({"stars": "6"}, "one to five stars"),
        ({"stars": "٣"}, "one to five stars"),
        ({"stars": "3", "comment": "x" * 601}, "at most 600"),
        ({"stars": "3", "nps": "11"}, "0 to 10"),
        ({"stars": "3", "nps": "x"}, "0 to 10"),
    ],
)
def test_what_is_no_rating_is_sent_back_with_the_reason(typed: dict[str, str], words: str) -> None:
    Policy.objects.filter(merchant=world.merchant()).update(ask_recommendation=True)
    shopper = rated(token_for(delivery_in()), **typed)
    assert shopper.status == 422
    assert words in shopper.text
    assert not Rating.objects.exists()


@pytest.mark.covers("T13")
def test_the_recommendation_is_asked_only_where_the_merchant_wants_it() -> None:
    token = token_for(delivery_in())
    assert "recommend" not in Shopper(token).follow(r"/rate\?stars=4$").text
    Policy.objects.filter(merchant=world.merchant()).update(ask_recommendation=True)
    assert "recommend Alpenkorb" in Shopper(token).follow(r"/rate\?stars=4$").text
    rated(token, nps="9")
    assert Rating.objects.get().nps == 9


@pytest.mark.covers("T13")
@pytest.mark.parametrize("state", [State.CREATED, State.OUT, State.FAILED, State.CANCELLED])
def test_nothing_is_rated_before_it_came(state: State) -> None:
    token = token_for(delivery_in(state))
    shopper = Shopper(token)
    assert not any("/rate" in link for link in shopper.links)
    assert shopper.open(f"/t/{token}/rate").status == 422
    opened = gate.open_link(token)
    with pytest.raises(gate.Refused, match="nothing to rate"):
        rate(access=opened, stars=5, author="x")


@pytest.mark.django_db(transaction=COMMITS)
@pytest.mark.covers("T13", "T2")
def test_the_comment_stays_with_verified_eyes_and_the_stars_are_pushed(drain: Callable[..., int]) -> None:
    made = delivery_in()
    token = token_for(made)
    with verify_change(drain, made):
        rated(token, comment="Frau Meier was kind")
    bare, client = Shopper(token), Client()
    assert "Frau Meier" not in bare.text + json.dumps(client.get(f"/t/{token}/state").json())
    assert client.get(f"/t/{token}/state").json()["rating"]["stars"] == 4
    assert "Frau Meier" in confirmed(bare, token).open(bare.page_address).text
    shared = Client().get(f"/t/{token_for(made, Link.Kind.VIEW)}/state").json()
    assert shared["rating"]["open"] is False


@pytest.mark.covers("T13", "M5")
def test_the_merchants_endpoint_hears_of_it(settings: Any, drain: Callable[..., int]) -> None:
    settings.WEBHOOKS_MAY_CALL_LOOPBACK = True
    made = delivery_in()
    with listening() as endpoint:
        services.add_endpoint(merchant=made.merchant, url=endpoint.url)
        rated(token_for(made), comment="for the shop's eyes")
        drain()
        assert [json.loads(body)["type"] for _path, _headers, body in endpoint.calls] == ["feedback.rated"]
        body = endpoint.calls[0][2]
    assert json.loads(body)["data"] == {"id": made.public_id, "stars": 4, "nps": None, "again": False}
    assert b"eyes" not in body


@pytest.mark.covers("T13", "GS1")
def test_who_changes_a_rating_for_ever_is_told_to_wait() -> None:
    """Each change is an event, a page and a call to the merchant's systems."""
    token = token_for(delivery_in())
    shopper = rated(token)
    codes = {shopper.open(f"/t/{token}/rate").send(stars=str(number % 5 + 1)).status for number in range(19)}
    assert 429 not in codes
    last = Rating.objects.get().stars
    assert shopper.open(f"/t/{token}/rate").send(stars="3").status == 429
    assert Rating.objects.get().stars == last != 3
