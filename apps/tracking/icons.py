"""A merchant's icon for home screens: its initial, or a parcel, on its own colour."""

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from apps.tracking import brand

# What phones ask for: Apple's touch icon, and the two sizes that make a page installable.
SIZES = (180, 192, 512)
# A maskable icon may lose everything outside the middle 80 %.
_SAFE = 0.8


@lru_cache(maxsize=64)
def icon_png(accent: str, name: str, size: int) -> bytes:
    """A square picture without transparent corners; phones cut their own shape out of it."""
    scheme = brand.scheme(accent, brand.LIGHT_GROUNDS)
    picture = Image.new("RGB", (size, size), scheme.accent)
    draw = ImageDraw.Draw(picture)
    initial = name.strip()[:1].upper()
    if initial.isascii() and initial.isalnum():
        font = ImageFont.load_default(size * _SAFE * 0.72)
        draw.text((size / 2, size / 2), initial, fill=scheme.on_accent, font=font, anchor="mm")
    else:
        _draw_parcel(draw, size, scheme.on_accent)
    kept = BytesIO()
    picture.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _draw_parcel(draw: ImageDraw.ImageDraw, size: int, ink: str) -> None:
    """A box seen from above its edge, inside the safe middle."""
    middle, reach, width = size / 2, size * _SAFE * 0.36, max(2, round(size * 0.035))
    top, bottom = middle - reach, middle + reach
    left, right, lid = middle - reach * 0.9, middle + reach * 0.9, reach * 0.5
    draw.line(
        [(middle, top), (right, top + lid), (right, bottom - lid), (middle, bottom), (left, bottom - lid),
         (left, top + lid), (middle, top), (right, top + lid)],
        fill=ink, width=width, joint="curve",
    )  # fmt: skip
    draw.line([(left, top + lid), (middle, middle), (right, top + lid)], fill=ink, width=width, joint="curve")
    draw.line([(middle, middle), (middle, bottom)], fill=ink, width=width)
