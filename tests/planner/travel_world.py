"""Two maps for the travel tests: a street with an island, drawn by hand, and the demo's country."""

import atexit
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from apps.routing.planner.travel import Point
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.planner.travel_prepare import prepare

ROOT = Path(__file__).parents[2]
EXTRACT = ROOT / "apps/demo/data/liechtenstein.osm.pbf"

WEST, MIDDLE, EAST = Point(47.0, 9.0), Point(47.0, 9.02), Point(47.0, 9.04)
ISLAND = Point(47.02, 9.0)

VADUZ, SCHAAN, BALZERS = Point(47.1393, 9.5228), Point(47.1655, 9.5095), Point(47.0676, 9.5031)


def island_map(file: Path) -> Path:
    """A straight street of five nodes (0.04 degrees) and, 2 km north of it, a road that nothing leads to."""
    street = [(47.0, 9.0 + 0.01 * step) for step in range(5)]
    island = [(47.02, 9.0), (47.02, 9.005)]
    nodes = [f'<node id="{i}" version="1" lat="{lat}" lon="{lon}"/>' for i, (lat, lon) in enumerate(street + island, 1)]
    ways = [_way(100, range(1, 6), "Long Street"), _way(101, range(6, 8), "Island Road")]
    file.write_text("<osm version='0.6'>\n" + "\n".join(nodes + ways) + "\n</osm>\n")
    return file


def _way(number: int, nodes: range, name: str) -> str:
    tags = f"<tag k='highway' v='residential'/><tag k='name' v='{name}'/>"
    return f"<way id='{number}' version='1'>{''.join(f'<nd ref="{node}"/>' for node in nodes)}{tags}</way>"


def _folder(name: str) -> Path:
    folder = mkdtemp(prefix=f"doorstep-{name}-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def island() -> Path:
    folder = _folder("island")
    prepare(island_map(folder / "island.osm"), folder / "roads", ["car"])
    return folder / "roads" / "car"


@cache
def country() -> Path:
    folder = _folder("country")
    prepare(EXTRACT, folder, ["car"])
    return folder / "car"


@cache
def network(folder: Path) -> RoadNetwork:
    return RoadNetwork(folder)
