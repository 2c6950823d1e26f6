"""Proof photos: nothing but the picture is kept, and nothing that is not a picture."""

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.core.photos import LONGEST_SIDE
from apps.deliveries.models import Proof
from tests.drivers.phones import leave, one_van_day, phone_of, photo, visits

pytestmark = [pytest.mark.django_db]


def send(upload: SimpleUploadedFile) -> object:
    _deliveries, driver = one_van_day(("Alice",))
    leave(driver)
    path = f"/driver/api/visits/{visits(driver)[0].pk}/complete"
    return phone_of(driver).post(path, {"received_by": "Anna", "photo": upload})


def kept() -> Image.Image:
    return Image.open(Proof.objects.get().image)


@pytest.mark.covers("GS30")
def test_where_and_with_what_it_was_taken_is_gone() -> None:
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 12"
    exif[0x0112] = 6  # turned by a quarter
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (47.0, 8.0, 27.6)
    made = BytesIO()
    Image.new("RGB", (200, 100), "teal").save(made, "JPEG", exif=exif, comment=b"SecretComment")
    upload = SimpleUploadedFile("x.jpg", made.getvalue(), content_type="image/jpeg")
    assert b"SecretPhone" in made.getvalue()
    assert send(upload).status_code == 200
    picture = kept()
    assert dict(picture.getexif()) == {}
    assert picture.size == (100, 200), "upright"
    raw = Proof.objects.get().image.read()
    assert b"Secret" not in raw
    assert b"Exif" not in raw


def test_large_ones_are_made_smaller() -> None:
    assert send(photo((4000, 3000))).status_code == 200
    assert max(kept().size) == LONGEST_SIDE


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_become_jpegs(kind: str) -> None:
    assert send(photo(kind=kind)).status_code == 200
    assert kept().format == "JPEG"


def bomb() -> bytes:
    """A PNG of some hundred bytes that says it is 30,000 x 30,000."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.covers("GS30")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb(), "photo_too_large"),
        (b"\xff\xd8\xff" + b"\0" * 12_100_000, "photo_too_large"),
        (b"", "photo_unreadable"),
        (b"GIF89a" + b"\0" * 100, "photo_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "photo_unreadable"),
        (b"%PDF-1.7 not a picture", "photo_unreadable"),
        (photo().read()[:200], "photo_unreadable"),
    ],
    ids=["bomb", "huge", "empty", "gif", "svg", "pdf", "cut off"],
)
def test_what_is_no_photo_is_refused_and_the_stop_stays_open(content: bytes, code: str) -> None:
    answer = send(SimpleUploadedFile("x.jpg", content, content_type="image/jpeg"))
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert not Proof.objects.exists()
