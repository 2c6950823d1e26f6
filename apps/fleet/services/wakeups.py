"""Tells the readers in this process which positions were just committed, so that they need not read them back."""

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from weakref import WeakSet

_MOST_WAITING = 20_000


class Written(NamedTuple):
    """A vehicle's position as it was handed to the database; it lost there when a newer one was on file."""

    vehicle_id: int
    sequence: int
    latitude: float
    longitude: float
    at: datetime
    heading: float | None


class PositionBell(threading.Event):
    """Set whenever this process has committed positions. What a slow reader leaves lying is in the table anyway."""

    def __init__(self) -> None:
        super().__init__()
        self._written: deque[Written] = deque(maxlen=_MOST_WAITING)

    def ring(self, rows: Sequence[Written]) -> None:
        self._written.extend(rows)
        self.set()

    def take(self) -> list[Written]:
        """What was committed since the last time, in the order of commits of each writer."""
        self.clear()
        taken = []
        while self._written:
            taken.append(self._written.popleft())
        return taken


_readers: WeakSet[PositionBell] = WeakSet()


def position_bell() -> PositionBell:
    """It lives as long as its owner keeps it."""
    bell = PositionBell()
    _readers.add(bell)
    return bell


def wake_readers(rows: Sequence[Written]) -> None:
    for bell in list(_readers):
        bell.ring(rows)
