"""Real addresses, pick-up points and towns of the demo's country, read from small files made out of the extract.

`python -m apps.demo.extract_build` makes the files (needs osmium); reading them needs the standard library only.
Data © OpenStreetMap contributors, ODbL 1.0.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data"
ADDRESSES: Final = DATA / "addresses.csv.gz"
POINTS: Final = DATA / "points.json"
TOWNS: Final = DATA / "towns.json"
REBUILD: Final = "python -m apps.demo.extract_build"
COUNTRY: Final = "LI"
TIME_ZONE: Final = "Europe/Vaduz"


class ExtractError(Exception):
    """A data file of the demo is missing or damaged; names it and the command that rebuilds it."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(f"{file} {detail}. Rebuild it with: {REBUILD}")
        self.file = file
        self.command = REBUILD


@dataclass(frozen=True, slots=True)
class Address:
    """A door: a van can drive there from the depot and back. Degrees are WGS 84."""

    street: str
    number: str
    postcode: str
    city: str
    lat: float
    lon: float
    kind: str
    """What the building is: house, apartments, business or other (the map says "building" only)."""
    entrance: tuple[float, float] | None = None
    """(latitude, longitude) of the door, where the map knows it."""


@dataclass(frozen=True, slots=True)
class PickUpPoint:
    """A real shop or post office with its real opening hours (OpenStreetMap's opening_hours syntax)."""

    id: str
    kind: str
    """post_office, or the kind of shop."""
    name: str
    opening_hours: str
    street: str
    number: str
    postcode: str
    city: str
    lat: float
    lon: float
    phone: str = ""
    wheelchair: str = ""


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    postcode: str
    lat: float
    lon: float
    addresses: int


@dataclass(frozen=True, slots=True)
class DepotSite:
    name: str
    street: str
    number: str
    postcode: str
    city: str
    lat: float
    lon: float


DEPOT: Final = DepotSite("Depot Schaan", "Im alten Riet", "125", "9494", "Schaan", 47.176986, 9.513574)
"""A commercial building in the industrial area north of Schaan, by the road to Nendeln and Vaduz."""
MICRO_DEPOT: Final = DepotSite("Mikrodepot Vaduz", "Aeulestrasse", "22", "9490", "Vaduz", 47.139939, 9.521309)
"""In the middle of Vaduz, where bicycles start."""


@cache
def load_addresses() -> tuple[Address, ...]:
    """All addresses, in a fixed order (city, street, number)."""
    try:
        with gzip.open(ADDRESSES, "rt", encoding="utf-8", newline="") as stream:
            return tuple(_address(row) for row in csv.DictReader(stream))
    except FileNotFoundError:
        raise ExtractError(ADDRESSES, "is missing") from None
    except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        raise ExtractError(ADDRESSES, f"cannot be read ({error})") from error


@cache
def load_points() -> tuple[PickUpPoint, ...]:
    """All pick-up points, post offices first."""
    return _read(POINTS, PickUpPoint)


@cache
def load_towns() -> tuple[Town, ...]:
    """All towns, the one with most addresses first."""
    return _read(TOWNS, Town)


def _address(row: dict[str, str]) -> Address:
    entrance = (float(row["door_lat"]), float(row["door_lon"])) if row["door_lat"] else None
    place = float(row["lat"]), float(row["lon"])
    return Address(row["street"], row["number"], row["postcode"], row["city"], *place, row["kind"], entrance)


def _read[Row](file: Path, row: Callable[..., Row]) -> tuple[Row, ...]:
    try:
        return tuple(row(**cells) for cells in json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ExtractError(file, "is missing") from None
    except (OSError, ValueError, TypeError) as error:
        raise ExtractError(file, f"cannot be read ({error})") from error
