"""Tells the readers in this process that positions were written, so that they need not wait for their next look."""

import threading
from weakref import WeakSet

_readers: WeakSet[threading.Event] = WeakSet()


def position_bell() -> threading.Event:
    """An event that is set whenever this process has committed positions; it lives as long as its owner keeps it."""
    bell = threading.Event()
    _readers.add(bell)
    return bell


def wake_readers() -> None:
    for bell in list(_readers):
        bell.set()
