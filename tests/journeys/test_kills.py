"""What people see while processes die under them."""

import os
import signal

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Opens, Picks
from tests.journeys.day import AT_DEPOT, TODAY, TOMORROW
from tests.journeys.processes import START_SECONDS, Town, until
from tests.journeys.shopper import SLOW

pytestmark = pytest.mark.kills
GONE = "No connection. You see what we knew last."


@pytest.mark.covers("T3")
def test_the_page_says_that_it_is_cut_off_and_catches_up(town: Town, pick: Picks, open_page: Opens) -> None:
    someone = pick(AT_DEPOT, TODAY)
    shopper = open_page(someone)
    shopper.watch()
    town.kill_web()
    expect(shopper.page.get_by_text(GONE)).to_be_visible(timeout=SLOW)
    expect(shopper.headline).to_contain_text("Arriving today,")
    town.start_web()
    expect(shopper.page.get_by_text(GONE)).to_be_hidden(timeout=START_SECONDS * 1000)
    # What happens from now on reaches the page that was never closed.
    other = open_page(someone)
    other.choose_time("Tomorrow")
    other.confirm()
    expect(other.sheet.locator("h1")).to_contain_text("We come tomorrow", timeout=SLOW)
    expect(shopper.headline).to_contain_text("Arriving tomorrow,", timeout=START_SECONDS * 1000)
    assert len(shopper.heard()) > 1


@pytest.mark.covers("O9")
def test_the_answer_stands_when_the_planner_dies_under_it(town: Town, pick: Picks, open_page: Opens) -> None:
    shopper = open_page(pick(AT_DEPOT, TODAY))
    words = shopper.choose_time("Tomorrow", nth=3)
    child = town.planner_child()
    assert child
    shopper.confirm()
    os.kill(child, signal.SIGKILL)
    expect(shopper.sheet.locator("h1")).to_have_text(f"We come tomorrow, {words}", timeout=SLOW)
    expect(shopper.headline).to_contain_text("Arriving tomorrow,", timeout=SLOW)
    after = shopper.now()
    assert after["day"] == TOMORROW.isoformat()
    assert shopper.person["id"] in town.ask("plans")[TOMORROW.isoformat()]["serves"]
    # A new child takes the work up again, and the promise still holds.
    until(lambda: (town.planner_child() or child) != child, "a new planner child runs", START_SECONDS)
    until(lambda: town.ask("is_quiet"), "the planner has looked at the change", START_SECONDS)
    now = shopper.now()
    assert (now["window"], now["day"]) == (after["window"], after["day"])
    assert now["window"][0] <= now["arrival"] <= now["window"][1]
    print(f"\nre-plans: {town.ask('replans')}")
