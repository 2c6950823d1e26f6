"""What a phone without signal tells of a stop after the evening has closed it: it was handed over in time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries import events as happened
from apps.deliveries.models import Parcel
from apps.deliveries.services import withdraw_failure
from apps.deliveries.states import State
from apps.events.models import Event
from apps.routing.models import Drop, Route, Visit
from apps.routing.services.change_plan import release
from apps.routing.services.write_routes import touch

_MOVES = (happened.STATE_CHANGED, happened.WINDOW_CHANGED, happened.PLACE_CHANGED, happened.CANCELLED)


@dataclass(frozen=True, slots=True)
class Closed:
    """A delivery that the evening failed by itself, and what it changed afterwards."""

    delivery: int
    window: TimeWindow | None
    """Its window then, where it was given another one since."""
    is_touched: bool = False
    """A person has had one of its parcels in hand, or has chosen anything for it, since."""


def closed_by_the_evening(*, visit: Visit, at: datetime | None) -> list[Closed]:
    """The deliveries of a closed stop that its phone was at before it was closed, as it says with `at`.

    None at all of a stop that is not closed, or that a person failed, or by a word of after its closing.
    """
    if visit.state != Visit.State.FAILED or at is None or visit.left_at is None or at >= visit.left_at:
        return []
    ids = list(Drop.objects.filter(visit=visit, is_hold=False, is_open=False).values_list("delivery_id", flat=True))
    found = [closed for pk in sorted(ids) if (closed := _closed(pk)) is not None]
    since = Q(loaded_at__gt=visit.left_at) | Q(arrived_at__gt=visit.left_at)
    scanned = Parcel.objects.filter(since, delivery__in=[one.delivery for one in found])
    touched = set(scanned.values_list("delivery_id", flat=True))
    return [replace(one, is_touched=one.is_touched or one.delivery in touched) for one in found]


def untouched(closed: Sequence[Closed]) -> list[Closed]:
    """Those that the phone may still overrule the evening for; Refused("parcel_moved_on") when it is none of them."""
    found = [one for one in closed if not one.is_touched]
    if closed and not found:
        raise moved_on()
    return found


def moved_on() -> Refused:
    sentence = _("This parcel has been scanned or changed since the evening. Tell the dispatcher what you did with it.")
    return Refused("parcel_moved_on", sentence)


def reopen(*, visit: Visit, at: datetime, actor: str) -> list[int]:
    """The stop as it was before the evening closed it, tomorrow's draft without its deliveries; whose they are.

    What was touched since stays as it is. The hand-over, or what failed it (`complete`, `fail`, with `more`: nobody
    else waits for this van), follows in the same transaction.
    """
    with transaction.atomic():
        visit = Visit.objects.select_for_update(of=("self",)).select_related("route").get(pk=visit.pk)
        assert visit.route is not None
        touch(visit.route.pk)
        closed, closing = untouched(closed_by_the_evening(visit=visit, at=at)), visit.left_at
        assert closing is not None
        ids = [one.delivery for one in closed]
        for one in closed:
            release(delivery_id=one.delivery, actor=actor)
            withdraw_failure(delivery_id=one.delivery, since=closing, window=one.window, actor=actor)
        Drop.objects.filter(visit=visit, delivery__in=ids, is_hold=False).update(is_open=True)
        state = Visit.State.PLANNED if visit.arrived_at is None else Visit.State.ARRIVED
        Visit.objects.filter(pk=visit.pk).update(state=state, left_at=None)
    return ids


def note_late_failure(*, visit: Visit, at: datetime) -> None:
    """When the van left a door in vain that was closed since; what is planned for its deliveries stays."""
    Visit.objects.filter(pk=visit.pk, state=Visit.State.FAILED, left_at__gt=at).update(left_at=at)


def note_late_arrival(*, visit: Visit, at: datetime) -> bool:
    """When the van stood at a door that was closed since; False when that says nothing new."""
    closed = Visit.objects.filter(pk=visit.pk, state=Visit.State.FAILED, arrived_at=None, left_at__gt=at)
    return bool(closed.filter(route__departed_at__lte=at).update(arrived_at=at))


def left_last(route: Route) -> datetime | None:
    """When the van left its last door; what was closed without it does not count."""
    left = Visit.objects.filter(route=route, left_at__isnull=False)
    if route.finished_at is not None:
        left = left.filter(left_at__lt=F("route__finished_at"))
    return left.order_by("-left_at").values_list("left_at", flat=True).first()


def _closed(delivery_id: int) -> Closed | None:
    """None unless the system itself failed it last."""
    rows = Event.objects.filter(delivery_id=delivery_id, kind__in=_MOVES).order_by("pk")
    told = list(rows.values_list("kind", "payload", "actor"))
    failed = [index for index, row in enumerate(told) if _is_failure(*row[:2])]
    if not failed or told[failed[-1]][2] != "system":
        return None
    since = told[failed[-1] + 1 :]
    return Closed(delivery_id, _first_window(since), any(actor != "system" for _kind, _payload, actor in since))


def _is_failure(kind: str, payload: dict[str, Any]) -> bool:
    return kind == happened.STATE_CHANGED and payload["to"] == State.FAILED


def _first_window(since: Sequence[tuple[str, dict[str, Any], str]]) -> TimeWindow | None:
    for kind, payload, _actor in since:
        if kind == happened.WINDOW_CHANGED:
            earliest, latest = (datetime.fromisoformat(instant) for instant in payload["from"])
            return TimeWindow(earliest, latest)
    return None
