"""What a re-plan would change, stop by stop, before anybody applies it; nothing is written."""

from dataclasses import dataclass, field
from datetime import datetime

from apps.routing.models import Replan
from apps.routing.planner.cost import Cost
from apps.routing.planner.explain_eta import explain_eta
from apps.routing.planner.insertion import Timetable
from apps.routing.planner.solution import Solution
from apps.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Move:
    """One visit that would be served at another time or by another van; None: by no van. `cause` weighs most
    (codes of `planner.explain_eta`)."""

    visit: int
    van_before: str | None
    van_after: str | None
    before: datetime | None
    after: datetime | None
    cause: str

    @property
    def minutes(self) -> int | None:
        """How much later; below 0: earlier. None where it is new or left out."""
        if self.before is None or self.after is None:
            return None
        return round((self.after - self.before).total_seconds() / 60)


@dataclass(frozen=True, slots=True)
class Preview:
    """The record of a dry run, which is not stored, and whom it would move: the most moved first.

    `found` is the plan it would be, true as of the `snapshot`.
    """

    outcome: Replan
    moves: tuple[Move, ...]
    snapshot: Snapshot = field(repr=False)
    found: Solution = field(repr=False)
    before: Cost
    after: Cost


def moves_between(snapshot: Snapshot, found: Solution) -> tuple[Move, ...]:
    """Every visit whose van or start differs by a minute or more."""
    before, after = snapshot.timetable, Timetable.of(snapshot.problem, found)
    moves = [
        move
        for visit, row in snapshot.visits.items()
        if not row.is_reload and (move := _move(snapshot, before, after, visit, row.key)) is not None
    ]
    return tuple(sorted(moves, key=_most_moved))


def _most_moved(move: Move) -> tuple[int, int]:
    """Whoever comes or goes first, then by minutes."""
    return -(10**6) if move.minutes is None else -abs(move.minutes), move.visit


def _move(snapshot: Snapshot, before: Timetable, after: Timetable, visit: int, stop: str) -> Move | None:
    was, now = _start(before, stop), _start(after, stop)
    if was == now and before.vehicle_of.get(stop) == after.vehicle_of.get(stop):
        return None
    cause = "inserted" if was is None else "removed"
    if was is not None and now is not None:
        if before.vehicle_of[stop] == after.vehicle_of[stop] and abs(now - was) < 60:
            return None
        causes = explain_eta(before, after, stop)
        cause = causes[0].code if causes else "other_van"
    return Move(
        visit,
        _code(snapshot, before.vehicle_of.get(stop)),
        _code(snapshot, after.vehicle_of.get(stop)),
        None if was is None else snapshot.instant(was),
        None if now is None else snapshot.instant(now),
        cause,
    )


def _start(timetable: Timetable, stop: str) -> int | None:
    return timetable.times(stop).start if stop in timetable.vehicle_of else None


def _code(snapshot: Snapshot, van: str | None) -> str | None:
    return None if van is None else str(snapshot.shifts[van].code)
