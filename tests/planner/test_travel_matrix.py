from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apps.routing.planner.travel import UNREACHABLE, Network, OffTheMap, Point, RoadDataError, StraightLine
from apps.routing.planner.travel_matrix import MatrixFile, Overlay, UnknownPoint
from tests.planner.travel_world import BALZERS, EAST, ISLAND, MIDDLE, SCHAAN, VADUZ, WEST, country, island, network

pytestmark = pytest.mark.planner


def _roads() -> Network:
    return network(island())


def _nobody() -> Network:
    raise AssertionError("the road network was asked although the matrix knows every place")


def test_a_written_matrix_is_read_back_as_the_road_network_said(tmp_path: Path) -> None:
    written = MatrixFile.write(tmp_path, [WEST, EAST, ISLAND, WEST], _roads())
    opened = MatrixFile.open(tmp_path, "car")
    assert opened.points == (WEST, EAST, ISLAND)
    assert np.array_equal(opened.travel.seconds, _roads().table([WEST, EAST, ISLAND]).seconds)
    assert opened.travel.seconds[0, 2] == UNREACHABLE
    assert opened.travel.exact
    assert opened is written
    assert not opened.travel.seconds.flags.writeable


def test_a_place_is_found_by_its_coordinates(tmp_path: Path) -> None:
    matrix = MatrixFile.write(tmp_path, [WEST, EAST], _roads())
    assert matrix.index_of(Point(EAST.lat + 1e-6, EAST.lon)) == 1
    with pytest.raises(UnknownPoint, match=r"car\.matrix"):
        matrix.index_of(MIDDLE)


def test_extending_keeps_positions_and_equals_writing_anew(tmp_path: Path) -> None:
    before = MatrixFile.write(tmp_path / "a", [WEST, EAST], _roads())
    after = before.extend([EAST, MIDDLE, ISLAND], _roads())
    anew = MatrixFile.write(tmp_path / "b", [WEST, EAST, MIDDLE, ISLAND], _roads())
    assert after.points == anew.points
    assert np.array_equal(after.travel.seconds, anew.travel.seconds)
    assert np.array_equal(after.travel.metres, anew.travel.metres)
    assert MatrixFile.open(tmp_path / "a", "car").points == after.points
    assert after.extend([WEST], _roads()) is after


def test_who_has_the_old_file_open_keeps_its_answers(tmp_path: Path) -> None:
    before = MatrixFile.write(tmp_path, [WEST, EAST], _roads())
    seen = before.travel.seconds.tolist()
    before.extend([MIDDLE], _roads())
    assert before.travel.seconds.tolist() == seen


def test_other_road_data_computes_everything_anew(tmp_path: Path) -> None:
    guessed = MatrixFile.write(tmp_path, [WEST, EAST], StraightLine("car"))
    assert not guessed.travel.exact
    exact = guessed.extend([MIDDLE], _roads())
    assert exact.travel.exact
    assert np.array_equal(exact.travel.seconds, _roads().table([WEST, EAST, MIDDLE]).seconds)


def test_a_point_off_the_map_is_named_and_the_file_stays(tmp_path: Path) -> None:
    matrix = MatrixFile.write(tmp_path, [WEST, EAST], _roads())
    with pytest.raises(OffTheMap) as refused:
        matrix.extend([Point(48.8566, 2.3522)], _roads())
    assert refused.value.point.lat == 48.8566
    assert MatrixFile.open(tmp_path, "car").points == (WEST, EAST)
    assert [file.name for file in tmp_path.iterdir()] == ["car.matrix"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-5] + b"\xff" + data[-4:],
        lambda data: b"",
        lambda data: b"not a matrix at all",
        lambda data: data[:20] + b"}}}" + data[23:],
        lambda data: data[:18],
    ],
    ids=["cut short", "one byte changed", "empty", "other file", "header damaged", "header cut"],
)
def test_a_damaged_file_names_itself_and_the_command(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    file = MatrixFile.write(tmp_path, [WEST, EAST], _roads()).file
    data = harm(file.read_bytes())
    file.unlink()
    file.write_bytes(data)
    with pytest.raises(RoadDataError, match=r"car\.matrix.*Rebuild it with"):
        MatrixFile.open(tmp_path, "car")


def test_a_missing_file_is_a_road_data_error(tmp_path: Path) -> None:
    with pytest.raises(RoadDataError, match="is missing"):
        MatrixFile.open(tmp_path, "car")


def test_an_empty_day_has_an_empty_matrix_that_can_grow(tmp_path: Path) -> None:
    empty = MatrixFile.write(tmp_path, [], _roads())
    assert empty.travel.size == 0
    assert empty.extend([WEST, EAST], _roads()).travel.size == 2


def test_known_places_never_ask_the_road_network(tmp_path: Path) -> None:
    overlay = Overlay(MatrixFile.write(tmp_path, [WEST, MIDDLE, EAST], _roads()), _nobody)
    travel = overlay.travel([EAST, WEST])
    assert np.array_equal(travel.seconds, _roads().table([EAST, WEST]).seconds)
    to, back = overlay.rows(WEST, [EAST, MIDDLE])
    assert to.seconds.tolist() == _roads().table([EAST, MIDDLE], [WEST]).seconds.tolist()
    assert back.metres.tolist() == _roads().table([WEST], [EAST, MIDDLE]).metres.tolist()


def test_a_new_place_s_times_are_exact_in_whatever_order_it_stands(tmp_path: Path) -> None:
    roads = network(country())
    overlay = Overlay(MatrixFile.write(tmp_path, [VADUZ, SCHAAN], roads), lambda: roads)
    places = [BALZERS, SCHAAN, Point(47.2125, 9.5273), VADUZ]
    assert overlay.missing(places) == [places[0], places[2]]
    travel = overlay.travel(places)
    assert np.array_equal(travel.seconds, roads.table(places).seconds)
    assert np.array_equal(travel.metres, roads.table(places).metres)
    to, back = overlay.rows(BALZERS, [VADUZ])
    assert to.seconds[0, 0] == travel.seconds[3, 0]
    assert back.seconds[0, 0] == travel.seconds[0, 3]
