"""The demo's country is real: its doors, shops and hours come from the extract, and can be delivered to."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from opening_hours import OpeningHours

from apps.core.tiles import bounds
from apps.demo import extract
from apps.demo.extract import DEPOT, ExtractError, load_addresses, load_points, load_towns


def test_addresses_are_complete_distinct_and_on_the_map() -> None:
    addresses = load_addresses()
    west, south, east, north = bounds(extract.DATA / "tiles")
    assert len(addresses) > 12_000
    assert len({(a.postcode, a.street, a.number) for a in addresses}) == len(addresses)
    for address in addresses:
        assert address.street
        assert address.number
        assert address.postcode.startswith("94")
        assert west < address.lon < east
        assert south < address.lat < north
    assert any(address.entrance for address in addresses)


def test_pick_up_points_are_real_shops_with_hours_that_can_be_read() -> None:
    points = load_points()
    assert sum(point.kind == "post_office" for point in points) == 7
    assert len({point.id for point in points}) == len(points) > 25
    zone = ZoneInfo(extract.TIME_ZONE)
    tuesday_morning = datetime(2026, 11, 24, 10, 30, tzinfo=zone)
    opened = [point for point in points if OpeningHours(point.opening_hours, country="LI").is_open(tuesday_morning)]
    assert len(opened) > len(points) * 0.8
    assert all(point.street and point.number and point.city for point in points)


def test_towns_cover_every_address() -> None:
    towns = load_towns()
    assert {town.name for town in towns} == {address.city for address in load_addresses()}
    assert sum(town.addresses for town in towns) == len(load_addresses())


def test_the_depot_stands_at_a_door_of_its_own() -> None:
    doors = {(a.street, a.number, a.city): (a.lat, a.lon) for a in load_addresses()}
    assert doors[DEPOT.street, DEPOT.number, DEPOT.city] == (DEPOT.lat, DEPOT.lon)


def test_reading_needs_no_osmium_and_no_django() -> None:
    """The demo starts from a plain install, and fast."""
    code = (
        "import sys; from apps.demo.extract import load_addresses; load_addresses();"
        "assert not {'osmium', 'django', 'osrm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=extract.DATA.parents[2])


@pytest.mark.parametrize("name", ["ADDRESSES", "POINTS"])
@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"{nonsense")], ids=["gone", "damaged"])
def test_a_missing_or_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, harm: Callable[[Path], object]
) -> None:
    file = tmp_path / getattr(extract, name).name
    file.write_bytes(getattr(extract, name).read_bytes())
    harm(file)
    monkeypatch.setattr(extract, name, file)
    read = extract.load_addresses if name == "ADDRESSES" else extract.load_points
    with pytest.raises(ExtractError, match="extract_build") as error:
        read.__wrapped__()
    assert error.value.file == file
