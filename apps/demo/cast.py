"""Who plays in the demo: merchants, people, vans. All invented; deterministic by seed."""

from dataclasses import dataclass
from datetime import time
from random import Random

FIRST_NAMES = (
    "Anna", "Luca", "Mia", "Noah", "Lea", "Jonas", "Elena", "Fabian", "Nina", "Matthias", "Sophie", "Raphael", "Carla",
    "Beat", "Ursula", "Hansjörg", "Marlies", "Zoë", "Björn", "Chloé", "José", "Łukasz", "Beatriz", "Nuno", "Işıl",
    "Dragana",
)  # fmt: skip
LAST_NAMES = (
    "Frick", "Hasler", "Büchel", "Marxer", "Oehri", "Ritter", "Schädler", "Vogt", "Wohlwend", "Nägele", "Kindle",
    "Beck", "Sprenger", "Hoop", "Gstöhl", "Meier", "Biedermann", "Eberle", "Öztürk", "Kovačević", "Nowak",
    "Ferreira", "García",
)  # fmt: skip
# Whole names in other scripts: a page, a text and a label must carry them all.
OTHER_SCRIPTS = (
    "佐藤 美咲", "王小明", "김민준", "Ελένη Παπαδοπούλου", "Олена Шевченко", "Иван Петров", "يوسف الحداد", "נועה לוי",
    "अनन्या शर्मा", "ธนพล ศรีสุข", "Nguyễn Thị Hương", "თამარ ბერიძე",
)  # fmt: skip
GOODS = {
    "alpenkorb": ("Vegetable box", "Cheese and bread", "Weekly groceries", "Wine, 6 bottles", "Olive oil, 5 l"),
    "lumen": ("Desk lamp", "Linen bedding", "Wool blanket", "Glass carafe set", "Floor lamp"),
    "werkbank": ("Cordless drill", "Tool case", "Garden hose 25 m", "Paint, 10 l", "Workbench, flat pack"),
}


@dataclass(frozen=True, slots=True)
class DemoMerchant:
    slug: str
    name: str
    accent: str
    logo_svg: str
    policy: dict[str, object]


def _logo(mark: str, word: str, colour: str, family: str, weight: int, width: int = 180) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 40" width="{width}" height="40" role="img">'
        f"<title>{word}</title>{mark}"
        f'<text x="48" y="27" font-family="{family}" font-size="21" font-weight="{weight}" fill="{colour}">'
        f"{word}</text></svg>"
    )


MERCHANTS = (
    DemoMerchant(
        "alpenkorb",
        "Alpenkorb",
        "#2f7d4f",
        _logo(
            '<path d="M4 34 16 12l7 10 5-7 12 19z" fill="#2f7d4f"/><path d="m16 12 4 6-4 3-4-2z" fill="#bfe3cc"/>',
            "Alpenkorb",
            "#2f7d4f",
            "Georgia, serif",
            600,
        ),
        {"window_minutes": 120, "show_position": "stops 12 or minutes 30"},
    ),
    DemoMerchant(
        "lumen",
        "Lumen & Faden",
        "#6b4bb8",
        _logo(
            '<circle cx="22" cy="20" r="9" fill="none" stroke="#6b4bb8" stroke-width="4"/>'
            '<path d="M22 2v6M22 32v6M4 20h6M34 20h6" stroke="#6b4bb8" stroke-width="3" stroke-linecap="round"/>',
            "Lumen &amp; Faden",
            "#6b4bb8",
            "Avenir, Futura, sans-serif",
            400,
            width=220,
        ),
        {"window_minutes": 120, "pickup_days": 10},
    ),
    DemoMerchant(
        "werkbank",
        "WERKBANK",
        "#c2410c",
        _logo(
            '<rect x="4" y="10" width="36" height="8" fill="#c2410c"/>'
            '<path d="M9 18v16M35 18v16M9 27h26" stroke="#c2410c" stroke-width="4"/>',
            "WERKBANK",
            "#c2410c",
            "Impact, Arial Narrow, sans-serif",
            400,
        ),
        {"window_minutes": 60, "allow_safe_place": False, "change_limit": 3},
    ),
)


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A merchant's own shop, where vans collect orders (ship from store). The house is real, the shop is not."""

    name: str
    street: str
    number: str
    postcode: str
    town: str
    latitude: float
    longitude: float
    opening_hours: str


SHOPS = {
    "lumen": DemoShop(
        "Lumen Schaan", "Landstrasse", "99", "9494", "Schaan", 47.160849, 9.509068, "Mo-Fr 09:00-18:30; Sa 09:00-16:00"
    ),
}


