"""A drawn photo of a parcel at a door, different for each delivery: the simulator's camera."""

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter

WALLS = ("#c9b8a3", "#b9c2c8", "#d8cfc0", "#a9a294", "#cdd3c4")
DOORS = ("#5b3a29", "#23404f", "#6d1f1f", "#2f4a36", "#3a3a3f")


def proof_photo(number: int) -> bytes:
    """JPEG, 960 x 720."""
    random = Random(number)
    picture = Image.new("RGB", (960, 720), random.choice(WALLS))
    draw = ImageDraw.Draw(picture, "RGBA")
    for row in range(0, 560, 40):
        draw.line((0, row, 960, row), fill="#00000018", width=2)
    left = random.randrange(250, 430)
    door = random.choice(DOORS)
    draw.rectangle((left - 18, 60, left + 308, 600), fill="#e9e6df")
    draw.rectangle((left, 80, left + 290, 600), fill=door)
    for top in (120, 350):
        draw.rectangle((left + 40, top, left + 250, top + 180), outline="#ffffff40", width=4)
    draw.ellipse((left + 252, 345, left + 276, 369), fill="#d8b45a")
    draw.rectangle((0, 600, 960, 720), fill="#8b857b")
    draw.rectangle((left - 60, 590, left + 350, 640), fill="#6f6a61")
    _parcel(draw, random, left + random.randrange(20, 120))
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    out = BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def _parcel(draw: ImageDraw.ImageDraw, random: Random, left: int) -> None:
    width, height = random.randrange(150, 210), random.randrange(90, 150)
    top = 632 - height
    draw.rectangle((left, top, left + width, 632), fill="#b98b57", outline="#8a6337", width=3)
    draw.polygon(
        ((left, top), (left + 28, top - 26), (left + width + 28, top - 26), (left + width, top)), fill="#cfa06a"
    )
    draw.polygon(
        ((left + width, top), (left + width + 28, top - 26), (left + width + 28, 606), (left + width, 632)),
        fill="#9c7445",
    )
    draw.rectangle((left + width // 2 - 12, top, left + width // 2 + 12, 632), fill="#d9bd8f")
    draw.rectangle((left + 14, top + 20, left + 66, top + 56), fill="#f4f1ea")
