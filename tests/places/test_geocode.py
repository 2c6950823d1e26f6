"""People type addresses in many ways; the van goes to the one they meant or asks again."""

import time

import pytest

from apps.places import services
from apps.places.models import Address
from apps.places.normalise import parse, search_key

pytestmark = pytest.mark.django_db

ROWS = [
    ("Landstrasse", "12", "9490", "Vaduz", "LI", 47.1410, 9.5215),
    ("Landstrasse", "12a", "9490", "Vaduz", "LI", 47.1411, 9.5216),
    ("Landstrasse", "40", "9495", "Triesen", "LI", 47.1080, 9.5270),
    ("Landstrasse", "44", "9495", "Triesen", "LI", 47.1081, 9.5271),
    ("Landstrasse", "43", "9495", "Triesen", "LI", 47.1082, 9.5272),
    ("Feldkircher Strasse", "31", "9494", "Schaan", "LI", 47.1680, 9.5110),
    ("Äulestrasse", "38", "9490", "Vaduz", "LI", 47.1380, 9.5220),
    ("Grossgasse", "7", "9492", "Eschen", "LI", 47.2110, 9.5220),
    ("St. Martins-Ring", "2", "9492", "Eschen", "LI", 47.2123, 9.5235),
    ("Im alten Riet", "103", "9494", "Schaan", "LI", 47.1720, 9.5040),
]


@pytest.fixture(autouse=True)
def index() -> None:
    assert services.load_addresses(ROWS) == len(ROWS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Landstrasse 12, 9490 Vaduz", "Landstrasse 12, 9490 Vaduz"),
        ("landstr. 12 9490 vaduz", "Landstrasse 12, 9490 Vaduz"),
        ("LANDSTRAßE 12, Vaduz", "Landstrasse 12, 9490 Vaduz"),
        ("Landstrasse 12 A, FL-9490 Vaduz", "Landstrasse 12a, 9490 Vaduz"),
        ("Landstrasse 12A, LI 9490", "Landstrasse 12a, 9490 Vaduz"),
        ("Feldkircherstrasse 31, Schaan", "Feldkircher Strasse 31, 9494 Schaan"),
        ("Feldkircher Str. 31, 9494 Schaan", "Feldkircher Strasse 31, 9494 Schaan"),
        ("Aeulestrasse 38, 9490 Vaduz", "Äulestrasse 38, 9490 Vaduz"),
        ("Aulestr 38 Vaduz", "Äulestrasse 38, 9490 Vaduz"),
        ("Großgasse 7, Eschen", "Grossgasse 7, 9492 Eschen"),
        ("St.Martins-Ring 2, 9492 Eschen", "St. Martins-Ring 2, 9492 Eschen"),
        ("st martins ring 2 eschen", "St. Martins-Ring 2, 9492 Eschen"),
        ("Im alten Riet 103, 9494 Schaan", "Im alten Riet 103, 9494 Schaan"),
        ("Feldkirchner Strasse 31, 9494 Schaan", "Feldkircher Strasse 31, 9494 Schaan"),
        ("Landstrasse 12, 9491 Vaduz", "Landstrasse 12, 9490 Vaduz"),
        ("Landstrasse 12c, 9490 Vaduz", "Landstrasse 12, 9490 Vaduz"),
        ("Landstrasse 44", "Landstrasse 44, 9495 Triesen"),
    ],
)
@pytest.mark.covers("R11")
def test_it_finds_what_was_meant_and_is_sure(typed: str, meant: str) -> None:
    found = services.geocode(text=typed)
    assert found is not None
    assert str(found) == meant
    assert found.is_sure


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("Landstrasse, 9495 Triesen", "Landstrasse 43, 9495 Triesen"),
        ("Landstrasse 46, 9495 Triesen", "Landstrasse 44, 9495 Triesen"),
        ("Landstrasse", "Landstrasse 40, 9495 Triesen"),
        ("Landstrasse 13", "Landstrasse 43, 9495 Triesen"),
    ],
)
def test_it_asks_again_where_it_is_not_sure(typed: str, nearest: str) -> None:
    found = services.geocode(text=typed)
    assert found is not None
    assert str(found) == nearest
    assert not found.is_sure


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "12",
        "9490",
        "Bahnhofstrasse 1, 8001 Zürich",
        "\0",
        "%",
        "_",
        "|",
        "||||",
        "🙂🙂",
        "'; DROP TABLE",
        "1 2 3",
    ],
)
def test_what_is_not_known_is_not_found(typed: str) -> None:
    assert services.geocode(text=typed) is None


@pytest.mark.parametrize("typed", ["a " * 50_000, "1" * 100_000, "strasse" * 20_000, "\u0301" * 100_000])
def test_long_text_costs_little(typed: str) -> None:
    started = time.perf_counter()
    services.geocode(text=typed)
    services.suggest(typed)
    assert time.perf_counter() - started < 0.5


def test_fields_do_as_well_as_text() -> None:
    found = services.geocode(street="Landstr.", house_number="12 a", postcode="9490", town="VADUZ")
    assert found is not None
    assert (found.house_number, found.confidence) == ("12a", 1.0)


def test_suggestions_begin_like_what_was_typed() -> None:
    assert [str(found) for found in services.suggest("lands")] == [
        "Landstrasse 40, 9495 Triesen",
        "Landstrasse 43, 9495 Triesen",
        "Landstrasse 44, 9495 Triesen",
        "Landstrasse 12, 9490 Vaduz",
        "Landstrasse 12a, 9490 Vaduz",
    ]
    assert next(str(found) for found in services.suggest("Landstrasse 4")).endswith("Triesen")
    assert [str(found) for found in services.suggest("aule")] == ["Äulestrasse 38, 9490 Vaduz"]
    assert services.suggest("l") == []


def test_loading_again_adds_nothing_and_bad_coordinates_are_left_out() -> None:
    assert services.load_addresses([*ROWS, ("Nowhere", "1", "9490", "Vaduz", "LI", float("nan"), 9.5)]) == 0
    assert Address.objects.count() == len(ROWS)


def test_the_parts_of_a_key_cannot_run_into_each_other() -> None:
    assert search_key("A|1", "", "", "") == "a1|||"
    assert parse("Weg 5 9490 Vaduz").postcode == "9490"
