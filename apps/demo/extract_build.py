"""Makes the demo's data files out of the OpenStreetMap extract: `python -m apps.demo.extract_build` (needs osmium).

Only addresses and points that a van can reach from the depot and leave again are kept. The result depends on nothing
but the extract, so a second run changes no byte.
"""

import csv
import gzip
import io
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import osmium
from opening_hours import OpeningHours

from apps.demo.extract import ADDRESSES, COUNTRY, DATA, DEPOT, POINTS, TOWNS, Address, PickUpPoint, Town
from apps.routing.planner.travel import UNREACHABLE, Point, crow_metres
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.planner.travel_prepare import prepare

EXTRACT: Final = DATA / "liechtenstein.osm.pbf"
SHOPS: Final = {
    "supermarket",
    "convenience",
    "kiosk",
    "newsagent",
    "stationery",
    "books",
    "bakery",
    "beverages",
    "wine",
}
KINDS: Final = {
    **dict.fromkeys(("house", "detached", "semidetached_house", "terrace", "residential", "farm", "cabin"), "house"),
    **dict.fromkeys(("apartments", "dormitory"), "apartments"),
    **dict.fromkeys(("commercial", "office", "industrial", "retail", "warehouse", "hotel", "public"), "business"),
}
NOBODY_HOME: Final = {
    "shed",
    "stable",
    "farm_auxiliary",
    "roof",
    "hut",
    "barn",
    "garage",
    "garages",
    "chapel",
    "church",
}
NEIGHBOUR_METRES: Final = 60.0
CELLS: Final = ("street", "number", "postcode", "city", "lat", "lon", "kind", "door_lat", "door_lon")


@dataclass
class Found:
    """What one pass over the extract collects."""

    addresses: list[Address] = field(default_factory=list)
    points: list[PickUpPoint] = field(default_factory=list)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)


def read(extract: Path) -> Found:
    found = Found()
    doors: dict[int, tuple[float, float]] = {}
    pick = osmium.filter.KeyFilter("addr:housenumber", "amenity", "shop", "entrance", "place")
    for item in osmium.FileProcessor(str(extract)).with_areas(pick).with_filter(pick):
        tags = dict(item.tags)
        if item.is_node():
            where = (item.location.lat, item.location.lon)
            if "entrance" in tags:
                doors[item.id] = where
            if "place" in tags and "name" in tags:
                found.places.setdefault(tags["name"], where)
            _take(found, tags, where, None, f"node/{item.id}")
        elif item.is_area():
            ring = [(node.lat, node.lon) for node in next(iter(item.outer_rings()))]
            door = next((doors[n.ref] for n in next(iter(item.outer_rings())) if n.ref in doors), None)
            _take(found, tags, _centre(ring), door, f"{'way' if item.from_way() else 'relation'}/{item.orig_id()}")
    return found


def _take(
    found: Found, tags: dict[str, str], where: tuple[float, float], door: tuple[float, float] | None, osm: str
) -> None:
    lat, lon = (round(degree, 6) for degree in where)
    place = {name: tags.get(f"addr:{key}", "").strip() for name, key in _ADDRESS_KEYS.items()}
    building = tags.get("building", "")
    if place["number"] and tags.get("addr:country", COUNTRY) == COUNTRY and building not in NOBODY_HOME:
        kind = KINDS.get(building, "other")
        rounded = (round(door[0], 6), round(door[1], 6)) if door else None
        found.addresses.append(Address(**place, lat=lat, lon=lon, kind=kind, entrance=rounded))
    kind = "post_office" if tags.get("amenity") == "post_office" else tags.get("shop", "")
    hours = tags.get("opening_hours", "")
    if "name" in tags and (kind == "post_office" or kind in SHOPS) and _readable(hours):
        phone, wheelchair = tags.get("phone") or tags.get("contact:phone") or "", tags.get("wheelchair", "")
        found.points.append(
            PickUpPoint(osm, kind, tags["name"], hours, **place, lat=lat, lon=lon, phone=phone, wheelchair=wheelchair)
        )


_ADDRESS_KEYS: Final = {"street": "street", "number": "housenumber", "postcode": "postcode", "city": "city"}


def _readable(hours: str) -> bool:
    if not hours:
        return False
    try:
        OpeningHours(hours, country=COUNTRY)
    except (SyntaxError, ValueError):
        return False
    return True


def _centre(ring: list[tuple[float, float]]) -> tuple[float, float]:
    """Centre of gravity of a closed ring; the mean of its corners if it has no area."""
    area = lat = lon = 0.0
    base_lat, base_lon = ring[0]
    for (y1, x1), (y2, x2) in pairwise(ring):
        cross = (x1 - base_lon) * (y2 - base_lat) - (x2 - base_lon) * (y1 - base_lat)
        area += cross
        lat += (y1 + y2 - 2 * base_lat) * cross
        lon += (x1 + x2 - 2 * base_lon) * cross
    if abs(area) < 1e-14:
        return sum(y for y, _ in ring) / len(ring), sum(x for _, x in ring) / len(ring)
    return base_lat + lat / (3 * area), base_lon + lon / (3 * area)