@dataclass(frozen=True, slots=True)
class DemoVehicle:
    """Money is in rappen: per start, hour, kilometre, stop, hour of overtime."""

    code: str
    kind: str
    profile: str
    grams: int
    cubic_centimetres: int
    pieces: int
    range_metres: int | None
    shift: tuple[float, float]  # local hours
    cost: tuple[int, int, int, int, int]
    grams_co2e: int
    factor_source: str
    postcodes: str = ""
    barred_postcodes: str = ""
    skills: tuple[str, ...] = ()
    max_stops: int | None = None
    reload_seconds: int = 0
    recharge_seconds: int = 0
    at_micro_depot: bool = False


VADUZ, VADUZ_AND_SCHAAN, SCHAAN, LOW_EMISSION_ZONE = "9490", "9490, 9494", "9494", "9490"
MICRO_DEPOT_CLOSES = time(11, 30)
"""Orders for the same day go out from Schaan from then on."""
LUNCH = {"earliest": 41_400, "latest": 48_600, "seconds": 1_800}
"""Half an hour that begins between half past eleven and half past one."""
OVERTIME_SECONDS = 1_800
DAY, LATE_DAY, BIKE_DAY = (8.5, 18.5), (10.5, 20.0), (8.5, 17.0)
DIESEL_COST, ELECTRIC_COST = (2_500, 5_400, 62, 0, 7_000), (2_500, 5_400, 38, 0, 7_000)
# Who rides or walks is paid for the shift, used or not: only what the day adds counts, a bonus for each parcel.
BIKE_COST, FOOT_COST = (0, 900, 6, 60, 4_500), (0, 300, 0, 90, 0)
RELOAD_SECONDS = 900
_DEFRA = "DEFRA 2026 average van up to 3.5 t"
DIESEL_CO2E = (319, f"{_DEFRA}, diesel, well to wheel (use phase 257 g and 24 % for the fuel's way)")
ELECTRIC_CO2E = (51, f"{_DEFRA}, battery, generation 47 g and 8 % for the grid's losses")
BIKE_CO2E = (5, "University of Westminster 2021, electricity of an e-cargo bike")
VEHICLES = (
    DemoVehicle(
        "FL 1101",
        "diesel_van",
        "car",
        900_000,
        9_000_000,
        62,
        None,
        DAY,
        DIESEL_COST,
        *DIESEL_CO2E,
        barred_postcodes=LOW_EMISSION_ZONE,
    ),
    DemoVehicle(
        "FL 1102",
        "diesel_van",
        "car",
        900_000,
        9_000_000,
        62,
        None,
        DAY,
        DIESEL_COST,
        *DIESEL_CO2E,
        skills=("two_person",),
    ),
    DemoVehicle(
        "FL 1103",
        "diesel_van",
        "car",
        900_000,
        9_000_000,
        62,
        None,
        DAY,
        DIESEL_COST,
        *DIESEL_CO2E,
        skills=("two_person", "age_check"),
    ),
    *(
        DemoVehicle(
            f"FL {n}",
            "electric_van",
            "car",
            750_000,
            7_500_000,
            62,
            reach,
            shift,
            ELECTRIC_COST,
            *ELECTRIC_CO2E,
            skills=("cold", "age_check", "two_person"),
        )
        for n, reach, shift in (
            (2201, 180_000, DAY),
            (2202, 120_000, DAY),
            (2203, 180_000, LATE_DAY),
            (2204, 180_000, LATE_DAY),
        )
    ),
    *(
        DemoVehicle(
            f"Velo {n}",
            "cargo_bike",
            "bicycle",
            70_000,
            500_000,
            14,
            None,
            BIKE_DAY,
            BIKE_COST,
            *BIKE_CO2E,
            zone,
            reload_seconds=RELOAD_SECONDS,
            at_micro_depot=at_micro_depot,
        )
        for n, zone, at_micro_depot in ((1, VADUZ, True), (2, VADUZ_AND_SCHAAN, False))
    ),
    DemoVehicle(
        "Fuss 1",
        "foot",
        "foot",
        25_000,
        160_000,
        14,
        None,
        (9.0, 14.0),
        FOOT_COST,
        0,
        "No fuel",
        SCHAAN,
        max_stops=10,
    ),
    DemoVehicle(
        "Talbote",
        "carrier",
        "car",
        300_000,
        3_000_000,
        25,
        None,
        (9.0, 18.0),
        (0, 0, 0, 1_450, 0),
        DIESEL_CO2E[0],
        f"{DIESEL_CO2E[1]}; on the direct way there",
        max_stops=12,
    ),
)
DRIVERS = ("Reto", "Milena", "Tiago", "Sandra", "Arben", "Petra", "Samuel", "Yara", "Gian", "Leonie", "Talbote Kurier")
BREAKDOWN_AT = 11 + 20 / 60
"""By the day's own clock, later than what a visitor opens first."""


def person(random: Random) -> str:
    """A full name; about one in eight is not in Latin script."""
    if random.random() < 0.12:
        return random.choice(OTHER_SCRIPTS)
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def phone(number: int) -> str:
    """A Liechtenstein mobile number nobody has been given (E.164): the range 791 00 00 upwards."""
    return f"+42379{10000 + number:05d}"
