"""Proof photos as they are kept: a plain JPEG of a sensible size, without where and by which phone it was taken."""

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import InvalidInput
from apps.core.geo import is_coordinate

MOST_BYTES = 12_000_000
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
SIGNATURE_SIDE = 800
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
_GPS = 0x8825
# Fewer dark pixels than this of a signature are a slip of the finger.
LEAST_INK = 40


@dataclass(frozen=True, slots=True)
class Photo:
    """What is kept of an upload, and where the camera said it was (latitude, longitude), which is not kept in it."""

    content: ContentFile
    place: tuple[float, float] | None


def read_photo(upload: Any) -> Photo:
    """The upload encoded anew, upright, at most LONGEST_SIDE pixels; nothing of its metadata is left.

    InvalidInput for anything that is not a picture, too many bytes, or a small file that unpacks to a huge picture.
    """
    upright, place = _opened(upload, LONGEST_SIDE)
    return Photo(_jpeg(upright, "proof.jpg"), place)


def read_signature(upload: Any) -> ContentFile:
    """Dark strokes on white. InvalidInput("signature_missing") for an empty sheet."""
    drawn, _place = _opened(upload, SIGNATURE_SIDE)
    ink = sum(drawn.convert("L").histogram()[:128])
    if ink < LEAST_INK:
        raise InvalidInput("signature_missing", _("The signature is empty. Let them sign again."))
    return _jpeg(drawn, "signature.jpg")


def _opened(upload: Any, longest: int) -> tuple[Image.Image, tuple[float, float] | None]:
    if upload.size > MOST_BYTES:
        raise InvalidInput("photo_too_large", _("That photo is too large. Take it again."))
    try:
        with Image.open(upload, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS or not width or not height:
                raise InvalidInput("photo_too_large", _("That photo is too large. Take it again."))
            place = _place_of(picture)
            picture.draft("RGB", (longest, longest))
            upright = _on_white(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError:
        raise InvalidInput("photo_too_large", _("That photo is too large. Take it again.")) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, struct.error):
        raise InvalidInput("photo_unreadable", _("That photo could not be read. Take it again.")) from None
    upright.thumbnail((longest, longest))
    upright.info.clear()
    return upright, place


def _on_white(picture: Image.Image) -> Image.Image:
    """What is see-through becomes paper."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    above = picture.convert("RGBA")
    paper = Image.new("RGB", above.size, "white")
    paper.paste(above, mask=above.getchannel("A"))
    return paper


def _jpeg(picture: Image.Image, name: str) -> ContentFile:
    kept = BytesIO()
    picture.save(kept, "JPEG", quality=QUALITY, optimize=True)
    return ContentFile(kept.getvalue(), name=name)


def _place_of(picture: Image.Image) -> tuple[float, float] | None:
    """Where the camera says it was; None when it does not say, or says nonsense."""
    try:
        gps = picture.getexif().get_ifd(_GPS)
        latitude, longitude = _degrees(gps[2]), _degrees(gps[4])
        south, west = gps.get(1) == "S", gps.get(3) == "W"
    except (KeyError, TypeError, ValueError, ZeroDivisionError, SyntaxError, OSError, struct.error):
        return None
    point = (-latitude if south else latitude, -longitude if west else longitude)
    return point if is_coordinate(*point) else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
