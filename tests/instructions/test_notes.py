"""Door codes typed into a note are found in English and German, and nothing else is taken for one."""

import time

import pytest

from apps.core.door_codes import clean_note, split_codes


@pytest.mark.covers("I2", "P10")
@pytest.mark.parametrize(
    ("note", "shown", "code"),
    [
        ("Code 1234#", "Code •••", "1234#"),
        ("door code: 4711", "door code: •••", "4711"),
        ("Türcode 12*34", "Türcode •••", "12*34"),
        ("Tuercode 4711, bitte klingeln", "Tuercode •••, bitte klingeln", "4711"),
        ("The code for the front door is 4711.", "The code for the front door is •••.", "4711"),
        ("Haustür-Code: 4711", "Haustür-Code: •••", "4711"),
        ("Zugangscode lautet 12 34", "Zugangscode lautet •••", "12 34"),
        ("PIN 9876", "PIN •••", "9876"),
        ("use 1234# at the gate", "use ••• at the gate", "1234#"),
        ("4711 is the door code", "••• is the door code", "4711"),
        ("4711 für das Tor", "••• für das Tor", "4711"),
        ("Gate 1234#, door 5678#", "Gate •••, door •••", "1234#, 5678#"),
        ("Codes 1111 and 2222", "Codes ••• and •••", "1111, 2222"),
        ("Schlüsselsafe 0815 links", "Schlüsselsafe ••• links", "0815"),
        ("lockbox 1234 behind the bin", "lockbox ••• behind the bin", "1234"),
        ("key box: A12B", "key box: •••", "A12B"),
        ("code is 12-34-56", "code is •••", "12-34-56"),
        ("password swordfish, 2nd floor", "password •••, 2nd floor", "swordfish"),
        ("Kennwort: Sesam", "Kennwort: •••", "Sesam"),
        ("just type *4711*", "just type •••", "*4711*"),
        ("Gate 4711", "Gate •••", "4711"),
        ("code １２３４", "code •••", "1234"),
    ],
)
def test_a_code_is_hidden(note: str, shown: str, code: str) -> None:
    assert split_codes(clean_note(note)) == (shown, code)


@pytest.mark.parametrize(
    "note",
    [
        "", "Ring 3 times", "3rd floor", "Landstrasse 12, 9490 Vaduz", "call +423 791 00 01",
        "Please call 0791234567, code not needed", "barcode 12345678", "postcode 9490", "zip code 9490",
        "QR code 123456", "apt #1234", "after 18:00", "Not before 14:30", "House 4711", "promo code 12345",
        "code under the mat", "no code, ring 1234567", "Bitte bei Muster klingeln, 2. Stock", "Wohnung 304",
        "pin it to the door, 12 cm high", "I have 2 dogs, 3 cats", "leave it with no. 12",
    ],
)  # fmt: skip
def test_what_is_no_code_stays(note: str) -> None:
    assert split_codes(note) == (note, "")


@pytest.mark.parametrize("text", ["code " * 60, "1 " * 150, "1-" * 150, "*" * 300, "code" + " a" * 130, "#1" * 150])
def test_no_note_is_slow(text: str) -> None:
    started = time.perf_counter()
    split_codes(text[:300])
    assert time.perf_counter() - started < 0.05


def test_a_note_is_one_plain_line() -> None:
    assert clean_note("  Ring\x00 the\r\n\r\nbell \u202egnol\u202c ") == "Ring the bell gnol"
    assert clean_note("👩‍👧 läuten, 门铃, جرس") == "👩‍👧 läuten, 门铃, جرس"
