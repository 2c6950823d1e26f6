"""Nobody fills the disk: a body that is too large is refused before a byte of it is read."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test import client as testing

from apps.core.body_caps import most_bytes
from apps.merchants.services import make_api_key
from tests import world

pytestmark = pytest.mark.django_db


@pytest.mark.covers("GS30")
@pytest.mark.parametrize("is_defended", [True, False], ids=["defended", "control"])
def test_a_huge_body_to_a_link_that_opens_nothing_is_not_read(
    is_defended: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_defended:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "BodyCaps" not in name]
    taken, read = [0], testing.FakePayload.read

    def counted(payload: Any, *args: Any) -> bytes:
        found: bytes = read(payload, *args)
        taken[0] += len(found)
        return found

    monkeypatch.setattr(testing.FakePayload, "read", counted)
    # A cookie anybody can make up: the CSRF check reads the form before any gate.
    stranger = Client(enforce_csrf_checks=True)
    stranger.cookies["csrftoken"] = "x" * 32
    answer = stranger.post("/t/x/rate", {"photos": SimpleUploadedFile("x.jpg", b"x" * 3_000_000)})
    assert (answer.status_code == 413, taken[0] > 2_900_000) == (is_defended, not is_defended)


def test_the_api_reads_no_more_than_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, read = [0], testing.FakePayload.read

    def counted(payload: Any, *args: Any) -> bytes:
        found: bytes = read(payload, *args)
        taken[0] += len(found)
        return found

    monkeypatch.setattr(testing.FakePayload, "read", counted)
    api, key = Client(enforce_csrf_checks=True), make_api_key(merchant=world.merchant(), name="shop")[1]
    signed = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    file = {"photos": SimpleUploadedFile("x.jpg", b"x" * 3_000_000)}
    assert api.post("/api/v1/deliveries", file, **signed).status_code == 415
    huge = api.post("/api/v1/deliveries", "[" * 3_000_000, content_type="application/json", **signed)
    assert huge.status_code == 413
    assert taken[0] < 200_000


def test_photos_still_come_in() -> None:
    assert most_bytes("/t/x") == most_bytes("/driver/api/positions") == most_bytes("/x/t/x/report") == 1_000_000
    assert most_bytes("/driver/api/events") == most_bytes("/driver/visits/7/complete") == 80_000_000
    assert most_bytes("/t/x/report") == 50_000_000
