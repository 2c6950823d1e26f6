import os
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.routing.planner.travel import UNREACHABLE, OffTheMap, Point, RoadDataError, StraightLine
from apps.routing.planner.travel_folder import Manifest, check_roads, sha256
from apps.routing.planner.travel_osrm import NoRoad, RoadNetwork, Roads
from apps.routing.planner.travel_prepare import prepare
from tests.planner.travel_world import (
    BALZERS,
    EAST,
    ISLAND,
    MIDDLE,
    SCHAAN,
    VADUZ,
    WEST,
    country,
    island,
    island_map,
    network,
)

pytestmark = pytest.mark.planner
PARIS = Point(48.8566, 2.3522)
SWAPPED = Point(VADUZ.lon, VADUZ.lat)


def _copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder.resolve(), to / "car"))


def test_the_table_says_what_each_route_says() -> None:
    roads = network(country())
    places = [VADUZ, SCHAAN, BALZERS]
    table = roads.table(places)
    for i, start in enumerate(places):
        for j, end in enumerate(places):
            leg = roads.leg(start, end)
            assert (leg.seconds, leg.metres) == (table.seconds[i, j], table.metres[i, j])
    assert 240 < table.seconds[0, 1] < 600  # Vaduz to Schaan is some minutes by van


def test_rows_to_and_from_a_place_are_the_table_s_column_and_row() -> None:
    roads = network(country())
    known = [SCHAAN, BALZERS]
    whole = roads.table([VADUZ, *known])
    assert roads.rows_to(VADUZ, known).seconds[:, 0].tolist() == whole.seconds[1:, 0].tolist()
    assert roads.rows_from(VADUZ, known).seconds[0].tolist() == whole.seconds[0, 1:].tolist()


def test_many_sources_are_asked_in_parts_with_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    roads = network(country())
    places = [VADUZ, SCHAAN, BALZERS, Point(47.2125, 9.5273), Point(47.1177, 9.5214), VADUZ]
    at_once = roads.table(places)
    monkeypatch.setattr("apps.routing.planner.travel_osrm.CELLS_PER_CALL", 8)
    in_parts = roads.table(places)
    assert np.array_equal(at_once.seconds, in_parts.seconds)
    assert np.array_equal(at_once.metres, in_parts.metres)


@pytest.mark.parametrize("foreign", [PARIS, SWAPPED], ids=["paris", "latitude and longitude swapped"])
def test_a_place_outside_the_map_is_named(foreign: Point) -> None:
    roads = network(country())
    for ask in (
        lambda: roads.table([VADUZ, foreign]),
        lambda: roads.rows_to(foreign, [SCHAAN]),
        lambda: roads.leg(VADUZ, foreign),
    ):
        with pytest.raises(OffTheMap) as refused:
            ask()
        assert refused.value.point == foreign
        assert refused.value.index == 1
        assert refused.value.metres is not None
        assert refused.value.metres > 100_000
    with pytest.raises(OffTheMap):
        roads.table([foreign])


def test_all_places_off_the_map_are_listed_at_once() -> None:
    found = network(country()).off_the_map([PARIS, VADUZ, SWAPPED])
    assert [error.index for error in found] == [0, 2]


def test_a_snap_of_more_than_300_m_is_refused_and_a_shorter_one_is_not() -> None:
    roads = network(island())
    near = Point(47.0 + 290 / 111_195, 9.01)
    assert roads.nearest(near).metres == pytest.approx(290, abs=3)
    assert roads.nearest(near).street == "Long Street"
    with pytest.raises(OffTheMap, match="m away"):
        roads.nearest(Point(47.0 + 320 / 111_195, 9.01))


def test_no_road_is_unreachable_and_never_a_negative_number() -> None:
    roads = network(island())
    table = roads.table([WEST, EAST, ISLAND])
    assert table.seconds[:, 2].tolist() == [UNREACHABLE, UNREACHABLE, 0]
    assert table.metres[2].tolist() == [UNREACHABLE, UNREACHABLE, 0]
    with pytest.raises(NoRoad):
        roads.leg(WEST, ISLAND)


def test_a_leg_can_be_driven_second_by_second() -> None:
    first, second = network(island()).route([WEST, MIDDLE, EAST])
    assert sum(first.segment_seconds) == pytest.approx(first.seconds)
    assert len(first.segment_seconds) == len(first.geometry) - 1
    assert first.at(-5) == first.geometry[0] == pytest.approx((WEST.lat, WEST.lon), abs=1e-4)
    assert first.at(first.seconds / 2) == pytest.approx((47.0, 9.01), abs=1e-4)
    assert first.at(10_000) == first.geometry[-1] == second.geometry[0]
    assert network(island()).leg(WEST, WEST).at(5) == pytest.approx((WEST.lat, WEST.lon), abs=1e-4)


