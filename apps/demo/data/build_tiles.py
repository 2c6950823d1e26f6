"""Rebuilds the vector tiles of the demo's country from the extract beside this file.

    apt-get install tilemaker && python apps/demo/data/build_tiles.py

The tiles follow the OpenMapTiles schema (zoom 9 to 14) and are stored gzipped, so whoever serves them must send
`Content-Encoding: gzip` (`apps.core.tiles.read_tile` gives the headers). Needs Debian's tilemaker
2.2 with its example rules.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EXTRACT = HERE / "liechtenstein.osm.pbf"
RULES = Path("/usr/share/doc/tilemaker/examples")
SHORELINES = ("ocean", "urban_areas", "ice_shelf", "glacier")
MIN_ZOOM, MAX_ZOOM = 9, 14


def config() -> dict:
    """Debian's OpenMapTiles configuration without the layers that need world-wide shape files."""
    settings = json.loads((RULES / "config-openmaptiles.json").read_text())
    layers = {name: layer for name, layer in settings["layers"].items() if name not in SHORELINES}
    for layer in layers.values():
        layer["minzoom"] = max(MIN_ZOOM, layer["minzoom"])
    kept = {key: value for key, value in settings["settings"].items() if key != "filemetadata"}
    named = {"name": "Doorstep demo", "description": "OpenMapTiles schema, © OpenStreetMap contributors"}
    zooms = {"minzoom": MIN_ZOOM, "maxzoom": MAX_ZOOM, "basezoom": MAX_ZOOM}
    return {"layers": layers, "settings": {**kept, **zooms, **named, "compress": "gzip"}}


def build(out: Path) -> None:
    settings = out.with_name("config.json")
    settings.write_text(json.dumps(config()))
    command = ["tilemaker", "--input", EXTRACT, "--output", out, "--config", settings, "--process", HERE / "tiles.lua"]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def manifest(out: Path) -> dict:
    bounds = json.loads((out / "metadata.json").read_text())["bounds"]
    digests = {str(file.relative_to(out)): _sha256(file) for file in sorted(out.rglob("*.pbf"))}
    return {
        "attribution": "© OpenStreetMap contributors",
        "bounds": [round(degree, 6) for degree in bounds],
        "encoding": "gzip",
        "minzoom": MIN_ZOOM,
        "maxzoom": MAX_ZOOM,
        "source_sha256": _sha256(EXTRACT),
        "tiles": digests,
    }


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> int:
    if shutil.which("tilemaker") is None:
        sys.stderr.write("tilemaker is not installed: apt-get install tilemaker\n")
        return 1
    with tempfile.TemporaryDirectory(dir=HERE) as temporary:
        out = Path(temporary) / "tiles"
        build(out)
        text = json.dumps(manifest(out), indent=1, ensure_ascii=False)
        (out / "metadata.json").unlink()
        (out / "manifest.json").write_text(text + "\n")
        shutil.rmtree(HERE / "tiles", ignore_errors=True)
        shutil.copytree(out, HERE / "tiles")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
