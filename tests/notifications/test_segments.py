"""What texts cost, and that other people's words cannot bend them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import clock
from apps.notifications.catalogue import CATALOGUE, Trigger
from apps.notifications.segments import GSM_7, GSM_7_EXTENSION, one_line, segments_of
from apps.notifications.wording import render
from tests.notifications.people import alice, announce
from tests.notifications.twilio_wire import Wire

FACTS = {
    "merchant": "Alpenkorb",
    "reference": "A-10432",
    "window": "Thu 12 March, 14:00–15:00",
    "point": "Post Vaduz",
    "until": "Tue 17 March, 18:00",
    "reason": "we could not get to the door",
    "code": "123456",
    "link": "https://track.example/t/" + "x" * 32,
    "help_phone": "+4232300000",
    "help_email": "",
}


@pytest.mark.covers("N11")
@pytest.mark.parametrize(
    ("text", "alphabet", "units", "count"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # 153 is odd: the last place of a segment stays empty, a two-place letter is not cut.
        ("€" * 153, "GSM-7", 306, 3),
        ("ё" * 70, "UCS-2", 70, 1),
        ("ё" * 71, "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("–", "UCS-2", 1, 1),
        ("", "GSM-7", 0, 1),
    ],
)
def test_it_counts_as_the_network_does(text: str, alphabet: str, units: int, count: int) -> None:
    found = segments_of(text)
    assert (found.alphabet, found.units, found.count) == (alphabet, units, count)


def test_the_alphabet_is_complete() -> None:
    assert len(GSM_7) == 127  # 128 places, one of them the escape to the extension
    assert len(GSM_7_EXTENSION) == 10


@pytest.mark.covers("N11")
@pytest.mark.parametrize("language", ["en", "de", "fr", "pt"])
@pytest.mark.parametrize("point", ["", "Post Vaduz"])
@pytest.mark.parametrize("trigger", [trigger for trigger in Trigger if "sms" in CATALOGUE[trigger].channels])
def test_every_text_is_one_segment(trigger: str, language: str, point: str) -> None:
    facts = {**FACTS, "point": point or ("Post Vaduz" if trigger == "ready_to_collect" else "")}
    words = render(trigger, "sms", language, facts)
    # French puts a space before its colon.
    assert words.text.startswith(("Alpenkorb: ", "Alpenkorb : "))
    assert words.text.count("https://") == (0 if trigger == "code" else 1)
    assert segments_of(words.text).count == 1, segments_of(words.text)


@pytest.mark.covers("N10")
@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("trigger", Trigger)
def test_every_message_reads_well(trigger: str, language: str) -> None:
    """No brace, no empty place, no English in the German one; an unknown language falls back."""
    for channel in ("sms", "email"):
        words = render(trigger, channel, language, {**FACTS, "language": language})
        for text in (words.subject, words.text, words.html):
            assert "{" not in text.replace("{margin", "")
            assert "%(" not in text
            assert "None" not in text
        assert (" is " in f" {words.text} ") <= (language != "de")
    assert words.subject
    assert FACTS["link"] in words.html


def test_every_sentence_has_a_german_one() -> None:
    """The catalogue's templates against the compiled German words."""
    import re

    from django.utils import translation
    from django.utils.translation.template import templatize

    folder = Path(__file__).parent.parent.parent / "templates" / "notifications"
    missing = []
    with translation.override("de"):
        for file in folder.glob("*"):
            source = templatize(file.read_text(), origin=str(file))
            for quote, sentence in re.findall(r"""gettext\(u?(['"])(.*?)\1\)""", source, re.DOTALL):
                text = sentence.replace("\\'", "'").replace('\\"', '"') if quote else sentence
                if translation.gettext(text) == text:
                    missing.append((file.name, text))
    assert not missing


@pytest.mark.covers("GS17", "GS18")
@given(st.text(max_size=200))
def test_other_peoples_words_stay_on_one_short_line(text: str) -> None:
    line = one_line(text, 40)
    assert len(line) <= 40
    assert not any(ord(letter) < 32 or letter in "\u202e\u2066\u200b\u2028" for letter in line)


@pytest.mark.django_db
@pytest.mark.covers("GS17")
@pytest.mark.parametrize("evil", ["{{ 7|add:7 }}{% now 'Y' %}", "%s %(merchant)s", "{0.__class__}", "<b>&amp;</b>"])
def test_names_are_never_read_as_templates(
    evil: str, wire: Wire, texts: Callable[..., list[str]], drain: Callable[..., int]
) -> None:
    delivery = alice()
    delivery.merchant.name = evil
    delivery.merchant.save()
    announce("delivery.created", delivery)
    drain()
    assert texts()[0].startswith(evil + ": we have")


@pytest.mark.django_db
def test_html_is_escaped_in_mails(drain: Callable[..., int]) -> None:
    from django.core import mail

    delivery = alice(email=None)
    delivery.merchant.name = "<script>alert(1)</script> & Söhne"
    delivery.merchant.save()
    announce("delivery.created", delivery)
    drain()
    html = str(mail.outbox[0].alternatives[0][0])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "& Söhne" in mail.outbox[0].body


def test_the_clock_is_frozen_for_these() -> None:
    assert clock.now().isoformat().startswith("2026-03-10T07:30")
