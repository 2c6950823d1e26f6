"""Length-prefixed pickles over a pipe, with a deadline. For a parent and the child it started, and nobody else."""

from __future__ import annotations

import os
import pickle
import select
import struct
import time
from typing import Any, Final

_HEAD: Final = struct.Struct("!Q")
_CHUNK: Final = 1 << 20
LONGEST: Final = 1 << 32
"""Bytes of the longest frame believed; more means the stream is garbled."""


class PipeClosed(Exception):
    """The other side is gone."""


class PipeSlow(Exception):
    """The other side neither read nor wrote in time."""


def send(descriptor: int, value: object, deadline: float | None = None) -> None:
    """Write one value. `deadline` is an instant of `time.monotonic()`; PipeClosed, PipeSlow."""
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    data = memoryview(_HEAD.pack(len(body)) + body)
    if deadline is not None:
        os.set_blocking(descriptor, False)  # a stopped child reads nothing: the write must not wait for it
    try:
        while data:
            _wait(descriptor, deadline, writing=True)
            data = data[os.write(descriptor, data[:_CHUNK]) :]
    except BrokenPipeError as error:
        raise PipeClosed from error


def receive(descriptor: int, deadline: float | None = None) -> Any:
    """Read one value; PipeClosed, PipeSlow."""
    (length,) = _HEAD.unpack(_read(descriptor, _HEAD.size, deadline))
    if length > LONGEST:
        raise PipeClosed
    return pickle.loads(_read(descriptor, length, deadline))  # noqa: S301  our own child, over our own pipe


def waiting(descriptor: int) -> bool:
    """Whether something can be read without waiting."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _read(descriptor: int, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        _wait(descriptor, deadline, writing=False)
        piece = os.read(descriptor, min(_CHUNK, count - len(data)))
        if not piece:
            raise PipeClosed
        data += piece
    return bytes(data)


def _wait(descriptor: int, deadline: float | None, *, writing: bool) -> None:
    if deadline is None:
        return
    poll = select.poll()  # select() cannot take descriptors above 1023
    poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise PipeSlow
