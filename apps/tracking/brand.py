"""A merchant's accent colour, made readable: darkened for the light page, lightened for the dark one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.urls import reverse

from apps.merchants.models import Branding, Merchant

Colour = tuple[float, float, float]

# WCAG 2.2 AA for text; checked against the surfaces of static/css/tokens.css that carry the accent.
CONTRAST = 4.5
LIGHT_GROUNDS = ("#ffffff", "#f0f1f3")
DARK_GROUNDS = ("#0d0f12", "#1f2328")
_DARK_INK, _LIGHT_INK = "#101215", "#ffffff"
_STEPS = 60
TOUCH_ICON = 180


@dataclass(frozen=True, slots=True)
class Scheme:
    accent: str
    on_accent: str


def context(merchant: Merchant) -> dict[str, Any]:
    """What templates need to look like the merchant."""
    branding = branding_of(merchant)
    accent, logo = (branding.accent, branding.logo_svg) if branding else (None, None)
    return look_of(merchant.slug, merchant.name, accent, logo)


def look_of(slug: str, name: str, accent: str | None, logo_svg: str | None) -> dict[str, Any]:
    """The same from columns; `accent` is None for a merchant without a brand."""
    return dict(_look_of(slug, name, accent, logo_svg or ""))


@lru_cache(maxsize=512)
def _look_of(slug: str, name: str, accent: str | None, logo_svg: str) -> dict[str, Any]:
    branding = Branding(accent=accent, logo_svg=logo_svg) if accent is not None else None
    path = reverse("tracking:brand_css", args=[slug])
    logo = reverse("tracking:brand_svg", args=[slug])
    version = fingerprint(branding)
    return {
        "slug": slug,
        "name": name,
        "css_url": f"{path}?v={version}" if branding else None,
        "logo_url": f"{logo}?v={version}" if logo_svg else None,
        "touch_icon_url": icon_url(slug, branding, TOUCH_ICON),
        "grounds": (LIGHT_GROUNDS[0], DARK_GROUNDS[1]),
    }


def icon_url(slug: str, branding: Branding | None, size: int) -> str:
    """Empty for a merchant without a brand."""
    if branding is None:
        return ""
    return f"{reverse('tracking:brand_icon', args=[slug, size])}?v={fingerprint(branding)}"


def branding_of(merchant: Merchant) -> Branding | None:
    found: Branding | None = getattr(merchant, "branding", None)
    return found


def fingerprint(branding: Branding | None) -> str:
    """Changes with the branding, so that its files may be cached for long."""
    text = f"{branding.accent}\n{branding.logo_svg}" if branding else ""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stylesheet(branding: Branding) -> str:
    light, dark = scheme(branding.accent, LIGHT_GROUNDS), scheme(branding.accent, DARK_GROUNDS)
    return (
        f":root {{ --accent: {light.accent}; --on-accent: {light.on_accent}; }}\n"
        f"@media (prefers-color-scheme: dark) {{\n"
        f"  :root {{ --accent: {dark.accent}; --on-accent: {dark.on_accent}; }}\n"
        f"}}\n"
    )


def scheme(accent: str, grounds: tuple[str, ...]) -> Scheme:
    """The nearest shade that reads on every ground as text, and the ink that reads on it."""
    is_light_page = _luminance(_parse(grounds[0])) > 0.5
    towards = (0.0, 0.0, 0.0) if is_light_page else (1.0, 1.0, 1.0)
    shade = next(
        (shade for shade in _shades(_parse(accent), towards) if all(contrast(shade, g) >= CONTRAST for g in grounds)),
        _hex(towards),
    )
    ink = _LIGHT_INK if contrast(shade, _LIGHT_INK) >= contrast(shade, _DARK_INK) else _DARK_INK
    return Scheme(shade, ink)


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours such as #1f6f5c: 1 to 21."""
    darker, lighter = sorted((_luminance(_parse(one)), _luminance(_parse(other))))
    return (lighter + 0.05) / (darker + 0.05)


def _shades(colour: Colour, towards: Colour) -> Iterator[str]:
    for step in range(_STEPS + 1):
        share = step / _STEPS
        yield _hex(tuple(a + (b - a) * share for a, b in zip(colour, towards, strict=True)))  # type: ignore[arg-type]


def _parse(colour: str) -> Colour:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
