"""Trial load of OSRM files, run as a process of its own because damaged files can end the process that reads them.

Usage: `python -I travel_probe.py BASE SAMPLES`, where SAMPLES is a JSON list of [longitude, latitude]; when it is
empty, road points are looked for. Prints the points it used.
"""

import json
import sys

import osrm

COMPASS = [(lon, lat) for lon in (-170.0, -90.0, 0.0, 90.0, 170.0) for lat in (-80.0, -30.0, 30.0, 80.0)]
GRID = 6


def _nearest(engine: osrm.OSRM, lon: float, lat: float) -> tuple[float, float]:
    answer = engine.Nearest(osrm.NearestParameters(coordinates=[(lon, lat)]))
    found = answer["waypoints"][0]["location"]
    return float(found[0]), float(found[1])


def _road_points(engine: osrm.OSRM) -> list[tuple[float, float]]:
    """Points on roads all over the map; its outline is found by asking from far away."""
    outline = [_nearest(engine, lon, lat) for lon, lat in COMPASS]
    west, east = min(p[0] for p in outline), max(p[0] for p in outline)
    south, north = min(p[1] for p in outline), max(p[1] for p in outline)
    steps = [(i + 0.5) / GRID for i in range(GRID)]
    inner = [_nearest(engine, west + (east - west) * x, south + (north - south) * y) for x in steps for y in steps]
    return sorted(set(outline + inner))


def main(base: str, samples: list[tuple[float, float]]) -> None:
    engine = osrm.OSRM(algorithm="CH", storage_config=base, use_shared_memory=False)
    points = samples or _road_points(engine)
    if len(points) > 1:
        table = engine.Table(osrm.TableParameters(coordinates=points, annotations=["duration", "distance"]))
        for i, row in enumerate(table["durations"]):
            if row[i] != 0:
                raise SystemExit("a point is not where it is")
        for far in range(1, len(points), 3):
            if table["durations"][0][far] is not None:
                engine.Route(osrm.RouteParameters(coordinates=[points[0], points[far]], overview="full"))
    sys.stdout.write(json.dumps(points))


if __name__ == "__main__":
    main(sys.argv[1], [(float(lon), float(lat)) for lon, lat in json.loads(sys.argv[2])])
