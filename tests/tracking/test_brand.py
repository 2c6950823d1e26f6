"""A merchant's colour is shown as it is where it can be read, and moved until it can where it cannot."""

import re
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.merchants.models import Branding
from apps.tracking.brand import CONTRAST, DARK_GROUNDS, LIGHT_GROUNDS, contrast, scheme
from tests import world


@pytest.mark.covers("T17")
@given(st.integers(0, 0xFFFFFF))
def test_every_accent_reads_on_every_ground(number: int) -> None:
    accent = f"#{number:06x}"
    for grounds in (LIGHT_GROUNDS, DARK_GROUNDS):
        made = scheme(accent, grounds)
        assert min(contrast(made.accent, ground) for ground in grounds) >= CONTRAST
        assert contrast(made.accent, made.on_accent) >= CONTRAST


def test_a_readable_accent_stays_as_it_is() -> None:
    assert scheme("#1f6f5c", LIGHT_GROUNDS).accent == "#1f6f5c"


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    text = Path("static/css/tokens.css").read_text()
    assert set(LIGHT_GROUNDS + DARK_GROUNDS) <= set(re.findall(r"#[0-9a-f]{6}", text))


@pytest.mark.django_db
@pytest.mark.covers("T17")
def test_two_merchants_share_nothing_and_a_logo_cannot_run(client: Client) -> None:
    evil = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    Branding.objects.filter(merchant=world.merchant()).update(accent="#123456", logo_svg=evil)
    world.merchant("rheinbuch", "Rheinbuch")
    mine, theirs = (client.get(f"/brand/{slug}.css").content.decode() for slug in ("alpenkorb", "rheinbuch"))
    assert "#123456" in mine
    assert "#123456" not in theirs
    logo = client.get("/brand/alpenkorb.svg")
    assert logo["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in logo["Content-Security-Policy"]
    assert client.get("/brand/rheinbuch.svg").status_code == 404
    assert client.get("/brand/nobody.css").status_code == 404
