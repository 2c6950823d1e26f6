"""Vector tiles on disk: `FOLDER/{z}/{x}/{y}.pbf`, gzipped, with a manifest of digests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

REBUILD: Final = "python apps/demo/data/build_tiles.py"
HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "application/vnd.mapbox-vector-tile",
    "Content-Encoding": "gzip",
    "Cache-Control": "public, max-age=86400",
}


class TilesError(Exception):
    """Tiles are missing or damaged; names the file and the command that rebuilds them."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(f"{file} {detail}. Rebuild the map tiles with: {REBUILD}")
        self.file = file
        self.command = REBUILD


def read_tile(folder: Path, z: int, x: int, y: int) -> bytes | None:
    """The gzipped tile, to be sent with HEADERS; None (send 204) outside the map."""
    try:
        return (folder / str(int(z)) / str(int(x)) / f"{int(y)}.pbf").read_bytes()
    except OSError:
        # No such tile, or numbers so long that no file can have them as its name.
        return None


def bounds(folder: Path) -> tuple[float, float, float, float]:
    """West, south, east, north of the tile set."""
    west, south, east, north = _manifest(folder)["bounds"]
    return float(west), float(south), float(east), float(north)


def check_tiles(folder: Path) -> int:
    """The number of tiles, all as the manifest describes them; TilesError names the first that is not."""
    digests: dict[str, str] = _manifest(folder)["tiles"]
    for name, digest in digests.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError:
            raise TilesError(folder / name, "is missing") from None
        if found != digest:
            raise TilesError(folder / name, "is damaged")
    return len(digests)


def _manifest(folder: Path) -> dict:
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_text())
    except FileNotFoundError:
        raise TilesError(file, "is missing") from None
    except (OSError, ValueError) as error:
        raise TilesError(file, f"cannot be read ({error})") from error
    if not isinstance(manifest, dict) or not {"bounds", "tiles"} <= manifest.keys():
        raise TilesError(file, "lacks its bounds or its tiles")
    return manifest
