"""When a solve stops, and what a plan is worth: the stopping rule and the policy, refused when nonsensical."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from apps.routing.planner.problem import ProblemError


@dataclass(frozen=True, slots=True)
class Limit:
    """Stop after so many seconds (production) or so many solutions found (tests: repeatable), whichever is first."""

    seconds: float | None = None
    solutions: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.solutions is None:
            raise ProblemError("limit", "give seconds or solutions")
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise ProblemError("limit: seconds", f"{self.seconds} lies outside 0..3600")
        if self.solutions is not None and self.solutions < 1:
            raise ProblemError("limit: solutions", "must be at least 1")

    def share(self, parts: int) -> Limit:
        """The same limit for each of several solves in a row."""
        return Limit(None if self.seconds is None else self.seconds / max(parts, 1), self.solutions)


type Hear = Callable[[float, int | None], bool]
"""Told how much of a long solve is done (0 to 1) and the best cost so far, if known; True asks it to end."""

TELL_EVERY: Final = 0.25
"""Seconds between two tellings."""


class Pace:
    """One solve's clock: what is left of its limit, and whoever listens to how far it has come."""

    def __init__(self, limit: Limit, hear: Hear | None = None) -> None:
        self.limit, self._hear = limit, hear
        self._began = self._told = time.monotonic()
        self.stopped = False
        self.best: int | None = None

    @property
    def seconds(self) -> float:
        """The whole limit; endless where only solutions count."""
        return float("inf") if self.limit.seconds is None else self.limit.seconds

    @property
    def left(self) -> float:
        """Seconds to the limit; endless where only solutions count."""
        return float("inf") if self.limit.seconds is None else self._began + self.limit.seconds - time.monotonic()

    @property
    def over(self) -> bool:
        return self.stopped or self.left <= 0

    def rest(self, part: float = 1.0, most: float = 3600.0) -> Limit:
        """The limit for a step that may use a part of what is left."""
        if self.limit.seconds is None:
            return self.limit
        return Limit(min(most, max(0.001, self.left * part)), self.limit.solutions)

    def tick(self, best: int | None = None) -> bool:
        """Tells, now and then; True when the solve should end."""
        self.best = self.best if best is None else best
        now = time.monotonic()
        if self._hear is not None and now - self._told >= TELL_EVERY:
            self._told = now
            seconds = self.limit.seconds
            fraction = 0.0 if seconds is None else min(1.0, (now - self._began) / seconds)
            self.stopped = self._hear(fraction, self.best) or self.stopped
        return self.stopped


@dataclass(frozen=True, slots=True)
class Policy:
    """What things cost, in seconds of driving, and when a better plan is worth the unrest.

    - `late_per_second`: a second of lateness (window, promise or shift).
    - `moved_per_minute`: a minute a start lies outside what the customer's page shows (`Stop.eta`).
    - `changed_van`: a customer whom another van serves than in the standing plan.
    - `quiet`: one more customer whose start an insertion moves by more than ten minutes (see `calm`).
    - `dropped`: a stop left out.
    - `wish_per_minute`: a minute that service starts outside a customer's wish (`Stop.wish`).
    - `overlap`: a stop whose neighbours are all another van's; `uneven`: percent of a second for each second of uneven
      working time (see `evenness`). For a draft only: a day under way is not dealt out anew.
    - A plan without lateness is only replaced for a saving of at least `worth` plus `worth_per_moved` for each customer
      whose start moves by more than five minutes, and never when more than `most_moved` move by more than ten.
    """

    late_per_second: int = 20
    moved_per_minute: int = 60
    dropped: int = 100_000
    worth: int = 300
    worth_per_moved: int = 60
    most_moved: int = 12
    changed_van: int = 30
    quiet: int = 0
    overlap: int = 0
    uneven: int = 0
    wish_per_minute: int = 10
    name: str = "plain"

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if name != "name" and (type(value) is not int or value < 0):
                raise ProblemError(f"policy: {name}", "must be a whole number of at least 0")

    @property
    def evens(self) -> bool:
        """Whether it minds how the day is dealt out among the vans."""
        return bool(self.overlap or self.uneven)


PLAIN: Final = Policy()

CALM: Final = Policy(name="calm", worth=300, worth_per_moved=240, most_moved=0, changed_van=120, quiet=600)
"""For a day that customers watch: nobody else's time moves by more than ten minutes unless that repairs lateness, and
by more than five only for a saving that is plain to see."""

THRIFTY: Final = Policy(
    name="thrifty", moved_per_minute=0, worth=20, worth_per_moved=0, most_moved=10**6, changed_van=0
)
"""For a day that nobody watches yet: every saving is taken; windows and promises hold as always."""
