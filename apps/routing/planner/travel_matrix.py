"""Travel matrices kept in one memory-mapped file per depot-day folder and profile.

A file holds every place known for the day and the days after it, and all pick-up points, so that a web process needs
the road network only for a place nobody has asked about before. Files are replaced by a rename, never written in place:
whoever has the old one open keeps its answers.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from apps.routing.planner.travel import Ints, Network, Point, PointKey, RoadDataError, Rows, Travel

REBUILD: Final = "python manage.py prepare_matrices"
MAGIC: Final = b"DOORSTEP-MATRIX1"
ALIGN: Final = 64


class UnknownPoint(KeyError):
    """The point is not in the matrix; an Overlay asks the road network for it."""


@dataclass(frozen=True, slots=True)
class _Header:
    profile: str
    identity: str
    exact: bool
    count: int
    crc32: int


@dataclass(frozen=True)
class MatrixFile:
    """An open matrix file. Positions are stable: `extend` only appends."""

    file: Path
    profile: str
    identity: str
    """That of the road data it was computed from."""
    points: tuple[Point, ...]
    travel: Travel
    _index: dict[PointKey, int]

    @classmethod
    def write(cls, folder: Path, points: Iterable[Point], network: Network) -> Self:
        """Computes and stores all pairs. OffTheMap names a point that no road comes near; nothing is stored then."""
        unique = _distinct(points)
        rows = network.table(unique)
        return cls._store(folder, unique, Travel(rows.seconds, rows.metres, network.exact), network)

    @classmethod
    def open(cls, folder: Path, profile: str) -> Self:
        """Maps the file after checking it; unchanged files are checked once per process."""
        file = _path(folder, profile)
        try:
            stat = file.stat()
        except OSError:
            raise RoadDataError(file, REBUILD, "is missing") from None
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        known = _opened.get((cls, file))
        if known is None or known[0] != stamp:
            known = _opened[cls, file] = (stamp, cls._load(file))
        found = known[1]
        assert isinstance(found, cls)
        return found

    def index_of(self, point: Point) -> int:
        """Position of the point (equal within about a metre); UnknownPoint if it has none."""
        try:
            return self._index[point.key]
        except KeyError:
            raise UnknownPoint(f"({point.lat:.5f}, {point.lon:.5f}) is not in {self.file}") from None

    def find(self, point: Point) -> int | None:
        return self._index.get(point.key)

    def extend(self, points: Iterable[Point], network: Network) -> Self:
        """A file with the new points appended; computed anew when the road data has changed meanwhile."""
        folder = self.file.parent
        if network.identity != self.identity:
            return self.write(folder, [*self.points, *points], network)
        fresh = [point for point in _distinct(points) if point.key not in self._index]
        if not fresh:
            return self
        everything = [*self.points, *fresh]
        out, back = network.table(fresh, everything), network.table(self.points, fresh)
        grown = Travel(
            _grown(self.travel.seconds, out.seconds, back.seconds),
            _grown(self.travel.metres, out.metres, back.metres),
            self.travel.exact and network.exact,
        )
        return self._store(folder, everything, grown, network)

    @classmethod
    def _store(cls, folder: Path, points: Sequence[Point], travel: Travel, network: Network) -> Self:
        degrees = np.array([(point.lat, point.lon) for point in points], dtype="<f8").reshape(-1, 2)
        body = [part.tobytes() for part in (degrees, travel.seconds.astype("<i4"), travel.metres.astype("<i4"))]
        header = _Header(network.profile, network.identity, travel.exact, len(points), _crc(body))
        folder.mkdir(parents=True, exist_ok=True)
        file = _path(folder, network.profile)
        fresh = file.with_name(f".{file.name}-{os.getpid()}-{os.urandom(3).hex()}")
        try:
            with fresh.open("wb") as stream:
                stream.write(_packed(header))
                stream.writelines(body)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
        return cls.open(folder, network.profile)

    @classmethod
    def _load(cls, file: Path) -> Self:
        try:
            with file.open("rb") as stream:
                if stream.read(len(MAGIC)) != MAGIC:
                    raise RoadDataError(file, REBUILD, "is no matrix file")
                (length,) = struct.unpack("<I", stream.read(4))
                header = _Header(**json.loads(stream.read(length)))
            start, count = _aligned(len(MAGIC) + 4 + length), header.count
            body = np.memmap(file, dtype=np.uint8, mode="r", offset=start)
        except (OSError, ValueError, TypeError, struct.error) as error:
            raise RoadDataError(file, REBUILD, f"cannot be read ({error})") from error
        if body.size != 16 * count + 8 * count * count or zlib.crc32(body) != header.crc32:
            raise RoadDataError(file, REBUILD, "is damaged (its checksum is not its header's)")
        degrees = body[: 16 * count].view("<f8").reshape(count, 2)
        matrices: Ints = body[16 * count :].view("<i4").reshape(2, count, count)
        points = tuple(Point(float(lat), float(lon)) for lat, lon in degrees)
        index = {point.key: position for position, point in enumerate(points)}
        travel = Travel(matrices[0], matrices[1], header.exact)
        return cls(file, header.profile, header.identity, points, travel, index)


_opened: dict[tuple[type, Path], tuple[tuple[int, int, int], MatrixFile]] = {}


@dataclass(frozen=True, slots=True)
class Overlay:
    """A matrix file plus places it does not hold yet, whose rows the road network is asked for."""

    matrix: MatrixFile
    network: Callable[[], Network]
    """Called only for a place the matrix does not hold: `lambda: roads.network("car")`."""

    def missing(self, points: Iterable[Point]) -> list[Point]:
        return [point for point in _distinct(points) if self.matrix.find(point) is None]

    def travel(self, points: Sequence[Point]) -> Travel:
        """Matrices of these points in this order; two short tables for all missing ones together."""
        if tuple(points) == self.matrix.points:
            return self.matrix.travel
        found = [self.matrix.find(point) for point in points]
        new = [position for position, index in enumerate(found) if index is None]
        old = [position for position, index in enumerate(found) if index is not None]
        known = self.matrix.travel.take([index for index in found if index is not None])
        if not new:
            return known
        network, fresh = self.network(), [points[position] for position in new]
        out, back = network.table(fresh, points), network.table([points[position] for position in old], fresh)
        return Travel(
            _placed(known.seconds, out.seconds, back.seconds, old, new),
            _placed(known.metres, out.metres, back.metres, old, new),
            known.exact and network.exact,
        )

    def rows(self, point: Point, known: Sequence[Point]) -> tuple[Rows, Rows]:
        """Exact times from the known points to this one (n x 1) and back from it (1 x n), and nothing more."""
        here = self.matrix.find(point)
        there = [self.matrix.find(other) for other in known]
        if here is None or None in there:
            network = self.network()
            return network.table(known, [point]), network.table([point], known)
        columns = np.array(there, dtype=np.intp)
        travel = self.matrix.travel
        return (
            Rows(travel.seconds[columns, here][:, None], travel.metres[columns, here][:, None]),
            Rows(travel.seconds[here, columns][None, :], travel.metres[here, columns][None, :]),
        )


def _path(folder: Path, profile: str) -> Path:
    return folder / f"{profile}.matrix"


def _packed(header: _Header) -> bytes:
    text = json.dumps(asdict(header)).encode()
    head = MAGIC + struct.pack("<I", len(text)) + text
    return head.ljust(_aligned(len(head)), b"\0")


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _crc(parts: Sequence[bytes]) -> int:
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return value


def _distinct(points: Iterable[Point]) -> list[Point]:
    first: dict[PointKey, Point] = {}
    for point in points:
        first.setdefault(point.key, point)
    return list(first.values())


def _grown(old: Ints, out: Ints, back: Ints) -> Ints:
    return np.vstack([np.hstack([old, back]), out])


def _placed(known: Ints, out: Ints, back: Ints, old: Sequence[int], new: Sequence[int]) -> Ints:
    matrix = np.empty((len(old) + len(new),) * 2, dtype=np.int32)
    matrix[np.ix_(old, old)] = known
    matrix[np.ix_(old, new)] = back
    matrix[new] = out
    return matrix
