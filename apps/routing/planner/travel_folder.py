"""A prepared road folder: its manifest, the check of its files and the trial load in a child process.

A damaged OSRM file can end the process that reads it (SIGSEGV), so nothing here loads one. The verdict is kept beside
the folder, keyed by the size and modification time of every file, so a later start costs a few `stat` calls.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from apps.routing.planner.travel import RoadDataError

REBUILD: Final = "python manage.py prepare_roads"
MANIFEST: Final = "manifest.json"
STEM: Final = "map.osrm"
PROBE: Final = Path(__file__).with_name("travel_probe.py")
PROBE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder was made from and the SHA-256 of each of its files."""

    profile: str
    source: str
    identity: str
    """Digest of extract, profile, engine version and speeds: two folders of one identity give the same times."""
    samples: tuple[tuple[float, float], ...]
    """(longitude, latitude) of some road points, for the trial load."""
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        file = folder / MANIFEST
        try:
            raw = json.loads(file.read_text())
            samples = tuple((float(lon), float(lat)) for lon, lat in raw["samples"])
            return cls(raw["profile"], raw["source"], raw["identity"], samples, dict(raw["files"]))
        except FileNotFoundError:
            raise RoadDataError(file, REBUILD, "is missing") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RoadDataError(file, REBUILD, f"cannot be read ({error})") from error


def checked(folder: Path) -> Manifest:
    """The manifest of a folder that is safe to load; RoadDataError names the file that is not."""
    manifest = Manifest.read(folder)
    stamp = _stamp(folder, manifest)
    verdict = folder.with_name(f".{folder.name}.checked")
    if _remembered(verdict) == stamp:
        return manifest
    for name, digest in manifest.files.items():
        if sha256(folder / name) != digest:
            raise RoadDataError(folder / name, REBUILD, "is damaged (its SHA-256 is not the manifest's)")
    probe(folder, manifest.samples)
    with contextlib.suppress(OSError):  # a read-only installation checks again at each start
        verdict.write_text(stamp)
    return manifest


def check_roads(directory: Path, profiles: Iterable[str]) -> None:
    """For start-up: RoadDataError names the first file of these profiles that is missing or damaged."""
    for profile in profiles:
        checked((directory / profile).resolve())


def probe(folder: Path, samples: tuple[tuple[float, float], ...] = ()) -> tuple[tuple[float, float], ...]:
    """Loads the folder in a child process and asks for a table; returns road points for the next trial."""
    command = [sys.executable, "-I", str(PROBE), str(folder / STEM), json.dumps(samples)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RoadDataError(folder, REBUILD, f"did not answer within {PROBE_SECONDS} s") from None
    if done.returncode != 0:
        reason = f"signal {-done.returncode}" if done.returncode < 0 else (done.stderr.strip() or "no answer")[-300:]
        raise RoadDataError(folder, REBUILD, f"cannot be loaded ({reason})")
    return tuple((float(lon), float(lat)) for lon, lat in json.loads(done.stdout))


def sha256(file: Path) -> str:
    """Hex digest; RoadDataError if the file cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise RoadDataError(file, REBUILD, "is missing") from None
    except OSError as error:
        raise RoadDataError(file, REBUILD, f"cannot be read ({error})") from error


def _stamp(folder: Path, manifest: Manifest) -> str:
    return json.dumps(list(_stats(folder, manifest)))


def _stats(folder: Path, manifest: Manifest) -> Iterator[tuple[str, int, int]]:
    for name in (MANIFEST, *sorted(manifest.files)):
        try:
            stat = (folder / name).stat()
        except OSError:
            raise RoadDataError(folder / name, REBUILD, "is missing") from None
        yield name, stat.st_size, stat.st_mtime_ns


def _remembered(verdict: Path) -> str:
    try:
        return verdict.read_text()
    except OSError:
        return ""
