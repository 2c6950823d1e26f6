"""The same job without a script, and with nothing but a keyboard on the narrowest screen."""

import re

import pytest
from playwright.sync_api import expect

from apps.demo.phone_client import DriverPhone
from tests.journeys.conftest import Opens, Picks
from tests.journeys.day import AT_DEPOT, TODAY, TOMORROW, UNDER_WAY
from tests.journeys.processes import Town
from tests.journeys.shopper import SLOW, Shopper

NARROW = 320
FOCUSED = "document.activeElement.outerHTML.slice(0, 200)"


@pytest.mark.covers("T20", "R1")
def test_without_a_script_the_time_is_changed(town: Town, pick: Picks, open_page: Opens) -> None:
    shopper = open_page(pick(AT_DEPOT, TODAY), script=False)
    page = shopper.page
    expect(shopper.headline).to_contain_text("Arriving today,")
    page.locator("#action-time").click()
    tomorrow = page.locator("section.day", has=page.get_by_role("heading", name=re.compile("Tomorrow")))
    offer = tomorrow.locator("a.offer").first
    words = offer.locator(".offer__range").inner_text()
    offer.click()
    page.get_by_role("button", name="Confirm the new time").click()
    expect(page.locator("h1")).to_have_text(f"We come tomorrow, {words}")
    page.get_by_role("link", name="Back to your delivery").click()
    expect(shopper.headline).to_contain_text("Arriving tomorrow,")
    assert shopper.now()["day"] == TOMORROW.isoformat()


@pytest.mark.covers("T20", "I1")
def test_without_a_script_a_note_reaches_the_driver(town: Town, pick: Picks, open_page: Opens) -> None:
    # The phone holds what concerns the next stops only.
    shopper = open_page(pick(UNDER_WAY, TODAY, nth=1), script=False)
    page = shopper.page
    page.locator("#action-instructions").click()
    page.locator("textarea").fill("Bitte über den Hof, der Hund ist lieb.")
    page.get_by_role("button", name="Save for the driver").click()
    expect(page.locator("h1")).to_have_text("Saved for the driver")
    page.get_by_role("link", name="Back to your delivery").click()
    expect(page.locator("#content")).to_contain_text("You left instructions")
    round_ = DriverPhone(town.base, town.ask("key", kind="driver", name=UNDER_WAY)).route()
    notes = {drop["delivery"]: drop["note"] for stop in round_["stops"] for drop in stop["drops"]}
    assert notes[shopper.person["public_id"]] == "Bitte über den Hof, der Hund ist lieb."


@pytest.mark.covers("T19", "R1")
def test_with_the_keyboard_alone_on_a_narrow_screen(town: Town, pick: Picks, open_page: Opens) -> None:
    shopper = open_page(pick(AT_DEPOT, TODAY), width=NARROW)
    sheet = shopper.sheet
    shopper.check("the page", NARROW)
    _tab_to(shopper, "#action-time")
    shopper.page.keyboard.press("Enter")
    expect(sheet.locator("h1")).to_have_text("When should we come?", timeout=SLOW)
    shopper.check("the offers", NARROW)
    _tab_to(shopper, "dialog section.day:last-of-type a.offer, dialog section.day:nth-of-type(2) a.offer")
    shopper.page.keyboard.press("Enter")
    expect(sheet.locator("h1")).to_contain_text("Come ", timeout=SLOW)
    shopper.check("the summary", NARROW)
    _tab_to(shopper, "dialog [name=confirm]")
    shopper.page.keyboard.press("Enter")
    expect(sheet.locator("h1")).to_contain_text("We come ", timeout=SLOW)
    shopper.check("the answer", NARROW)
    _tab_to(shopper, "dialog a.button")
    shopper.page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(shopper.page.locator("#action-time")).to_be_focused()
    assert shopper.now()["day"] != TODAY.isoformat()
    shopper.check("the page afterwards", NARROW)


def _tab_to(shopper: Shopper, selector: str) -> None:
    for _press in range(60):
        shopper.page.keyboard.press("Tab")
        if shopper.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"The keyboard does not reach {selector}; it stands on {shopper.page.evaluate(FOCUSED)}")