def tidy(addresses: Iterable[Address]) -> list[Address]:
    """Complete addresses, one per door, with the town its postcode belongs to where the map left that out."""
    listed = list(addresses)
    pairs = Counter((address.postcode, address.city) for address in listed if address.postcode and address.city)
    town_of: dict[str, str] = {}
    for (postcode, city), _ in pairs.most_common():
        town_of.setdefault(postcode, city)
    kept: dict[tuple[str, str, str], Address] = {}
    for address in listed:
        city = town_of.get(address.postcode, "")
        if address.street and city and address.postcode.startswith("94"):
            key = (address.postcode, address.street, address.number)
            better = key not in kept or (kept[key].entrance is None and address.entrance is not None)
            kept[key] = replace(address, city=city) if better else kept[key]
    return sorted(kept.values(), key=lambda a: (a.city, a.street, _natural(a.number), a.lat))


def _natural(number: str) -> list[tuple[int, str]]:
    return [(int(digits or 0), letters.lower()) for digits, letters in re.findall(r"(\d*)(\D*)", number)]


def reachable(network: RoadNetwork, places: list[Point]) -> list[bool]:
    """Which places have a road near them, to the depot and back."""
    depot = Point(DEPOT.lat, DEPOT.lon)
    far = {error.index for error in network.off_the_map(places)}
    near = [index for index in range(len(places)) if index not in far]
    known = [places[index] for index in near]
    to, back = network.rows_to(depot, known).seconds[:, 0], network.rows_from(depot, known).seconds[0]
    good = {index for index, there, home in zip(near, to, back, strict=True) if max(there, home) < UNREACHABLE}
    return [index in good for index in range(len(places))]


def complete(points: list[PickUpPoint], addresses: list[Address]) -> list[PickUpPoint]:
    """Points in a fixed order, post offices first; one without an address of its own gets its nearest door's."""
    doors = [Point(address.lat, address.lon) for address in addresses]
    metres = crow_metres([Point(point.lat, point.lon) for point in points], doors)
    kept: dict[tuple[str, str, str], PickUpPoint] = {}
    for point, row in zip(points, metres, strict=True):
        nearest = int(row.argmin())
        door = addresses[nearest]
        if row[nearest] > NEIGHBOUR_METRES and not (point.street and point.city):
            continue
        own = point if point.street and point.number else replace(point, street=door.street, number=door.number)
        full = own if own.postcode and own.city else replace(own, postcode=door.postcode, city=door.city)
        kept.setdefault((full.name, full.street, full.number), full)
    return sorted(kept.values(), key=lambda p: (p.kind != "post_office", p.city, p.name, p.id))


def towns(addresses: list[Address], places: dict[str, tuple[float, float]]) -> list[Town]:
    counted = Counter((address.city, address.postcode) for address in addresses)
    found = []
    for (city, postcode), count in counted.items():
        doors = [(a.lat, a.lon) for a in addresses if a.city == city]
        middle = (sum(lat for lat, _ in doors) / len(doors), sum(lon for _, lon in doors) / len(doors))
        lat, lon = places.get(city, middle)
        found.append(Town(city, postcode, round(lat, 6), round(lon, 6), count))
    return sorted(found, key=lambda town: (-town.addresses, town.name))


def write(addresses: list[Address], points: list[PickUpPoint], listed: list[Town]) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CELLS)
    for a in addresses:
        rows.writerow([a.street, a.number, a.postcode, a.city, a.lat, a.lon, a.kind, *(a.entrance or ("", ""))])
    ADDRESSES.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    for file, items in ((POINTS, points), (TOWNS, listed)):
        file.write_text(_json([asdict(item) for item in items]), encoding="utf-8")


def _json(rows: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def main() -> None:
    found = read(EXTRACT)
    with tempfile.TemporaryDirectory() as folder:
        network = RoadNetwork(prepare(EXTRACT, Path(folder), ["car"])[0].folder)
        addresses = tidy(found.addresses)
        good = reachable(network, [Point(*(a.entrance or (a.lat, a.lon))) for a in addresses])
        kept = [address for address, fine in zip(addresses, good, strict=True) if fine]
        points = complete(found.points, kept)
        good = reachable(network, [Point(point.lat, point.lon) for point in points])
        points = [point for point, fine in zip(points, good, strict=True) if fine]
    write(kept, points, towns(kept, found.places))
    sys.stdout.write(f"{len(kept)} addresses ({len(addresses) - len(kept)} without a road), {len(points)} points\n")


if __name__ == "__main__":
    main()
