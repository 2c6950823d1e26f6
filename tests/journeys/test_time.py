"""Another time: confirmed in the plan, told once, seen on every page that it concerns, and by nobody else."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Opens, Picks
from tests.journeys.day import AT_DEPOT, ON_THURSDAY, THURSDAY, TODAY, TOMORROW
from tests.journeys.processes import Town, until
from tests.journeys.shopper import SLOW


def patience(seconds: float) -> float:
    """A budget for a quiet machine; where other work waits for the processors it can only be reported."""
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return 30.0 if busy else seconds


@pytest.mark.covers("R1", "T3", "N1")
def test_another_window_is_confirmed_planned_told_once_and_seen_without_reload(
    town: Town, pick: Picks, open_page: Opens
) -> None:
    someone = pick(AT_DEPOT, TODAY, nth=-3)
    at_the_desk, on_the_phone = open_page(someone), open_page(someone)
    expect(at_the_desk.headline).to_contain_text("Arriving today,")
    before = len(at_the_desk.texts("new time"))
    at_the_desk.watch()
    words = on_the_phone.choose_time("Tomorrow", nth=1)
    on_the_phone.confirm()
    expect(on_the_phone.sheet.locator("h1")).to_have_text(f"We come tomorrow, {words}", timeout=SLOW)
    # Nobody touches the page at the desk: the news comes by its socket, an honest ETA within the window chosen.
    expect(at_the_desk.headline).to_contain_text("Arriving tomorrow,", timeout=SLOW)
    expect(at_the_desk.headline).not_to_contain_text(words, timeout=SLOW)
    last = at_the_desk.heard()[-1]["words"]
    assert last.startswith("Arriving tomorrow,")
    assert at_the_desk.polls == []
    now = at_the_desk.now()
    assert (now["day"], now["state"]) == (TOMORROW.isoformat(), "planned")
    assert now["window"][0] <= now["arrival"] <= now["window"][1]
    # Who agreed on "from ten on" must not read 09:55.
    assert words.split("–")[0] <= last.removeprefix("Arriving tomorrow, ").split("–")[0]
    until(lambda: len(at_the_desk.texts("new time")) > before, "the text about the change lies on the phone")
    plans = town.ask("plans")
    assert someone["id"] in plans[TOMORROW.isoformat()]["serves"]
    assert someone["id"] not in plans[TODAY.isoformat()]["serves"]
    assert [plan["wrong"] for plan in plans.values() if plan["wrong"]] == []
    until(lambda: town.ask("is_quiet"), "everything that follows from the change is done", 60)
    (text,) = at_the_desk.texts("new time")[before:]
    assert words.replace("–", "-") in text.replace("–", "-")
    print(f"\nheadlines at the desk: {[line['words'] for line in at_the_desk.heard()]}")


@pytest.mark.covers("T3", "O6", "O8")
def test_the_page_beside_it_follows_and_a_third_is_left_alone(town: Town, pick: Picks, open_page: Opens) -> None:
    # All on one van, one behind the other. It comes soon, so the time that is shown is too short to hold both hours.
    mover, behind = pick(AT_DEPOT, TODAY, nth=0), pick(AT_DEPOT, TODAY, nth=0)
    third = pick(AT_DEPOT, TODAY, nth=-1)
    moves, watches = open_page(mover), open_page(behind)
    watches.watch()
    (first,) = watches.heard()
    moves.choose_time("Tomorrow", nth=2)
    moves.confirm()
    expect(moves.sheet.locator("h1")).to_contain_text("We come tomorrow", timeout=SLOW)
    until(lambda: len(watches.heard()) > 1, "the page beside it shows another time")
    changed = watches.heard()[1]
    applied = town.ask("milliseconds_of", kind="delivery.window_changed", delivery=mover["id"])
    seconds = (changed["at"] - applied) / 1000
    print(f"\n{first['words']!r} became {changed['words']!r} {seconds:.2f} s after the change was applied")
    assert 0 <= seconds <= patience(2.0)
    assert watches.polls == []
    for one in (behind, third):
        now = town.ask("person", delivery=one["id"])
        assert (now["window"], now["promise"], now["state"]) == (one["window"], one["promise"], one["state"])
        assert [text for text in town.ask("texts", phone=one["phone"]) if "new time" in text] == []


@pytest.mark.covers("O10")
def test_two_race_for_the_last_room_and_both_answers_are_true(town: Town, pick: Picks, open_page: Opens) -> None:
    racers = [open_page(pick(AT_DEPOT, TODAY, nth=-2)) for _ in range(2)]
    asked = [racer.choose_time("Thu", nth=0) for racer in racers]
    assert asked[0] == asked[1]
    for racer in racers:
        # A click that does not wait for its answer.
        racer.page.evaluate("document.querySelector('dialog [name=confirm]').click()")
    for racer in racers:
        expect(racer.sheet.locator("h1")).not_to_contain_text("Come ", timeout=SLOW)
    answers = [racer.sheet.locator("h1").inner_text() for racer in racers]
    print(f"\n{answers}")
    assert sum(answer.startswith("We come") for answer in answers) == 1
    for racer, answer in zip(racers, answers, strict=True):
        now = racer.now()
        if answer.startswith("We come"):
            assert (now["day"], now["van"]) == (THURSDAY.isoformat(), ON_THURSDAY)
            continue
        assert (now["day"], now["window"]) == (TODAY.isoformat(), racer.person["window"])
        expect(racer.sheet).to_contain_text("Nothing was changed.")
        assert racer.sheet.locator("a.offer").count() > 0
    assert len(town.ask("plans")[THURSDAY.isoformat()]["serves"]) == 1
