"""Which windows the standing plans of several days can really hold for one delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.routing.planner import slots
from apps.routing.planner.insertion import FrozenStop
from apps.routing.planner.solution import Reason
from apps.routing.services.change_plan import day_of, stop_for
from apps.routing.services.clearing import clear
from apps.routing.services.subject import Subject, subject_of
from apps.routing.snapshot import Whereabouts, take


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """One window: whether the plan holds it, why not (a code), and what it would cost. `arrival` only when it does."""

    day: date
    window: TimeWindow
    feasible: bool
    reason: str = ""
    added_seconds: int = 0
    added_metres: int = 0
    arrival: datetime | None = None
    tight: bool = False


def offers(*, delivery: Delivery, place: Whereabouts, windows: Sequence[TimeWindow]) -> list[SlotOffer]:
    """One offer per window, in the order given."""
    return offers_for(subject_of(delivery, place), windows)


def offers_for(subject: Subject, windows: Sequence[TimeWindow]) -> list[SlotOffer]:
    """`offers` for what may not exist yet."""
    by_day: dict[date, list[TimeWindow]] = {}
    for window in windows:
        by_day.setdefault(day_of(subject, window.earliest), []).append(window)
    found = {offer.window: offer for day, wanted in by_day.items() for offer in _of_day(subject, day, wanted)}
    return [found[window] for window in windows]


def _of_day(subject: Subject, day: date, windows: list[TimeWindow]) -> list[SlotOffer]:
    try:
        loaded_on = subject.loaded_on(day)
        cleared = clear(take(depot=subject.depot, day=day, places=[subject.place]), subject.delivery)
    except Refused as refusal:
        return [SlotOffer(day, window, feasible=False, reason=refusal.code) for window in windows]
    except FrozenStop:
        return [SlotOffer(day, window, feasible=False, reason="too_late") for window in windows]
    snapshot = cleared.snapshot
    widest = TimeWindow(min(window.earliest for window in windows), max(window.latest for window in windows))
    stop = stop_for(snapshot, subject, widest, loaded_on)
    wanted = [snapshot.window(window) for window in windows]
    answers = slots.offers({"day": cleared.timetable}, stop, {"day": wanted})
    return [
        SlotOffer(
            day,
            window,
            answer.feasible,
            (answer.reason or Reason.NOT_PLANNED).value if not answer.feasible else "",
            answer.added_seconds,
            answer.added_metres,
            snapshot.instant(answer.arrival) if answer.feasible else None,
            answer.tight,
        )
        for window, answer in zip(windows, answers, strict=True)
    ]
