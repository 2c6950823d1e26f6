"""The map tiles are start-up data like the roads: missing or damaged, they are named with the command that helps."""

import gzip
import shutil
from pathlib import Path

import pytest

from apps.core.tiles import HEADERS, TilesError, bounds, check_tiles, read_tile
from tests.planner.travel_world import ROOT, VADUZ

SHIPPED = ROOT / "apps/demo/data/tiles"


def test_the_shipped_tiles_are_whole_and_cover_the_country() -> None:
    assert check_tiles(SHIPPED) == 171
    west, south, east, north = bounds(SHIPPED)
    assert west < VADUZ.lon < east
    assert south < VADUZ.lat < north


def test_a_tile_is_sent_as_it_lies_there() -> None:
    tile = read_tile(SHIPPED, 13, 4312, 2877)
    assert tile is not None
    assert b"transportation" in gzip.decompress(tile)
    assert HEADERS["Content-Encoding"] == "gzip"
    assert read_tile(SHIPPED, 13, 0, 0) is None


@pytest.mark.parametrize("name", ["13/4312/2877.pbf", "manifest.json"])
@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda file: file.write_bytes(b"\x1f\x8b nonsense")], ids=["gone", "damaged"]
)
def test_missing_or_damaged_tiles_are_named(tmp_path: Path, name: str, harm: object) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "tiles"))
    harm(folder / name)  # type: ignore[operator]
    with pytest.raises(TilesError, match=r"build_tiles\.py") as error:
        check_tiles(folder)
    assert error.value.file == folder / name
