"""The change flows in a real browser: as a sheet over the page, and as plain pages without a script."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.deliveries.access import issue_code
from apps.deliveries.models import Delivery, StepUp
from apps.deliveries.services import make_link, token_of
from tests import world
from tests.redirection.points import point

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def alice() -> Delivery:
    alice, *_ = world.planned_day()
    world.shift("van-1", date(2026, 3, 11))
    return alice


@pytest.fixture
def page(browser: Browser, live_server: Any, alice: Delivery) -> Iterator[Page]:
    """Alice's open page. What the content policy forbids or a script throws fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    tab, wrong = context.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    tab.route("**/vendor/maplibre/*.mjs", lambda route: route.abort())
    tab.goto(f"{live_server.url}/t/{token_of(make_link(delivery=alice))}")
    yield tab
    context.close()
    assert not wrong


@pytest.mark.covers("R1", "R15", "R16")
def test_another_time_in_three_taps_and_undone_with_one(page: Page, alice: Delivery) -> None:
    page.locator("#action-time").click()
    sheet = page.locator("dialog")
    expect(sheet.locator("h1")).to_have_text("When should we come?")
    sheet.locator("a.offer").last.click()
    expect(sheet.locator("h1")).to_contain_text("Come tomorrow")
    sheet.get_by_role("button", name="Confirm the new time").click()
    expect(sheet.locator("h1")).to_contain_text("We come tomorrow")
    # The page behind follows without a reload.
    expect(page.locator("#answer")).to_contain_text("Arriving tomorrow,")
    sheet.get_by_role("button", name="Undo: back to today, 08:00–18:00").click()
    expect(sheet.locator("h1")).to_contain_text("We come today, 08:00–18:00")
    expect(page.locator("#answer")).to_contain_text("Arriving today,")


@pytest.mark.covers("T19")
def test_the_sheet_closes_by_key_button_and_back_and_gives_the_focus_back(page: Page) -> None:
    sheet = page.locator("dialog")
    for close in (
        lambda: page.keyboard.press("Escape"),
        lambda: sheet.get_by_role("button", name="Close").click(),
        lambda: page.go_back(),
    ):
        page.locator("#action-time").click()
        expect(sheet.locator("h1")).to_be_focused()
        close()
        expect(sheet).to_be_hidden()
        expect(page.locator("#action-time")).to_be_focused()


@pytest.mark.covers("T2", "A2")
def test_another_place_with_a_wrong_and_a_right_code(page: Page, alice: Delivery) -> None:
    point()
    page.locator("#action-place").click()
    sheet = page.locator("dialog")
    sheet.get_by_role("button", name="Text").click()
    expect(sheet.locator("#code")).to_be_focused()
    code = issue_code(step_up_id=StepUp.objects.latest("pk").pk)
    sheet.locator("#code").fill(f"{(int(code) + 1) % 10**6:06d}")
    page.keyboard.press("Enter")
    expect(sheet.get_by_role("alert")).to_contain_text("That code does not match.")
    sheet.locator("#code").fill(code)
    page.keyboard.press("Enter")
    sheet.get_by_role("link", name="Post Vaduz").click()
    sheet.get_by_role("button", name="Confirm the new place").click()
    expect(sheet.locator("h1")).to_contain_text("It goes to Post Vaduz")
    expect(page.locator("#answer")).to_contain_text("Ready to collect today")


@pytest.mark.covers("T20")
def test_without_javascript_real_browsers_can_send_the_forms(
    browser: Browser, live_server: Any, alice: Delivery
) -> None:
    """The CSRF check sees the `Origin` that a browser really sends from these pages."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/t/{token_of(make_link(delivery=alice))}")
    page.locator("#action-time").click()
    page.locator("a.offer").last.click()
    page.get_by_role("button", name="Confirm the new time").click()
    assert "We come tomorrow" in page.locator("h1").inner_text()
    context.close()


def test_when_the_network_is_gone_nothing_typed_is_lost(page: Page) -> None:
    page.locator("#action-instructions").click()
    sheet = page.locator("dialog")
    sheet.locator("textarea").fill("Please knock.")
    page.context.set_offline(True)
    sheet.get_by_role("button", name="Save for the driver").click()
    expect(sheet.get_by_text("No connection. Please try again in a moment.")).to_be_visible()
    expect(sheet.locator("textarea")).to_have_value("Please knock.")
    page.context.set_offline(False)
    sheet.get_by_role("button", name="Save for the driver").click()
    expect(sheet.locator("h1")).to_have_text("Saved for the driver")
