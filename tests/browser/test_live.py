"""The page keeps itself true: polling without a socket, parts swapped in place, the van on the road."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import preview
from tests.browser.pages import PAGES, PATHS

pytestmark = [pytest.mark.browser]
DRIVE = """async ([path, seconds]) => {
  const { Van } = await import("/static/js/van.js");
  const seen = [];
  const van = new Van({ setLngLat: ([lon, lat]) => seen.push([lat, lon]) });
  van.drive(path, seconds);
  await new Promise((done) => setTimeout(done, seconds * 1000 + 300));
  return seen;
}"""
ROAD = [[47.1500, 9.5100], [47.1500, 9.5140], [47.1480, 9.5140]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    preview.draw(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    served = preview.server(folder, 0)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()


def opened(browser: Browser, address: str, name: str, *, with_map: bool = False, **more: str) -> Page:
    page = browser.new_context(viewport={"width": 390, "height": 844}, **more).new_page()  # type: ignore[arg-type]
    if not with_map:
        page.route("**/vendor/maplibre/*.mjs", lambda route: route.abort())
    page.goto(f"{address}/{name}.html")
    return page


@pytest.mark.covers("T3", "T19")
def test_without_a_socket_polling_brings_the_news_and_keeps_the_readers_place(
    browser: Browser, address: str, folder: Path
) -> None:
    page = opened(browser, address, "out_near")
    page.locator("#more summary").click()
    page.locator("#action-place").focus()
    fragment = (folder / "delayed.html").read_text().replace('data-version="7"', 'data-version="8"')
    newer = {**PAGES["delayed"], "version": 8}
    page.route(f"**{PATHS['live']}", lambda route: route.fulfill(body=fragment, content_type="text/html"))
    page.route(f"**{PATHS['state']}*", lambda route: route.fulfill(body=json.dumps(newer)))
    expect(page.locator(".chip--warn").first).to_have_text("Running late", timeout=15_000)
    assert page.evaluate("document.querySelector('#more').open")
    expect(page.locator("#action-place")).to_be_focused()
    expect(page.locator("[data-announce]")).to_contain_text("Arriving today, 14:10–14:40")


def test_offline_is_said_and_taken_back(browser: Browser, address: str) -> None:
    page = opened(browser, address, "out_near")
    page.context.set_offline(True)
    expect(page.get_by_text("No connection. You see what we knew last.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("No connection. You see what we knew last.")).to_be_hidden(timeout=15_000)


def test_a_link_that_ends_ends_the_page(browser: Browser, address: str) -> None:
    page = opened(browser, address, "out_near")
    page.route(f"**{PATHS['state']}*", lambda route: route.fulfill(status=404, body=""))
    page.route("**/out_near.html", lambda route: route.fulfill(status=404, body="<h1>Gone</h1>"))
    expect(page.locator("h1")).to_have_text("Gone", timeout=15_000)


@pytest.mark.covers("T3")
def test_the_van_keeps_to_the_road_and_never_passes_its_last_known_point(browser: Browser, address: str) -> None:
    page = opened(browser, address, "out_near")
    seen = page.evaluate(DRIVE, [ROAD, 0.6])
    assert len(seen) > 3
    assert seen[-1] == pytest.approx(ROAD[-1])
    for lat, lon in seen:
        on_first = lat == pytest.approx(47.15) and 9.51 <= lon <= 9.514
        on_second = lon == pytest.approx(9.514) and 47.148 <= lat <= 47.15
        assert on_first or on_second, (lat, lon)


@pytest.mark.covers("T19")
def test_with_reduced_motion_the_van_just_stands_there(browser: Browser, address: str) -> None:
    page = opened(browser, address, "out_near", reduced_motion="reduce")
    assert page.evaluate(DRIVE, [ROAD, 0.3]) == [pytest.approx(ROAD[-1])]


@pytest.mark.covers("T3")
def test_an_old_position_says_how_old_it_is(browser: Browser, address: str) -> None:
    page = opened(browser, address, "out_near", with_map=True)
    old = json.dumps({**preview.DOT, "stale_after": 0.5})
    page.route(f"**{PATHS['dot']}", lambda route: route.fulfill(body=old))
    expect(page.locator(".pin--van")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-map-seen]")).to_have_text("Last seen just now", timeout=15_000)
    assert "pin--stale" in (page.locator(".pin--van").get_attribute("class") or "")
    expect(page.locator(".map")).to_contain_text(re.compile("© OpenStreetMap contributors"))
    page.route(f"**{PATHS['dot']}", lambda route: route.fulfill(body='{"visible": false}'))
    expect(page.locator(".pin--van")).to_have_count(0, timeout=15_000)
