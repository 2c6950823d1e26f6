"""Which windows the standing plans of several days can really hold for one delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.routing.planner import slots
from apps.routing.planner.insertion import FrozenStop
from apps.routing.planner.problem import Stop
from apps.routing.planner.solution import Reason
from apps.routing.services import answer
from apps.routing.services.change_plan import day_of, paired, plan_for, stop_for
from apps.routing.services.clearing import Cleared, clear
from apps.routing.services.subject import Subject, from_every_depot, subject_of
from apps.routing.snapshot import Snapshot
from apps.routing.stops import Whereabouts


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """One window: whether the plan holds it, why not (a code), and what it would cost. `arrival` only when it does.

    What is added is the plan with it less the plan without it, in seconds and metres driven, minor units of the
    depot's currency and grams CO2e. `green`: a van is near then anyhow.
    """

    day: date
    window: TimeWindow
    feasible: bool
    reason: str = ""
    added_seconds: int = 0
    added_metres: int = 0
    arrival: datetime | None = None
    tight: bool = False
    added_minor_units: int = 0
    added_grams_co2e: int = 0
    green: bool = False
    depot: int | None = None


def offers(*, delivery: Delivery, place: Whereabouts, windows: Sequence[TimeWindow]) -> list[SlotOffer]:
    """One offer per window, in the order given."""
    return offers_for(subject_of(delivery, place), windows)


def offers_for(subject: Subject, windows: Sequence[TimeWindow]) -> list[SlotOffer]:
    """`offers` for what may not exist yet. Refused("off_the_map") when no road comes near its place.

    Where several depots serve the place, each window is offered by the one that can bring it at the least cost.
    """
    asked = [_at(one, windows, _plans(one, [(one.place, windows)])) for one in from_every_depot(subject)]
    return [min(offers, key=_rank) for offers in zip(*asked, strict=True)]


def from_best_depot(subject: Subject, window: TimeWindow) -> Subject:
    """The same for the depot that can bring it in that window at the least cost."""
    subjects = from_every_depot(subject)
    if len(subjects) == 1:
        return subject
    offers = [_at(one, [window], _plans(one, [(one.place, [window])]))[0] for one in subjects]
    return min(zip(offers, subjects, strict=True), key=lambda pair: _rank(pair[0]))[1]


def _rank(offer: SlotOffer) -> tuple[bool, int, int]:
    return not offer.feasible, offer.added_minor_units, offer.added_seconds


def offers_at(
    *, delivery: Delivery, asked: Sequence[tuple[Whereabouts, Sequence[TimeWindow]]]
) -> list[list[SlotOffer]]:
    """`offers` at several places, each with its own windows; every day's plan is read once only.

    A place that no road comes near is not feasible, for "off_the_map".
    """
    subject = subject_of(delivery)
    plans = _plans(subject, asked)
    found = []
    for place, windows in asked:
        try:
            found.append(_at(replace(subject, place=place), windows, plans))
        except Refused as refused:
            days = [day_of(subject, window.earliest) for window in windows]
            found.append([SlotOffer(day, one, False, refused.code) for day, one in zip(days, windows, strict=True)])
    return found


def _plans(
    subject: Subject, asked: Sequence[tuple[Whereabouts, Sequence[TimeWindow]]]
) -> dict[date, tuple[Cleared, str | None] | str]:
    places = [place for place, _windows in asked]
    days = sorted({day_of(subject, window.earliest) for _place, windows in asked for window in windows})
    return {day: cleared_plan(subject, day, places) for day in days}


def cleared_plan(subject: Subject, day: date, places: Sequence[Whereabouts]) -> tuple[Cleared, str | None] | str:
    """The day's plan without the subject and the van it is pinned to, or the code of why there is nothing to ask."""
    try:
        subject.check_cutoff(day)
        loaded_on = subject.loaded_on(day)
        return clear(plan_for(subject, day, places), subject.delivery, keep_collection=True), loaded_on
    except Refused as refusal:
        return refusal.code
    except FrozenStop:
        return "too_late"


def _at(
    subject: Subject, windows: Sequence[TimeWindow], plans: Mapping[date, tuple[Cleared, str | None] | str]
) -> list[SlotOffer]:
    by_day: dict[date, list[TimeWindow]] = {}
    for window in windows:
        by_day.setdefault(day_of(subject, window.earliest), []).append(window)
    found: dict[TimeWindow, SlotOffer] = {}
    for day, wanted in by_day.items():
        found |= {offer.window: offer for offer in _of_day(subject, day, wanted, plans[day])}
    return [found[window] for window in windows]


def _of_day(
    subject: Subject, day: date, windows: list[TimeWindow], plan: tuple[Cleared, str | None] | str
) -> list[SlotOffer]:
    if isinstance(plan, str):
        return [SlotOffer(day, window, feasible=False, reason=plan) for window in windows]
    (cleared, loaded_on), snapshot = plan, plan[0].snapshot
    widest = TimeWindow(min(window.earliest for window in windows), max(window.latest for window in windows))
    cleared, collect, stop = paired(cleared, subject, stop_for(snapshot, subject, widest, loaded_on))
    found: list[SlotOffer] = []
    for areas, group in _by_zones(snapshot, subject, stop, loaded_on, windows):
        inside, wanted = stop.replace(areas=areas), [snapshot.window(window) for window in group]
        if collect is not None:
            answers = answer.offers_of_pair(cleared, collect, inside, wanted)
        else:
            answers = answer.offers(cleared, inside, subject.place, wanted)
        found += [_offer(snapshot, day, window, one) for window, one in zip(group, answers, strict=True)]
    return found


def _by_zones(
    snapshot: Snapshot, subject: Subject, stop: Stop, loaded_on: str | None, windows: list[TimeWindow]
) -> list[tuple[frozenset[str], list[TimeWindow]]]:
    """The windows by the drawn zones that count in them: a zone may have hours."""
    if not stop.areas:
        return [(stop.areas, windows)]
    groups: dict[frozenset[str], list[TimeWindow]] = {}
    for window in windows:
        groups.setdefault(stop_for(snapshot, subject, window, loaded_on).areas, []).append(window)
    return list(groups.items())


def _offer(snapshot: Snapshot, day: date, window: TimeWindow, found: slots.Offer) -> SlotOffer:
    if not found.feasible:
        return SlotOffer(day, window, feasible=False, reason=(found.reason or Reason.NOT_PLANNED).value)
    return SlotOffer(
        day,
        window,
        feasible=True,
        added_seconds=found.added_seconds,
        added_metres=found.added_metres,
        arrival=snapshot.instant(found.arrival),
        tight=found.tight,
        added_minor_units=found.added_minor_units,
        added_grams_co2e=found.added_grams_co2e,
        green=found.green,
        depot=snapshot.depot.pk,
    )
