"""The page's words: every state says what happens, when, and in the delivery's own time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.deliveries.selectors import STAFF_ONLY
from apps.deliveries.services import open_promise
from apps.deliveries.states import State
from apps.deliveries.words import FAILURE_REASONS, TIMELINE
from apps.tracking import state
from apps.tracking.day_words import moment_words, window_words
from apps.tracking.hero_words import eta_reason_words, hero
from apps.tracking.hours_words import opening_today, opening_week
from apps.tracking.offer_words import key_of, window_from
from apps.tracking.timeline_words import short_code, timeline_lines
from apps.tracking.words import page_words
from tests import world
from tests.browser.pages import BRAND, PAGES, PATHS, page

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}</script>"
ETA_REASONS = ("stale_position", "off_route", "traffic", "behind")


@pytest.fixture(autouse=True)
def noon(now: Any) -> None:
    now.set(datetime(2026, 3, 10, 12, 45, tzinfo=UTC))


@pytest.mark.parametrize("state", State.values)
def test_every_state_has_an_answer(state: str) -> None:
    top = hero(page(status=state), "Alpenkorb")
    assert top.headline
    assert top.status
    assert top.icon


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("created", "Arriving Thu 12 March, 08:00–18:00"),
        ("planned", "Arriving tomorrow, 18:00–20:00"),
        ("out_near", "Arriving today, 14:10–14:40"),
        ("to_point", "Ready to collect today by 14:40"),
        ("failed", "We could not deliver today, 11:42"),
        ("at_point", "Ready to collect until Tue 17 March, 18:00"),
        ("delivered", "Delivered today, 14:22"),
        ("cancelled", "This delivery is cancelled"),
    ],
)
def test_the_headline_is_the_answer(name: str, headline: str) -> None:
    assert hero(PAGES[name], "Alpenkorb").headline == headline


@pytest.mark.covers("D5")
def test_a_failed_delivery_says_why_and_what_comes_next() -> None:
    page = {**PAGES["failed"], "failure": {**PAGES["failed"]["failure"], "reason": "carrier_no_parking"}}
    said = "There was no place to stop the van. We try again on the next working day. You can choose another time."
    assert hero(page, "Alpenkorb").sentence == said


@pytest.mark.covers("T8")
def test_stops_are_counted_in_words() -> None:
    said = [page_words(page(stops_away=away), BRAND, PATHS).stops for away in (0, 1, 2, None)]
    assert said == ["You are next", "1 stop away", "2 stops away", ""]


def test_a_late_delivery_says_what_was_agreed_or_told_and_is_sorry() -> None:
    late = PAGES["delayed"]
    assert hero(late, "Alpenkorb").note == "Later than the 12:00–14:00 we agreed. We are sorry."
    agreed_later = {**late, "window": late["eta"]}
    assert hero(agreed_later, "Alpenkorb").note == "Later than the 12:00–14:00 we told you. We are sorry."
    assert hero(PAGES["out_near"], "Alpenkorb").note == ""


@pytest.mark.covers("T9")
@pytest.mark.parametrize("language", ["de", "fr", "pt", "pl", "ar"])
def test_every_code_a_shopper_may_read_has_words_in_every_language(language: str) -> None:
    """What happened, why it failed, why it comes later, why the time moved: no code falls back to English."""

    def words() -> dict[str, str]:
        told = {code: str(TIMELINE[code]) for code in TIMELINE.keys() - STAFF_ONLY}
        told |= {code: str(text) for code, text in FAILURE_REASONS.items()}
        told |= {f"state {state}": str(state.label) for state in State}
        told |= {f"deferred {why}": str(why.label) for why in Delivery.Deferred}
        told |= {why: eta_reason_words({"eta_reason": why}) for why in ETA_REASONS}
        return told

    with translation.override("en"):
        english = words()
    with translation.override(language):
        other = words()
    assert all(english.values())
    assert {code for code in english if other[code] == english[code]} == set()


@pytest.mark.covers("T6")
def test_the_page_says_why_the_time_moved() -> None:
    said = [hero(page(stops_away=2, eta_reason=why), "Alpenkorb").sentence for why in ("", *ETA_REASONS)]
    assert said[0] == "2 stops before yours. You can follow the van on the map when it is closer."
    assert all(sentence.startswith(said[0]) and len(sentence) > len(said[0]) + 20 for sentence in said[1:])


@pytest.mark.covers("T7")
@pytest.mark.django_db
def test_a_promise_that_had_to_widen_is_told_in_the_timeline() -> None:
    """Narrower is said by the time alone; wider or later is never silent, unless the customer asked for it."""
    made = world.delivery()
    for actor, window in (
        ("system", world.hours(8, 18)), ("system", world.hours(14, 16)), ("system", world.hours(14.5, 15.5)),
        ("shopper", world.hours(9, 12)), ("system", world.hours(10, 11)),
    ):  # fmt: skip
        open_promise(delivery_id=made.pk, window=window, actor=actor)
    assert state.build(made.pk, "link")["timeline"] == []
    open_promise(delivery_id=made.pk, window=world.hours(10.5, 12))
    (line,) = timeline_lines(state.build(made.pk, "link"))
    assert line.sentence == "The time we told you no longer fits. We now expect today, 10:30–12:00."


@pytest.mark.covers("T9")
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_of_the_timeline_has_its_own_words(language: str) -> None:
    with translation.override(language):
        for code in TIMELINE.keys() - STAFF_ONLY:
            data = {"to": PAGES["planned"]["window"]} if code in ("window_changed", "window_widened") else {}
            lines = timeline_lines(page(timeline=[{"code": code, "at": "2026-03-10T08:00:00+00:00", "data": data}]))
            assert lines[0].sentence
            assert lines[0].icon != "info", code


def test_raw_events_and_told_codes_are_the_same_line() -> None:
    assert short_code("delivery.state_changed", {"to": "out"}) == "out"
    assert short_code("delivery.place_changed", {"to_kind": "pickup_point"}) == "place_changed_point"
    assert short_code("delivery.place_changed", {"to_kind": "address", "home": True}) == "place_changed_home"
    assert short_code("instructions.saved", {}) == "instructions_saved"
    assert timeline_lines(page(timeline=[{"code": "unheard.of", "at": "2026-03-10T08:00:00+00:00", "data": {}}])) == []


@pytest.mark.covers("T18")
def test_times_follow_the_delivery_through_the_change_of_clocks() -> None:
    """29 March 2026: at two o'clock it is three."""
    before, after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    with clock.frozen(before):
        assert window_words(TimeWindow(before, after), "Europe/Vaduz") == "today, 01:30–03:30"
        assert moment_words(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Vaduz") == "today, 00:30"
        assert moment_words(before, "America/New_York") == "today, 20:30"


def test_opening_hours_are_read_out() -> None:
    hours = "Mo-Fr 07:45-12:00,13:30-18:00; Sa 08:00-11:00"
    assert opening_today(hours, "Europe/Vaduz") == "Open today until 18:00"
    assert [(line.days, line.times) for line in opening_week(hours, "Europe/Vaduz")] == [
        ("Mon–Fri", "07:45–12:00, 13:30–18:00"),
        ("Sat", "08:00–11:00"),
        ("Sun", "closed"),
    ]
    assert opening_today("what we feel like", "Europe/Vaduz") == ""


def test_a_key_is_its_window_and_nothing_else_is_one() -> None:
    window = TimeWindow(datetime(2026, 3, 10, 13, tzinfo=UTC), datetime(2026, 3, 10, 15, tzinfo=UTC))
    assert window_from(key_of(window)) == window
    for text in ("", "1-2", "9" * 30 + "-" + "9" * 30, "1773154800-1773147600", "²²²²²²²²²²-²²²²²²²²²²"):
        assert window_from(text) is None


def test_hostile_words_stay_words() -> None:
    """Whatever people, shops and drivers write is shown as written."""
    doc = page(
        tier="verified",
        place={"kind": "pickup_point", "name": HOSTILE, "town": HOSTILE, "street": HOSTILE, "opening_hours": HOSTILE},
        parcels=[{"description": HOSTILE, "barcode_tail": HOSTILE}],
        instruction={"safe_place": HOSTILE, "note": HOSTILE, "has_access_code": True, "acknowledged": True},
        proof={"photo": None, "received_by": HOSTILE, "left_at": HOSTILE, "at": "2026-03-10T13:22:00+00:00"},
        collection={"until": None, "code": HOSTILE, "ready": True},
        failure={"reason": HOSTILE},
        help={"phone": HOSTILE, "email": HOSTILE},
    )
    brand = {**BRAND, "name": HOSTILE}
    for status in State.values:
        html = render_to_string(
            "tracking/page.html", {"doc": {**doc, "status": status}, "brand": brand, "paths": PATHS}
        )
        assert "<img src=x" not in html
        assert "onerror=alert(1)>" not in html
        assert "{{7*7}}" in html
