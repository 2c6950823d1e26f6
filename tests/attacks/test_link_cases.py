"""Attack cases on links and files, each with a control: the same attack with that defence taken away."""

import unicodedata
from dataclasses import replace
from importlib import import_module
from io import BytesIO

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client
from PIL import Image

from apps.core import photos
from apps.deliveries import access
from apps.deliveries.models import Delivery, Link, Proof
from apps.deliveries.services import make_link, move_state, token_of
from apps.deliveries.states import State
from apps.tracking import page_row
from apps.tracking.views import files, gate, page
from tests import world
from tests.conftest import FrozenClock
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
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_02_a_bent_token_is_like_any_other_that_opens_nothing(
    client: Client, token: str, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control compares as databases do by their collation, and normalises as frameworks do."""

    def lenient(guess: str) -> Link | None:
        meant = unicodedata.normalize("NFKC", guess).lower().replace("\0", "").strip()
        return next((link for link in Link.objects.all() if token_of(link).lower().startswith(meant or "-")), None)

    if not is_defended:
        monkeypatch.setattr(access, "find_link", lenient)
    assert client.get(f"/t/{token}/state").status_code == 200
    answers = [client.get(f"/t/{guess}/state") for guess in bent(token)]
    opened = [answer for answer in answers if answer.status_code == 200]
    if is_defended:
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
    else:
        assert len(opened) >= 4


@pytest.mark.covers("GS1")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_03_and_04_the_link_says_which_delivery_nothing_else_does(
    client: Client, token: str, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.delivery("Bob", sender=world.merchant("bergladen", "Bergladen"))
    foreign = {"delivery": other.pk, "delivery_id": other.pk, "public_id": other.public_id, "id": other.pk}
    mine = client.get(f"/t/{token}/state").json()
    if not is_defended:
        # A gate that believed what stands beside the link.
        opened = gate.access_of

        def naive(request: HttpRequest, token: str) -> access.Access:
            asked = request.GET.get("delivery") or request.headers.get("X-Delivery")
            found = opened(request, token)
            return replace(found, delivery=Delivery.objects.get(pk=asked)) if asked else found

        monkeypatch.setattr(gate, "access_of", naive)
        monkeypatch.setattr(page_row, "plain_page", lambda token, known: None)
        monkeypatch.setattr(page, "kept_page", lambda token: None)
    seen = client.get(f"/t/{token}/state", foreign).json()
    by_header = client.get(f"/t/{token}/state", headers={"X-Delivery": str(other.pk)}).json()
    assert {seen == mine, by_header == mine} == {is_defended}
    assert ("Schaan" in client.get(f"/t/{token}", foreign).content.decode()) is not is_defended


@pytest.mark.covers("GS1", "T21")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_05_a_link_dies_so_many_days_after_the_end(
    client: Client, now: FrozenClock, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.delivery(state=State.OUT)
    token = token_of(make_link(delivery=made))
    move_state(delivery_id=made.pk, to=State.DELIVERED, actor="driver:1")
    now.advance(days=29)
    assert client.get(f"/t/{token}/state").status_code == 200
    now.advance(days=2)
    if not is_defended:
        monkeypatch.setattr(access, "is_alive", lambda link: link.revoked_at is None)
    codes = {client.get(f"/t/{token}{tail}").status_code for tail in ("", "/state", "/dot", "/live")}
    assert codes == ({404} if is_defended else {200})


@pytest.mark.covers("GS1")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_07_nothing_is_kept_or_passed_on(
    client: Client, token: str, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_defended:
        monkeypatch.setattr(gate, "HEADERS", {})
    wanted = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    for tail in ("", "/state", "/dot"):
        answer = client.get(f"/t/{token}{tail}")
        assert {value in answer.get(name, "") for name, value in wanted.items()} == {is_defended}, tail


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


@pytest.mark.covers("GS30", "T27")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_30_many_uploads_are_not_all_decoded(
    client: Client, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(make_link(delivery=world.delivery(state=State.DELIVERED)))
    reports = import_module("apps.feedback.services.report_problem")
    if not is_defended:
        monkeypatch.setattr(reports, "TRIES", 10**9)
    codes = []
    for number in range(12):
        bad = SimpleUploadedFile("x.jpg", b"not a photo", content_type="image/jpeg")
        sent = {"kind": "damaged", "key": f"{number:032x}", "photos": bad}
        codes.append(client.post(f"/t/{token}/report", sent).status_code)
    assert codes == [422] * 10 + ([429] * 2 if is_defended else [422] * 2)


@pytest.mark.covers("GS31", "T12")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_case_31_a_photos_address_opens_nothing_by_itself(
    client: Client, is_defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(polyglot())
    proof = Proof.objects.get()
    other = token_of(make_link(delivery=world.delivery("Bob")))
    own = token_of(make_link(delivery=proof.delivery))
    if not is_defended:
        # As with a number in the address, for whoever has any link.
        monkeypatch.setattr(files, "opened_picture", lambda access, name: int(name) if name.isdigit() else None)
        monkeypatch.setattr(access.Access, "is_verified", True)
    guesses = [f"/t/{holder}/proof/{name}" for holder in (own, other) for name in (proof.pk, "1", proof.image.name)]
    guesses += [f"/media/{proof.image.name}", f"/{proof.image.name}"]
    opened = [guess for guess in guesses if client.get(guess).status_code != 404]
    assert (f"/t/{own}/proof/{proof.pk}" in opened) is not is_defended
    assert not [guess for guess in opened if own not in guess], "another delivery's link opens it neither way"
