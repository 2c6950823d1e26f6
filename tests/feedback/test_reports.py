"""Something went wrong: a case with photos, seen by staff, answered to the shopper with its number alone."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.deliveries.models import Delivery, Link
from apps.deliveries.states import State
from apps.feedback.models import ProblemPhoto, ProblemReport
from apps.feedback.services import close_report
from apps.merchants.models import Membership
from tests import world
from tests.drivers.test_photos import bomb
from tests.feedback.pages import delivery_in, token_for
from tests.tracking.shopper import Shopper
from tests.tracking.verify_change import COMMITS, verify_change

pytestmark = pytest.mark.django_db
SAID = "The jar is broken, call Anna on 079 123 45 67"


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def jpeg(*, trailer: bytes = b"") -> SimpleUploadedFile:
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 12"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (47.0, 8.0, 27.6)
    made = BytesIO()
    Image.new("RGB", (200, 100), "teal").save(made, "JPEG", exif=exif, comment=b"SecretComment")
    return SimpleUploadedFile("../../x.php", made.getvalue() + trailer, content_type="image/jpeg")


def report(token: str, **typed: object) -> Shopper:
    return Shopper(token).follow("/report$").send(**typed)  # type: ignore[arg-type]


def staff(delivery: Delivery, role: str = Membership.Role.AGENT) -> Client:
    user = get_user_model().objects.create_user(f"{role}-{delivery.pk}", password="x", is_staff=True)
    Membership.objects.create(user=user, merchant=delivery.merchant, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db(transaction=COMMITS)
@pytest.mark.covers("T27", "T20")
def test_a_case_is_opened_and_nothing_that_was_said_is_shown_to_the_link(drain: Callable[..., int]) -> None:
    made = delivery_in()
    token = token_for(made)
    with verify_change(drain, made):
        shopper = report(token, kind="damaged", text=SAID, photos=jpeg())
    case = ProblemReport.objects.get()
    assert f"Your case number is {case.number}" in shopper.text
    assert (case.kind, case.text, case.state, case.photos.count()) == ("damaged", SAID, "open", 1)
    page, state = Shopper(token), Client().get(f"/t/{token}/state").content.decode()
    assert case.number in page.text
    for secret in ("jar", "Anna", "079"):
        assert secret not in page.text + state + shopper.text
    with verify_change(drain, made):
        close_report(report=case, actor="system")
    assert "Your report is settled" in page.open(page.page_address).text


@pytest.mark.covers("T27", "GS30")
def test_photos_lose_where_they_were_taken_and_all_that_hangs_on_them() -> None:
    """Also a polyglot's second half: only the picture is encoded anew."""
    report(token_for(delivery_in()), kind="damaged", photos=jpeg(trailer=b"<?php system('id');"))
    photo = ProblemPhoto.objects.get().image
    raw = photo.read()
    picture = Image.open(BytesIO(raw))
    assert dict(picture.getexif()) == {}
    assert not [word for word in (b"Secret", b"Exif", b"php") if word in raw]
    assert photo.name.startswith("problems/")
    assert photo.name.endswith(".jpg")


@pytest.mark.covers("T27", "GS30")
@pytest.mark.parametrize("content", [bomb(), b"GIF89a" + b"\0" * 100, b"<svg onload='alert(1)'/>"])
def test_what_is_no_photo_is_refused_in_words_and_the_text_is_kept(content: bytes) -> None:
    upload = SimpleUploadedFile("x.jpg", content, content_type="image/jpeg")
    shopper = report(token_for(delivery_in()), kind="damaged", text=SAID, photos=upload)
    assert shopper.status == 422
    assert "Please choose the photos again" in shopper.text
    assert SAID in shopper.forms[0].fields["text"]
    assert not ProblemReport.objects.exists()
    shopper.send()
    assert ProblemReport.objects.get().text == SAID


