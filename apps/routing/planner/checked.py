"""What every noun of a problem is checked by on the way in: whole numbers inside bounds, or a typed error."""

from __future__ import annotations

from typing import Final

LATEST_INSTANT: Final = 100 * 86_400
"""No instant of a plan lies further than this from its epoch, so that sums stay small integers."""

type Window = tuple[int, int]
"""First and last second, both included, at which service may start."""


class ProblemError(ValueError):
    """Input that no plan can be made of; `field` names the culprit (for example ``stop 17: windows``)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, str]]:
        return type(self), (self.field, self.message)


def whole(name: str, value: object, low: int, high: int = 2**31) -> None:
    if type(value) is not int:
        raise ProblemError(name, f"must be a whole number, not {value!r}")
    if not low <= value <= high:
        raise ProblemError(name, f"{value} lies outside {low}..{high}")


def instant(name: str, value: object) -> None:
    whole(name, value, -LATEST_INSTANT, LATEST_INSTANT)


def closed(name: str, window: Window) -> None:
    if len(window) != 2:
        raise ProblemError(name, f"a window has a first and a last second, not {window!r}")
    instant(name, window[0])
    instant(name, window[1])
    if window[1] < window[0]:
        raise ProblemError(name, f"closes ({window[1]}) before it opens ({window[0]})")


def text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ProblemError(name, "must be a non-empty text")


def distinct(name: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})[:3]
        raise ProblemError(name, f"ids appear twice: {', '.join(twice)}")
