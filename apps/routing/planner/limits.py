"""When a solve stops, and what a plan is worth: the stopping rule and the policy, refused when nonsensical."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Policy:
    """What things cost, in seconds of driving, and when a better plan is worth the unrest.

    - `late_per_second`: a second of lateness (window, promise or shift).
    - `moved_per_minute`: a minute a start lies outside what the customer's page shows (`Stop.eta`).
    - `dropped`: a stop left out.
    - A plan without lateness is only replaced for a saving of at least `worth` plus `worth_per_moved` for each customer
      whose start moves by more than five minutes, and never when more than `most_moved` move by more than ten.
    """

    late_per_second: int = 20
    moved_per_minute: int = 60
    dropped: int = 100_000
    worth: int = 300
    worth_per_moved: int = 60
    most_moved: int = 12

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise ProblemError(f"policy: {name}", "must be a whole number of at least 0")


PLAIN = Policy()