@pytest.mark.covers("T27")
def test_five_photos_no_words_and_unknown_kinds_are_sent_back() -> None:
    token = token_for(delivery_in())
    form = Shopper(token).follow("/report$")
    key = form.forms[0].fields
    address = f"/t/{token}/report"
    for data, words in (
        ({"kind": "damaged", "photos": [jpeg() for _ in range(5)]}, "Up to four photos"),
        ({"kind": "other"}, "in a few words"),
        ({"kind": "nobody_came"}, "Choose what is wrong"),
        ({"kind": "damaged", "text": "x" * 1001}, "at most 1000"),
    ):
        answer = form.client.post(address, key | data)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), words
    assert not ProblemReport.objects.exists()


@pytest.mark.covers("T27")
def test_the_same_form_twice_is_one_case_and_there_is_an_end_to_cases() -> None:
    token = token_for(delivery_in())
    shopper = Shopper(token).follow("/report$")
    fields = shopper.forms[0].fields | {"kind": "missing"}
    for _again in range(3):
        shopper.client.post(f"/t/{token}/report", fields)
    assert ProblemReport.objects.count() == 1
    report(token, kind="damaged")
    report(token, kind="wrong_item")
    assert report(token, kind="not_received").status == 422
    assert ProblemReport.objects.count() == 3


@pytest.mark.covers("T27")
@pytest.mark.parametrize("state", [State.CREATED, State.OUT, State.CANCELLED])
def test_nothing_is_reported_before_anything_happened(state: State) -> None:
    token = token_for(delivery_in(state))
    shopper = Shopper(token)
    assert not any("/report" in link for link in shopper.links)
    assert shopper.open(f"/t/{token}/report").status == 422


@pytest.mark.covers("T27")
def test_staff_find_the_case_in_the_queue_and_at_the_delivery_and_others_do_not() -> None:
    made = delivery_in()
    report(token_for(made), kind="damaged", text=SAID, photos=jpeg())
    case, photo = ProblemReport.objects.get(), ProblemPhoto.objects.get()
    queue, detail = "/admin/feedback/problemreport/", f"/admin/feedback/problemreport/{case.pk}/change/"
    picture = f"/admin/feedback/problemreport/photo/{photo.pk}"
    agent = staff(made)
    assert case.number in agent.get(queue + "?state__exact=open").content.decode()
    assert "broken" in agent.get(detail).content.decode()
    assert agent.get(picture)["Content-Type"] == "image/jpeg"
    desk = agent.get(f"/admin/deliveries/delivery/{made.pk}/change/").content.decode()
    assert case.number in desk
    assert "The jar is broken" in desk
    stranger = staff(world.delivery("Bob", sender=world.merchant("rheinbuch", "Rheinbuch")))
    assert case.number not in stranger.get(queue).content.decode()
    assert stranger.get(detail).status_code != 200
    assert stranger.get(picture).status_code == 404
    assert Client().get(picture).status_code == 302
    close = {"action": "close", "_selected_action": [case.pk]}
    stranger.post(queue, close)
    case.refresh_from_db()
    assert case.state == "open"
    agent.post(queue, close)
    case.refresh_from_db()
    assert (case.state, case.closed_at is not None) == ("closed", True)


@pytest.mark.covers("T27", "T22")
def test_a_share_link_reports_nothing() -> None:
    made = delivery_in()
    token = token_for(made, Link.Kind.VIEW)
    shared = Shopper(token)
    assert not any("/report" in link for link in shared.links)
    assert shared.open(f"/t/{token}/report").status == 404


@pytest.mark.parametrize(
    "rows", ["feedback/problemreport", "feedback/rating", "feedback/dispute", "tracking/contentblock"]
)
def test_a_shops_own_people_are_not_told_who_else_ships_here(rows: str) -> None:
    other = delivery_in().merchant
    owner = staff(world.delivery("Bob", sender=world.merchant("rheinbuch", "Rheinbuch")), Membership.Role.OWNER)
    page = owner.get(f"/admin/{rows}/")
    assert page.status_code == 200
    assert other.name not in page.content.decode()
