"""Photos from strangers' phones as they are kept: a plain JPEG of a sensible size, without where and by what."""

from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import InvalidInput

MOST_BYTES = 12_000_000
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


def cleaned_photo(upload: Any, *, name: str = "proof.jpg", longest_side: int = LONGEST_SIDE) -> ContentFile:
    """The upload encoded anew, upright, at most `longest_side` pixels; nothing of its metadata is left.

    InvalidInput for anything that is not a picture, too many bytes, or a small file that unpacks to a huge picture.
    """
    if upload.size > MOST_BYTES:
        raise InvalidInput("photo_too_large", _("That photo is too large. Take it again."))
    try:
        with Image.open(upload, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS or not width or not height:
                raise InvalidInput("photo_too_large", _("That photo is too large. Take it again."))
            picture.draft("RGB", (longest_side, longest_side))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except Image.DecompressionBombError:
        raise InvalidInput("photo_too_large", _("That photo is too large. Take it again.")) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise InvalidInput("photo_unreadable", _("That photo could not be read. Take it again.")) from None
    upright.thumbnail((longest_side, longest_side))
    upright.info.clear()
    kept = BytesIO()
    upright.save(kept, "JPEG", quality=QUALITY, optimize=True)
    return ContentFile(kept.getvalue(), name=name)
