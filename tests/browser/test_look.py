"""Every designed state: accessible, narrow enough, mirrored, calm, and free of inline code."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from apps.merchants.models import Branding
from apps.tracking.brand import stylesheet
from tests.browser import preview
from tests.browser.demo import DEMO
from tests.browser.flows import FLOWS
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser]
AXE = (Path(__file__).parent.parent / "fixtures" / "axe" / "axe.min.js").read_text()
NAMES = [*PAGES, *FLOWS, *DEMO, "404", "500"]
RUN_AXE = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages as files, in English, German and mirrored (Arabic has no words of its own here)."""
    folders = {}
    for language in ("en", "de", "ar"):
        folders[language] = tmp_path_factory.mktemp(language)
        preview.draw(folders[language], language)
    return folders


@pytest.fixture(scope="module")
def address(drawn: dict[str, Path]) -> Iterator[str]:
    served = preview.server(drawn["en"].parent, 0)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()


def tab(browser: Browser, width: int, scheme: str, **more: Any) -> Page:
    """A page without a map: the library is heavy and has its own tests."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, **more)
    page = context.new_page()
    page.route("**/vendor/maplibre/*.mjs", lambda route: route.abort())
    page.route("**/ws/**", lambda route: route.abort())
    return page


def visit(page: Page, address: str, folder: Path, name: str) -> None:
    page.goto(f"{address}/{folder.name}/{name}.html", wait_until="load")


@pytest.mark.covers("T19")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, address: str, drawn: dict[str, Path], scheme: str) -> None:
    page = tab(browser, 390, scheme, reduced_motion="reduce")
    found = []
    for name in NAMES:
        visit(page, address, drawn["en"], name)
        page.evaluate(AXE)
        for problem in page.evaluate(RUN_AXE)["violations"]:
            if problem["impact"] in ("serious", "critical", "moderate"):
                where = [node["html"][:120] for node in problem["nodes"]][:3]
                found.append(f"{name}: {problem['id']}: {where}")
    assert not found, "\n".join(found)


@pytest.mark.covers("T18", "T19")
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_nothing_sticks_out_at_320_pixels(
    browser: Browser, address: str, drawn: dict[str, Path], language: str
) -> None:
    page = tab(browser, 320, "light")
    wide = []
    for name in NAMES:
        visit(page, address, drawn[language], name)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(name)
    assert not wide


@pytest.mark.covers("T18")
def test_right_to_left_pages_are_mirrored(browser: Browser, address: str, drawn: dict[str, Path]) -> None:
    page = tab(browser, 390, "light")
    visit(page, address, drawn["ar"], "out_near")
    row = page.locator(".row").first
    icon, label = row.locator(".row__icon").bounding_box(), row.locator(".row__label").bounding_box()
    assert icon
    assert label
    assert icon["x"] > label["x"]


@pytest.mark.covers("T19")
def test_everything_can_be_reached_and_touched(browser: Browser, address: str, drawn: dict[str, Path]) -> None:
    """Targets are at least 44 pixels high, and the keyboard finds the actions in the order they are shown."""
    page = tab(browser, 390, "light")
    for name in ("out_near", "failed", "time", "place", "instructions_verified", "verify_sent"):
        visit(page, address, drawn["en"], name)
        for target in page.locator("a.row, a.offer, .button, summary, .choice, .back").all():
            box = target.bounding_box()
            # What is inside a closed "More" has no size.
            assert not box or not box["height"] or box["height"] >= 44, (name, target.inner_text())
    visit(page, address, drawn["en"], "out_near")
    seen = []
    for _press in range(5):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert [name for name in seen if name.startswith("action-")] == [
        "action-time",
        "action-place",
        "action-instructions",
    ]


@pytest.mark.covers("T20")
def test_without_javascript_the_answer_and_the_way_on_are_there(
    browser: Browser, address: str, drawn: dict[str, Path]
) -> None:
    page = tab(browser, 390, "light", java_script_enabled=False)
    visit(page, address, drawn["en"], "out_near")
    assert page.locator("h1").inner_text() == "Arriving today,\n14:10–14:40"
    assert "Vaduz" in page.locator("figcaption").inner_text()
    assert page.locator("#action-time").get_attribute("href") == "/t/preview/time"


@pytest.mark.covers("T19")
def test_without_webgl_the_map_is_a_sentence(browser: Browser, address: str, drawn: dict[str, Path]) -> None:
    page = tab(browser, 390, "light")
    visit(page, address, drawn["en"], "out_near")
    page.locator(".map.has-no-map").wait_for()
    assert "Map of the van on its way to Vaduz. 3 stops away." in page.locator("figcaption").inner_text()


def test_the_first_load_is_light(browser: Browser, address: str, drawn: dict[str, Path]) -> None:
    """Under 150 kB without the map, which comes after the words."""
    page, sizes = tab(browser, 390, "light"), []
    page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.status == 200 else None)
    visit(page, address, drawn["en"], "out_near")
    page.wait_for_timeout(300)
    assert 10_000 < sum(sizes) < 150_000


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_page_carries_inline_code(drawn: dict[str, Path], language: str) -> None:
    """The policy forbids it, so it would not run; and a script that is not there cannot be injected into."""
    inline = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
    for name in NAMES:
        assert not inline.search((drawn[language] / f"{name}.html").read_text()), name


@pytest.mark.covers("T18", "T9")
def test_german_pages_have_no_english_left(drawn: dict[str, Path]) -> None:
    english = re.compile(r"\b(?:the|your|delivery|arriving|today|tomorrow)\b", re.IGNORECASE)
    for name in [*PAGES, "address", "verify", "verify_sent", "404"]:
        text = re.sub(r"<[^>]+>", " ", (drawn["de"] / f"{name}.html").read_text())
        assert not english.findall(text), name


@pytest.mark.covers("T17")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_merchants_colour_can_be_read(browser: Browser, address: str, drawn: dict[str, Path], scheme: str) -> None:
    page = tab(browser, 390, scheme, reduced_motion="reduce")
    for accent in ("#2f7d4f", "#6b4bb8", "#c2410c", "#ffee00", "#1a0033", "#777777", "#000000", "#ffffff"):
        visit(page, address, drawn["en"], "out_near")
        page.add_style_tag(content=stylesheet(Branding(accent=accent)))
        page.evaluate(AXE)
        found = page.evaluate("() => axe.run(document, {runOnly: ['wcag2aa']})")["violations"]
        assert not found, (accent, [node["html"][:100] for problem in found for node in problem["nodes"]])