def test_missing_files_name_themselves_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(RoadDataError, match=r"manage\.py prepare_roads") as missing:
        RoadNetwork(tmp_path / "car")
    assert missing.value.file.name == "manifest.json"
    folder = _copy(island(), tmp_path)
    (folder / "map.osrm.hsgr").unlink()
    with pytest.raises(RoadDataError) as gone:
        RoadNetwork(folder)
    assert gone.value.file == folder / "map.osrm.hsgr"


def test_a_damaged_file_is_found_before_it_is_loaded(tmp_path: Path) -> None:
    folder = _copy(island(), tmp_path)
    RoadNetwork(folder)  # its good verdict is remembered, and must not be believed after a change
    _damage(folder / "map.osrm.geometry")
    with pytest.raises(RoadDataError) as damaged:
        RoadNetwork(folder)
    assert damaged.value.file.name == "map.osrm.geometry"


def test_files_that_would_kill_the_process_kill_only_the_trial(tmp_path: Path) -> None:
    folder = _copy(country(), tmp_path)
    broken = folder / "map.osrm.hsgr"
    _damage(broken)
    manifest = Manifest.read(folder)
    manifest.files[broken.name] = sha256(broken)  # as if it had been built like this
    manifest.write(folder)
    with pytest.raises(RoadDataError, match="cannot be loaded"):
        RoadNetwork(folder)


def test_a_text_that_is_no_manifest_is_an_error_with_a_name(tmp_path: Path) -> None:
    folder = _copy(island(), tmp_path)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(RoadDataError, match=r"manifest\.json"):
        RoadNetwork(folder)


def test_prepare_does_nothing_twice_and_repairs_what_is_damaged(tmp_path: Path) -> None:
    extract = island_map(tmp_path / "island.osm")
    first, again = (prepare(extract, tmp_path / "roads", ["car"])[0] for _ in range(2))
    assert (first.built, again.built) == (True, False)
    _damage(first.folder / "map.osrm.hsgr")
    repaired = prepare(extract, tmp_path / "roads", ["car"])[0]
    assert repaired.built
    assert Roads(tmp_path / "roads").road("car").table([WEST, EAST]).seconds[0, 1] > 0
    assert not prepare(extract, tmp_path / "roads", ["car"])[0].built


def test_the_command_builds_then_finds_nothing_to_do_and_names_what_is_missing(tmp_path: Path) -> None:
    extract, out = island_map(tmp_path / "island.osm"), tmp_path / "roads"
    with pytest.raises(RoadDataError, match=r"manage\.py prepare_roads"):
        check_roads(out, ["car"])
    said = StringIO()
    for _ in range(2):
        call_command("prepare_roads", osm=extract, out=out, profile=["car"], stdout=said)
    assert [line.split(" (")[0] for line in said.getvalue().splitlines()] == ["car: built", "car: up to date"]
    check_roads(out, ["car"])
    with pytest.raises(CommandError, match="nowhere"):
        call_command("prepare_roads", osm=tmp_path / "nowhere.osm.pbf", out=out)


def test_a_new_extract_is_taken_up_by_a_running_process(tmp_path: Path) -> None:
    extract = island_map(tmp_path / "island.osm")
    prepare(extract, tmp_path / "roads", ["car"])
    roads = Roads(tmp_path / "roads")
    before = roads.road("car")
    assert roads.road("car") is before
    extract.write_text(extract.read_text().replace("residential", "primary"))
    prepare(extract, tmp_path / "roads", ["car"])
    after = roads.road("car")
    assert after.identity != before.identity
    assert after.table([WEST, EAST]).seconds[0, 1] < before.table([WEST, EAST]).seconds[0, 1]
    assert isinstance(roads.network("air"), StraightLine)


def test_an_extract_that_is_none_is_named(tmp_path: Path) -> None:
    extract = tmp_path / "notes.osm.pbf"
    with pytest.raises(RoadDataError, match=r"notes\.osm\.pbf is missing"):
        prepare(extract, tmp_path / "roads", ["car"])
    extract.write_bytes(os.urandom(1000))
    with pytest.raises(RoadDataError, match="prepare_roads --osm"):
        prepare(extract, tmp_path / "roads", ["car"])
    assert not list((tmp_path / "roads").glob("car*"))


def _damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = b"\xff" * min(4096, len(data) - middle)
    file.write_bytes(data)
