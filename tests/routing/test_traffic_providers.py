"""Who knows how slow the roads are: abilities that are declared, and measured speeds that reach the plan."""

from pathlib import Path

import pytest

from apps.routing import roads, traffic_providers
from apps.routing.planner.learning import Times
from apps.routing.planner.travel_osrm import Roads
from apps.routing.planner.travel_prepare import prepare
from apps.routing.traffic_providers import Ability, provider
from tests.planner.travel_world import EAST, MIDDLE, WEST, island_map

pytestmark = [pytest.mark.planner, pytest.mark.covers("O12")]


def test_an_install_that_measures_nothing_says_so(settings, tmp_path):
    settings.SEGMENT_SPEEDS_DIR = tmp_path / "none"
    found = provider(Times())
    assert found.abilities == {Ability.FREE_FLOW}
    assert found.tables({}, []) == {}


def test_measured_speeds_of_an_hour_make_a_network_of_their_own_and_slow_the_plan(settings, tmp_path):
    """Half the profile's speed from five to six; at eleven nothing was measured."""
    settings.ROADS_DIR, settings.SEGMENT_SPEEDS_DIR = tmp_path / "roads", tmp_path / "speeds"
    speeds = Path(settings.SEGMENT_SPEEDS_DIR)
    speeds.mkdir()
    rows = [f"{a},{b},10" for a, b in ((1, 2), (2, 3), (3, 4), (4, 5))]
    (speeds / "17.csv").write_text("\n".join(rows + [",".join((*row.split(",")[1::-1], "10")) for row in rows]) + "\n")
    (speeds / "notes.txt").write_text("not a speed file")
    files = traffic_providers.segment_speed_files(speeds)
    assert list(files) == [17]
    built = prepare(island_map(tmp_path / "island.osm"), tmp_path / "roads", ["car"], speeds=files)
    assert [one.profile for one in built] == ["car", "car@17"]
    again = prepare(tmp_path / "island.osm", tmp_path / "roads", ["car"], speeds=files)
    assert not any(one.built for one in again)
    roads.forget()
    free = Roads(tmp_path / "roads").road("car").travel([WEST, MIDDLE, EAST])
    found = provider(Times())
    assert Ability.SEGMENT_SPEEDS in found.abilities
    table = found.tables({"car": free}, [WEST, MIDDLE, EAST])["car"]
    base = int(free.seconds[0, 2])
    eleven, five = (table.arrive(0, hour * 3600, base) - hour * 3600 for hour in (11, 17))
    assert eleven == base
    assert five > 1.5 * base
    roads.forget()
