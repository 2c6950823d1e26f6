"""Another place, from the code on the phone to the counter of the pick-up point."""

import re

import pytest
from playwright.sync_api import Browser, expect

from apps.core import clock
from apps.demo.phone_client import DriverPhone
from tests.journeys.conftest import Opens, Picks
from tests.journeys.day import TODAY, UNDER_WAY
from tests.journeys.processes import Town, until
from tests.journeys.shopper import SLOW, Shopper


@pytest.mark.covers("A1", "A2", "A4", "A6", "A14", "T2")
def test_to_a_pickup_point_by_van_and_out_over_the_counter(
    town: Town, pick: Picks, open_page: Opens, browser: Browser
) -> None:
    shopper = open_page(pick(UNDER_WAY, TODAY, at_least=6))
    expect(shopper.page.locator(".chip").first).to_have_text(re.compile("Out for delivery"))
    point = _to_a_point(shopper, browser)
    now = shopper.now()
    assert (now["van"], now["state"]) == (UNDER_WAY, "out")
    expect(shopper.headline).to_contain_text("Ready to collect today", timeout=SLOW)

    _drive_there(town, now["public_id"])
    expect(shopper.headline).to_contain_text("Ready to collect until", timeout=SLOW)
    # Somebody else who has the link sees where it lies, and never the code.
    stranger = open_page(shopper.person)
    expect(stranger.headline).to_contain_text("Ready to collect until")
    expect(stranger.page.locator(".collect__code")).to_have_count(0)
    expect(stranger.page.get_by_role("link", name="Show the collection code")).to_be_visible()
    code = re.sub(r"\D", "", shopper.page.locator(".collect__code").inner_text(timeout=SLOW))
    assert re.fullmatch(r"\d{6}", code)
    assert code not in stranger.page.content()
    until(lambda: shopper.texts("ready to collect") or shopper.texts("Ready to collect"), "a text says it is ready")

    _hand_out(town, browser, point, shopper, code)
    for page in (shopper, stranger):
        expect(page.headline).to_contain_text("Collected today", timeout=SLOW)
    assert shopper.now()["state"] == "collected"


def _to_a_point(shopper: Shopper, browser: Browser) -> str:
    """Step up with a wrong and then the right code, take the nearest point that is open; its name."""
    asked = len(shopper.texts("is your code"))
    shopper.page.locator("#action-place").click()
    shopper.sheet.get_by_role("button", name="Text").click()
    code = shopper.code_on_phone(browser, after=asked)
    shopper.sheet.locator("#code").fill(f"{(int(code) + 1) % 10**6:06d}")
    shopper.page.keyboard.press("Enter")
    expect(shopper.sheet.get_by_role("alert")).to_contain_text("That code does not match.", timeout=SLOW)
    shopper.sheet.locator("#code").fill(code)
    shopper.page.keyboard.press("Enter")
    expect(shopper.sheet.locator("h1")).to_have_text("Where should it go?", timeout=SLOW)
    offer = shopper.sheet.locator("a.row[href*='point=']").first
    name = offer.locator(".row__label").inner_text()
    expect(offer).to_contain_text("There today by")
    offer.click()
    expect(shopper.sheet.locator("h1")).to_have_text("Send it there?", timeout=SLOW)
    shopper.confirm("Confirm the new place")
    expect(shopper.sheet.locator("h1")).to_contain_text(f"It goes to {name}", timeout=SLOW)
    shopper.sheet.get_by_role("link", name="Back to your delivery").click()
    return name


def _drive_there(town: Town, public_id: str) -> None:
    """The driver's own phone: one stop after the other until that parcel is out of the van."""
    phone = DriverPhone(town.base, town.ask("key", kind="driver", name=UNDER_WAY))
    for _stop in range(30):
        route = phone.route()
        stop = route["stops"][0]
        at = clock.wall().replace(year=2026, month=3, day=10)
        for drop in stop["drops"]:
            if drop["instruction_version"] and not drop["acknowledged"]:
                phone.acknowledge(drop["delivery"], drop["instruction_version"])
        for notice in route["notices"]:
            phone.read_notice(notice["id"])
        phone.arrive(stop["visit"], at=at)
        phone.complete(stop["visit"], stop, at=at)
        if public_id in [drop["delivery"] for drop in stop["drops"]]:
            assert stop["kind"] == "pickup_point"
            return
    raise AssertionError("The van never came to the point.")


def _hand_out(town: Town, browser: Browser, point: str, shopper: Shopper, code: str) -> None:
    counter = browser.new_page()
    counter.goto(f"{town.base}/point/{town.ask('counter_of', point=point)}")
    parcel = counter.locator(f"#parcel-{shopper.person['id']}")
    parcel.locator("summary").click()
    parcel.locator("[name=code]").fill(f"{(int(code) + 1) % 10**6:06d}")
    parcel.get_by_role("button", name="Hand out").click()
    expect(counter.get_by_role("alert")).to_be_visible()
    parcel.locator("[name=code]").fill(code)
    parcel.get_by_role("button", name="Hand out").click()
    expect(counter.get_by_role("status")).to_contain_text("Handed out")
    expect(parcel).to_have_count(0)
    counter.close()
