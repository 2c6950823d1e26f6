"""Missing or damaged map or road data stops the start, with the file and the command that rebuilds it."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.checks import DATA, refuse_bad_start
from apps.routing.planner.travel_folder import Manifest
from tests.core.environment import manage, run_python


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings.TILES_DIR, tmp_path / "tiles"))


def test_the_shipped_map_is_whole() -> None:
    refuse_bad_start()


@pytest.mark.covers("GS2")
@pytest.mark.parametrize("fault", ["missing", "damaged", "no manifest"])
def test_a_bad_tile_is_named_with_its_command(tiles: Path, fault: str, settings) -> None:
    settings.TILES_DIR = tiles
    victim = sorted(tiles.rglob("*.pbf"))[0]
    if fault == "missing":
        victim.unlink()
    elif fault == "damaged":
        victim.write_bytes(victim.read_bytes()[:-1])
    else:
        victim = tiles / "manifest.json"
        victim.unlink()
    with pytest.raises(ImproperlyConfigured) as error:
        refuse_bad_start()
    assert str(victim) in str(error.value)
    assert "build_tiles.py" in str(error.value)


@pytest.mark.covers("GS2")
@pytest.mark.parametrize("fault", ["missing", "damaged", "no manifest"])
def test_a_bad_road_file_is_named_with_its_command(tmp_path: Path, fault: str, settings) -> None:
    settings.ROADS_DIR = tmp_path
    folder = tmp_path / "car"
    folder.mkdir()
    victim = folder / "map.osrm.ebg"
    victim.write_bytes(b"graph")
    if fault != "no manifest":
        Manifest("car", "x", "y", (), {"map.osrm.ebg": "0" * 64}).write(folder)
    else:
        victim = folder / "manifest.json"
    if fault == "missing":
        victim.unlink()
    with pytest.raises(ImproperlyConfigured) as error:
        refuse_bad_start()
    assert str(victim) in str(error.value)
    assert "manage.py prepare_roads" in str(error.value)


@pytest.mark.covers("GS2")
def test_production_without_roads_must_be_wanted(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    done = manage("check", "--tag", DATA, ROADS_DIR=nowhere, STRAIGHT_LINES_ALLOWED=None)
    assert done.returncode != 0
    assert nowhere in done.stderr
    assert "manage.py prepare_roads" in done.stderr


@pytest.mark.covers("GS2")
def test_a_web_server_refuses_too(tmp_path: Path) -> None:
    done = run_python("import config.wsgi", TILES_DIR=str(tmp_path))
    assert done.returncode != 0
    assert f"{tmp_path}/manifest.json is missing" in done.stderr
