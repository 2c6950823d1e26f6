"""Pictures from strangers' phones as they are kept: a plain JPEG of a sensible size, without where and by what."""

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image

from apps.core.errors import InvalidInput
from apps.core.geo import is_coordinate

MOST_BYTES = 12_000_000
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
SIGNATURE_SIDE = 800
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
# Fewer dark pixels than this of a signature are a slip of the finger.
LEAST_INK = 40
_ORIENTATION, _GPS = 0x0112, 0x8825
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises over bytes that were made to break it.
_MALFORMED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Photo:
    """What is kept of an upload, and where the camera said it was (latitude, longitude), which is not kept in it."""

    content: ContentFile
    place: tuple[float, float] | None


def read_photo(upload: Any, *, name: str = "proof.jpg", longest_side: int = LONGEST_SIDE) -> Photo:
    """The upload encoded anew, upright, at most `longest_side` pixels; nothing of its metadata is left.

    InvalidInput for anything that is not a picture, too many bytes, or a small file that unpacks to a huge picture.
    """
    upright, place = _opened(upload, longest_side)
    return Photo(_jpeg(upright, name), place)


def cleaned_photo(upload: Any, *, name: str = "proof.jpg", longest_side: int = LONGEST_SIDE) -> ContentFile:
    """As read_photo, for whoever does not care where it was taken."""
    return read_photo(upload, name=name, longest_side=longest_side).content


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
            place, turn = _place_of(picture), _turn_of(picture)
            picture.draft("RGB", (longest, longest))
            drawn = _on_white(picture)
    except Image.DecompressionBombError:
        raise InvalidInput("photo_too_large", _("That photo is too large. Take it again.")) from None
    except _MALFORMED:
        raise InvalidInput("photo_unreadable", _("That photo could not be read. Take it again.")) from None
    # By hand: ImageOps.exif_transpose writes the camera's words back, and breaks where they are malformed.
    upright = drawn if turn is None else drawn.transpose(turn)
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


def _turn_of(picture: Image.Image) -> Image.Transpose | None:
    """How it has to be turned to stand upright; None when it stands, or when the camera says nonsense."""
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except _MALFORMED:
        return None


def _place_of(picture: Image.Image) -> tuple[float, float] | None:
    """Where the camera says it was; None when it does not say, or says nonsense."""
    try:
        gps = picture.getexif().get_ifd(_GPS)
        latitude, longitude = _degrees(gps[2]), _degrees(gps[4])
        south, west = gps.get(1) == "S", gps.get(3) == "W"
    except _MALFORMED:
        return None
    point = (-latitude if south else latitude, -longitude if west else longitude)
    return point if is_coordinate(*point) else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
