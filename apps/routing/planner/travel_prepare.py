"""Making road folders out of an OpenStreetMap extract: extract and contract, check, then put in place by a rename.

`DIRECTORY/<profile>` is a link to an immutable folder `<profile>-<identity>`. Nothing is ever changed in place, because
a process that has the files open would crash or silently change its answers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from apps.routing.planner.travel import RoadDataError
from apps.routing.planner.travel_folder import REBUILD, STEM, Manifest, checked, probe, sha256

PROFILES: Final = ("car", "bicycle", "foot")
DRIVEN: Final = PROFILES
"""What is built unless asked otherwise: one network per kind of vehicle that keeps to the ground."""
TIMED: Final = "car"
"""The profile that sits in traffic."""
STEP_SECONDS: Final = 6 * 3600
LAYOUT: Final = "1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of one profile; `built` is False when the folder was already up to date."""

    profile: str
    folder: Path
    built: bool


def prepare(
    extract: Path,
    directory: Path,
    profiles: Sequence[str] = DRIVEN,
    *,
    force: bool = False,
    speeds: Mapping[int, Path] | None = None,
) -> list[Prepared]:
    """Brings every profile up to date; fast when nothing has changed. RoadDataError names the file at fault.

    `speeds` are OSRM segment speed files (from node, to node, km/h) by local hour: each makes a car network of its own,
    `DIRECTORY/car@17` for five in the afternoon, which is contracted with these speeds.
    """
    for profile in profiles:
        if not _lua(profile).is_file():
            raise ValueError(f"No road profile {profile!r}; known: {', '.join(PROFILES)}")
    source = sha256(extract)
    directory.mkdir(parents=True, exist_ok=True)
    hours = speeds if speeds and TIMED in profiles else {}
    with _alone(directory):
        done = [_prepare_one(extract, source, directory, profile, force) for profile in profiles]
        for hour, file in sorted(hours.items()):
            done.append(_prepare_one(extract, source, directory, timed(TIMED, hour), force, file))
        return done


def timed(profile: str, hour: int) -> str:
    """The name of a profile's network at a local hour of the day."""
    return f"{profile}@{hour:02d}"


def _prepare_one(
    extract: Path, source: str, directory: Path, profile: str, force: bool, speeds: Path | None = None
) -> Prepared:
    identity = _identity(source, profile, speeds)
    link = directory / profile
    folder = directory / f"{profile}-{identity[:16]}"
    for candidate in () if force else (link.resolve(), folder):
        if _good(candidate, identity):
            _point(link, candidate)
            return Prepared(profile, candidate, built=False)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=directory) as temporary:
        fresh = Path(temporary) / folder.name
        _build(extract, fresh, profile, source, identity, speeds)
        if folder.exists():  # damaged or forced: a new name, since the old one may be open somewhere
            folder = directory / f"{folder.name}-{os.urandom(3).hex()}"
        fresh.rename(folder)
    checked(folder)
    previous = link.resolve()
    _point(link, folder)
    _clear(directory, profile, keep={folder.name, previous.name})
    return Prepared(profile, folder, built=True)


def _good(folder: Path, identity: str) -> bool:
    try:
        return checked(folder).identity == identity
    except RoadDataError:
        return False


def _build(extract: Path, folder: Path, profile: str, source: str, identity: str, speeds: Path | None) -> None:
    folder.mkdir()
    base = folder / STEM
    _run("osrm-extract", "--profile", str(_lua(profile)), "--output", str(base), str(extract), blame=extract)
    driven = [] if speeds is None else ["--segment-speed-file", str(speeds)]
    _run("osrm-contract", *driven, str(base), blame=speeds or extract)
    samples = probe(folder)
    files = {file.name: sha256(file) for file in sorted(folder.iterdir())}
    Manifest(profile, source, identity, samples, files).write(folder)


def _run(tool: str, *arguments: str, blame: Path) -> None:
    done = subprocess.run(
        [str(_package() / "bin" / tool), "--verbosity", "WARNING", *arguments],
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip()[-400:]
        raise RoadDataError(
            blame, f"{REBUILD} --osm FILE", f"could not be turned into a road network by {tool}: {said}"
        )


def _identity(source: str, profile: str, speeds: Path | None) -> str:
    """Changes with whatever may change an answer: the extract, the profile's rules, the engine, the speeds."""
    digest = hashlib.sha256(f"{LAYOUT} {version('osrm-bindings')} {profile} {source}".encode())
    if speeds is not None:
        digest.update(sha256(speeds).encode())
    for lua in (_lua(profile), *sorted((_package() / "share" / "profiles" / "lib").glob("*.lua"))):
        digest.update(lua.read_bytes())
    return digest.hexdigest()


def _package() -> Path:
    """The folder of the osrm wheel, which brings the tools (`bin`) and the profiles (`share/profiles`)."""
    spec = find_spec("osrm")
    if spec is None or spec.origin is None:
        raise RoadDataError("osrm", "python -m pip install osrm-bindings", "is not installed")
    return Path(spec.origin).parent


def _lua(profile: str) -> Path:
    return _package() / "share" / "profiles" / f"{profile.partition('@')[0]}.lua"


def _point(link: Path, folder: Path) -> None:
    """Makes the link point at the folder, in one step for whoever reads it."""
    if link.is_symlink() and os.readlink(link) == folder.name:
        return
    fresh = link.with_name(f".{link.name}-{os.urandom(4).hex()}")
    fresh.symlink_to(folder.name)
    fresh.replace(link)


def _clear(directory: Path, profile: str, keep: set[str]) -> None:
    for old in directory.glob(f"{profile}-*"):
        if old.is_dir() and old.name not in keep:
            shutil.rmtree(old)
            old.with_name(f".{old.name}.checked").unlink(missing_ok=True)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One builder per directory; the second waits and then finds the work done."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
