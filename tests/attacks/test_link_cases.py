"""Attack cases on links and files, each with a control: the same attack on a lookup or a page without the defence."""

import unicodedata
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from apps.deliveries.models import Delivery, Link, Proof
from apps.deliveries.services import make_link, token_of
from apps.drivers import photos
from tests import world
from tests.drivers.phones import leave, one_van_day, phone_of, visits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def token() -> str:
    return token_of(make_link(delivery=world.delivery()))


def bent(token: str) -> list[str]:
    flipped = chr(ord(token[0]) ^ 1)
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in token)
    assert unicodedata.normalize("NFKC", wide) == token
    return [
        (flipped if flipped.isalnum() else "A") + token[1:],
        *(token[:-1], token + "A", token.swapcase(), wide, token + "%00", "%00", token + "%20", "x" * 10_000),
    ]


@pytest.mark.covers("GS1", "T1")
def test_case_02_a_bent_token_is_like_any_other_that_opens_nothing(client: Client, token: str) -> None:
    assert client.get(f"/t/{token}/state").status_code == 200
    answers = [client.get(f"/t/{guess}/state") for guess in bent(token)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_case_02_control_a_lenient_lookup_would_have_opened_it(token: str) -> None:
    """As databases compare by their collation, and frameworks normalise: five of these would have been let in."""

    def lenient(guess: str) -> Link | None:
        meant = unicodedata.normalize("NFKC", guess).lower().replace("%00", "").replace("%20", "")
        found = [link for link in Link.objects.all() if token_of(link).lower().startswith(meant or "-")]
        return found[0] if found else None

    assert sum(lenient(guess) is not None for guess in bent(token)) >= 5


@pytest.mark.covers("GS1")
def test_case_03_and_04_the_link_says_which_delivery_nothing_else_does(client: Client, token: str) -> None:
    other = world.delivery("Bob", sender=world.merchant("bergladen", "Bergladen"))
    foreign = {"delivery": other.pk, "delivery_id": other.pk, "public_id": other.public_id, "id": other.pk}
    mine = client.get(f"/t/{token}/state").json()
    assert client.get(f"/t/{token}/state", foreign).json() == mine
    assert client.get(f"/t/{token}/state", headers={"X-Delivery": str(other.pk)}).json() == mine
    assert client.get(f"/t/{token}", foreign).content.decode().count("Schaan") == 0

    def naive(asked: dict[str, Any]) -> Delivery:
        return Delivery.objects.get(pk=asked["delivery"])

    assert naive(foreign).place.town == "Schaan", "the control: a view that believed the query would tell"


@pytest.mark.covers("GS1")
def test_case_07_nothing_is_kept_or_passed_on(client: Client, token: str) -> None:
    wanted = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    answer = client.get(f"/t/{token}/state")
    assert all(value in answer[name] for name, value in wanted.items())
    # The control: an answer of Django's own says none of it.
    assert not any(name in HttpResponse("{}").headers for name in wanted)


def polyglot(*, exif: bool = True) -> bytes:
    """A real photo that carries a position, a phone's name and a page of script behind its end."""
    details = Image.Exif()
    details[0x0110] = "SecretPhone"
    details.get_ifd(0x8825)[1] = "N"
    made = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(made, "JPEG", exif=details, comment=b"<script>alert(1)</script>")
    return made.getvalue() + b"<html><script>alert(2)</script></html>"


def hand_over(upload: bytes) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    leave(driver)
    data = {"received_by": "Anna", "photo": SimpleUploadedFile("../../x.html", upload, content_type="text/html")}
    phone_of(driver).post(f"/driver/api/visits/{visits(driver)[0].pk}/complete", data)


@pytest.mark.covers("GS30")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_30_a_photo_that_is_also_a_page(is_defended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_defended:
        module = import_module("apps.drivers.services.hand_over")
        monkeypatch.setattr(module, "read_photo", lambda upload: photos.Photo(upload, None))
    hand_over(polyglot())
    kept = Proof.objects.get()
    raw = kept.image.read()
    assert (b"<script>" in raw, b"SecretPhone" in raw) == (not is_defended, not is_defended)
    if is_defended:
        assert kept.image.name.endswith(".jpg")
        assert ".." not in kept.image.name
        assert dict(Image.open(BytesIO(raw)).getexif()) == {}


@pytest.mark.covers("GS31", "T12")
def test_case_31_a_photos_address_opens_nothing_by_itself(client: Client) -> None:
    hand_over(polyglot())
    proof = Proof.objects.get()
    other = token_of(make_link(delivery=world.delivery("Bob")))
    own = token_of(make_link(delivery=proof.delivery))
    guesses = [f"/t/{holder}/proof/{name}" for holder in (own, other) for name in (proof.pk, "1", proof.image.name)]
    guesses += [f"/media/{proof.image.name}", f"/{proof.image.name}"]
    assert {client.get(guess).status_code for guess in guesses} == {404}
    # The control: by its number alone the picture is there to be had.
    assert Proof.objects.get(pk=proof.pk).image.read()[:2] == b"\xff\xd8"
