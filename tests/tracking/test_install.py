"""A page on the home screen: the merchant's icon and name, and nobody else's delivery behind it."""

from io import BytesIO

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image

from apps.deliveries.models import Link
from apps.deliveries.services import make_link, revoke_link, token_of
from apps.merchants.models import Branding
from tests import world
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.mark.covers("T18")
def test_each_link_starts_its_own_page_and_is_kept_by_nobody() -> None:
    links = [make_link(delivery=world.delivery(name)) for name in ("Alice", "Bob")]
    tokens = [token_of(link) for link in links]
    for own, foreign in (tokens, tokens[::-1]):
        page = Client().get(f"/t/{own}").content.decode()
        address = f"/t/{own}/manifest.webmanifest"
        assert f'<link rel="manifest" href="{address}">' in page
        answer = Client().get(address)
        assert answer["Content-Type"] == "application/manifest+json"
        assert answer["Cache-Control"] == "private, no-store"
        manifest = answer.json()
        assert manifest["start_url"] == manifest["scope"] == f"/t/{own}"
        assert manifest["name"] == "Delivery from Alpenkorb"
        assert manifest["display"] == "standalone"
        assert foreign not in answer.content.decode()
        assert not [icon for icon in manifest["icons"] if own in icon["src"]]
    revoke_link(link=links[0], actor="agent:1")
    assert Client().get(f"/t/{tokens[0]}/manifest.webmanifest").status_code == 404
    shared = token_of(make_link(delivery=links[1].delivery, kind=Link.Kind.VIEW))
    assert tokens[1] not in Client().get(f"/t/{shared}/manifest.webmanifest").content.decode()


@pytest.mark.covers("T17")
def test_the_icons_are_the_merchants_and_have_the_size_they_say() -> None:
    token = token_of(make_link(delivery=world.delivery()))
    manifest = Client().get(f"/t/{token}/manifest.webmanifest").json()
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} == {
        ("192x192", "any"), ("192x192", "maskable"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip
    for icon in manifest["icons"]:
        answer = Client().get(icon["src"])
        picture = Image.open(BytesIO(answer.content))
        assert (picture.format, f"{picture.width}x{picture.height}") == ("PNG", icon["sizes"])
        assert "immutable" in answer["Cache-Control"]
    assert picture.convert("RGB").getpixel((2, 2)) == (0x1F, 0x6F, 0x5C)
    Branding.objects.update(accent="#7a1f6f")
    after = Client().get(f"/t/{token}/manifest.webmanifest").json()
    assert after["icons"][0]["src"] != manifest["icons"][0]["src"]
    touch = [link for link in Client().get(f"/t/{token}").content.decode().split('"') if "icon-180.png" in link]
    assert Client().get(touch[0]).status_code == 200
    assert Client().get("/brand/alpenkorb/icon-99999.png").status_code == 404


def test_the_icon_that_browsers_ask_for_unasked_is_there() -> None:
    answer = Client().get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/static/icons/favicon")


@pytest.mark.covers("T18")
def test_the_language_is_switched_by_a_link_and_kept() -> None:
    token = token_of(make_link(delivery=world.delivery()))
    shopper = Shopper(token)
    assert "Deutsch" in shopper.text
    shopper.follow(r"/language\?to=de$")
    assert shopper.address.endswith(f"/t/{token}")
    assert "Hilfe von Alpenkorb" in shopper.text
    assert "Hilfe von Alpenkorb" in shopper.open(shopper.page_address).text
    shopper.open(f"/t/{token}/language?to=xx")
    assert "Hilfe von Alpenkorb" in shopper.text
    assert Client().get(f"/t/{'x' * 32}/language?to=de").status_code == 404
