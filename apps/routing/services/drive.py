"""The van under way: departs, arrives, hands over or not. Repeating a call changes nothing.

`more` says that the phone has more to tell of this van, all of it past: times, pages and words to the next customer
wait for `catch_up`, so that nobody is told of a stop that is done already.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import Delivery, Place
from apps.deliveries.services import bump_pages, move_states
from apps.deliveries.states import ON_A_VAN, State
from apps.events.services import emit
from apps.routing import events
from apps.routing.collecting import open_collection
from apps.routing.models import Drop, Incident, Route, Visit
from apps.routing.planner.solution import Reason
from apps.routing.rows import REMAINING, is_on_van, scanned_since
from apps.routing.services.at_counter import at_counter, collected_first
from apps.routing.services.incidents import note
from apps.routing.services.late_word import left_last
from apps.routing.services.leave_behind import leave_behind
from apps.routing.services.roll_forward import keep_rolling, snapshot_of
from apps.routing.services.watch_day import keep_watching
from apps.routing.services.write_routes import announce, confirm, touch, write
from apps.routing.stops import day_began


def depart(*, route: Route, actor: str, at: datetime | None = None, more: bool = False) -> bool:
    """The van leaves the depot; False when it had left already. Refused("off_the_road") for a sick driver's shift.

    What was loaded is out for delivery, with the parcels that are there. Where anything was scanned, a delivery of
    which nothing was stays behind, without a route; where nothing was, this depot does not scan and everything counts.
    """
    at = _sane(at)
    if route.shift.sick_at is not None or route.shift.broken_down_at is not None:
        raise Refused("off_the_road", _("This van is off the road today. Please call the depot."))
    with transaction.atomic():
        left = Route.objects.filter(pk=route.pk, departed_at=None).update(departed_at=at, revision=F("revision") + 1)
        if not left:
            return False
        _set_out(route, actor, at)
        _moved_on(route.pk, actor, more=more)
        keep_rolling(route_id=route.pk)
        keep_watching(plan_id=route.plan_id)
    route.refresh_from_db()
    return True


def _set_out(route: Route, actor: str, at: datetime) -> None:
    """What goes along from the depot now: until the van calls there again, and what it is to collect on the way."""
    again = _remaining(route).filter(kind=Visit.Kind.RELOAD, state=Visit.State.PLANNED).order_by("sequence").first()
    drops = _open_drops(route)
    if again is not None:
        drops = drops.filter(visit__sequence__lt=again.sequence)
    scanned = scanned_since(day_began(route.plan), "delivery_id")
    rows = list(drops.values_list("delivery_id", "delivery__state", "delivery__kind", scanned))
    at_shops = set(open_collection([row[0] for row in rows]))
    rows = [row for row in rows if row[0] not in at_shops]
    to_collect = {delivery for delivery, _state, kind, _scanned in rows if kind == Delivery.Kind.RETURN}
    # What is out already left with the first load; whether the second was scanned says nothing about it.
    waiting = {delivery for delivery, state, *_rest in rows if state != State.OUT} - to_collect
    aboard = {row[0] for row in rows if row[0] in waiting and is_on_van(row[1], scanned=row[3])}
    if aboard:
        leave_behind(visits=_remaining(route), deliveries=waiting - aboard, reason=Reason.LEFT_DEPOT)
    move_states(delivery_ids=(aboard or waiting) | to_collect, to=State.OUT, actor=actor, at=at)


def arrive(*, visit: Visit, actor: str, at: datetime | None = None, more: bool = False) -> bool:
    """The van stands at the door; False when it did already. Another stop than the next one becomes the next one.

    Refused("not_departed") while the van is at the depot.
    """
    at = _sane(at)
    with transaction.atomic():
        now, route = _claimed(visit)
        collected_first(now)
        if not _comes(now, _possible(route, now, at)):
            return False
        _moved_on(route.pk, actor, next_stop=False, more=more)
    visit.refresh_from_db()
    return True


def complete(
    *, visit: Visit, actor: str, at: datetime | None = None, without: Collection[int] = (), more: bool = False
) -> list[int]:
    """Everything at this stop is handed over; the deliveries it was (empty when it had been done already).

    Deliveries named in `without` stay at a stop of their own, where the van is as well: `fail` ends that one.

    At an address they are *delivered*. At a pick-up point they stay *out*: redirection.services.store_at_point is
    called for each, which makes them ready to collect. Returns are *on their way back*. At the depot, in the middle of
    the day, what was loaded there is *out*.
    """
    return _finish(visit, Visit.State.DONE, _sane(at), actor, without=without, more=more)


def fail(*, visit: Visit, reason: str, actor: str, at: datetime | None = None, more: bool = False) -> list[int]:
    """Nothing could be handed over, for this reason (a code); the deliveries it was. Their parcels stay on the van."""
    with transaction.atomic():
        failed = _finish(visit, Visit.State.FAILED, _sane(at), actor, reason=reason, more=more)
        if failed and visit.route is not None:
            kind, key = Incident.Kind.FAILED_STOP, f"failed:{visit.pk}"
            note(plan=visit.plan, kind=kind, key=key, routes=[visit.route.pk], visit=visit, figures={"reason": reason})
    return failed


def catch_up(*, route_id: int, actor: str, next_stop: bool = True) -> None:
    """What a van's changes told with `more` mean for everybody else, in the transaction that made them.

    `next_stop` says that the van has another stop before it than the one people were told of.
    """
    with transaction.atomic():
        touch(route_id)
        _moved_on(route_id, actor, next_stop=next_stop)


def stop_of(delivery_id: int) -> Visit | None:
    """Where a delivery stands in the plan now."""
    return Visit.objects.filter(drops__delivery=delivery_id, drops__is_open=True, drops__is_hold=False).first()


def _finish(
    visit: Visit,
    state: str,
    at: datetime,
    actor: str,
    *,
    reason: str = "",
    without: Collection[int] = (),
    more: bool = False,
) -> list[int]:
    with transaction.atomic():
        now, route = _claimed(visit)
        collected_first(now)
        at = _possible(route, now, at)
        _comes(now, at)
        _set_aside(visit.pk, without)
        ended = Visit.objects.filter(pk=visit.pk, state=Visit.State.ARRIVED).update(state=state, left_at=at)
        if not ended:
            return []
        if now.kind == Visit.Kind.RELOAD:
            _set_out(route, actor, at)
        if now.collects_id is not None:
            collected = at_counter(
                now, is_done=state == Visit.State.DONE, actor=actor, at=at, began=day_began(route.plan)
            )
            _moved_on(route.pk, actor, more=more)
            visit.refresh_from_db()
            return collected
        drops = Drop.objects.filter(visit=visit.pk, is_open=True, is_hold=False)
        here = drops.filter(Q(delivery__state__in=ON_A_VAN) | Q(delivery__kind=Delivery.Kind.RETURN))
        kinds = dict(here.values_list("delivery_id", "delivery__kind"))
        deliveries = sorted(kinds)
        returns = [pk for pk in deliveries if kinds[pk] == Delivery.Kind.RETURN]
        here.update(is_open=False)
        # What is not on this van cannot have been handed over; it still waits for one.
        absent = set(drops.values_list("delivery_id", flat=True))
        leave_behind(visits=Visit.objects.filter(pk=visit.pk), deliveries=absent, reason=Reason.LEFT_DEPOT)
        if state == Visit.State.FAILED:
            move_states(delivery_ids=deliveries, to=State.FAILED, actor=actor, reason=reason, at=at)
        else:
            _handed_over(now, set(deliveries) - set(returns), actor, at)
            move_states(delivery_ids=returns, to=State.OUT, actor=actor, at=at)
            move_states(delivery_ids=returns, to=State.RETURNING, actor=actor, at=at)
        _moved_on(route.pk, actor, more=more)
    visit.refresh_from_db()
    return deliveries


def _set_aside(visit_id: int, deliveries: Collection[int]) -> None:
    """Gives these deliveries of a stop a stop of their own, directly behind it; the van has arrived at both."""
    drops = Drop.objects.filter(visit=visit_id, delivery__in=deliveries, is_open=True, is_hold=False)
    if not deliveries or not drops.exists():
        return
    aside = Visit.objects.get(pk=visit_id)
    aside.pk, aside.sequence = None, aside.sequence + 1
    Visit.objects.filter(route=aside.route_id, state__in=REMAINING, sequence__gte=aside.sequence).update(
        sequence=F("sequence") + 1
    )
    aside.save(force_insert=True)
    drops.update(visit=aside)


def _handed_over(visit: Visit, deliveries: Collection[int], actor: str, at: datetime) -> None:
    if visit.place.kind == Place.Kind.ADDRESS:
        move_states(delivery_ids=deliveries, to=State.DELIVERED, actor=actor, at=at)


def _claimed(visit: Visit) -> tuple[Visit, Route]:
    """The visit as it stands now and its route, which is this transaction's from here on."""
    _before, claimed = _as_it_stands(visit)
    touch(claimed.pk)
    now, route = _as_it_stands(visit)
    if route.pk != claimed.pk:
        touch(route.pk)
    return now, route


def _as_it_stands(visit: Visit) -> tuple[Visit, Route]:
    now = Visit.objects.select_related("route__plan__depot", "place").filter(pk=visit.pk).first()
    if now is None:
        raise NotFound("stop_not_found", _("That stop is not on your route today."))
    if now.route is None or now.route.departed_at is None:
        raise Refused("not_departed", _("The van has not left the depot yet."))
    return now, now.route


def _comes(visit: Visit, at: datetime) -> bool:
    """The van is at the door; False when it was already."""
    came = Visit.objects.filter(pk=visit.pk, state=Visit.State.PLANNED).update(state=Visit.State.ARRIVED, arrived_at=at)
    if came:
        _put_first(visit)
    return bool(came)


def _moved_on(route_id: int, actor: str, *, next_stop: bool = True, more: bool = False) -> None:
    """New times for the rest of the route, a new version of every page on it, and a word to whoever is next."""
    if more:
        return
    route = Route.objects.select_related("plan__depot", "shift__vehicle").get(pk=route_id)
    snapshot = snapshot_of(route)
    van = str(route.shift_id)
    written = write(snapshot, snapshot.timetable, confirm(snapshot, [van]))
    announce(route.plan_id, [route_id], written, actor=actor)
    waiting = set(_open_drops(route).values_list("delivery_id", flat=True))
    bump_pages(delivery_ids=waiting - written.moved - written.renumbered)
    first = Visit.objects.filter(route=route_id, state__in=REMAINING, hold_until=None).order_by("sequence").first()
    if first is None:
        Route.objects.filter(pk=route_id, finished_at=None).update(finished_at=clock.now())
    elif next_stop:
        _tell_next(route.plan_id, Drop.objects.filter(visit=first, is_open=True).values_list("delivery_id", flat=True))


def _tell_next(plan: int, deliveries: Iterable[int]) -> None:
    for delivery in sorted(deliveries):
        emit(events.NEXT_STOP, delivery_id=delivery, plan_id=plan)


def _put_first(visit: Visit) -> None:
    """A driver who goes somewhere else first has decided; the plan follows."""
    remaining = Visit.objects.filter(route=visit.route_id, state__in=REMAINING)
    first = remaining.exclude(pk=visit.pk).order_by("sequence").values_list("sequence", flat=True).first()
    if first is None or first > visit.sequence:
        return
    remaining.filter(sequence__lt=visit.sequence).update(sequence=F("sequence") + 1)
    Visit.objects.filter(pk=visit.pk).update(sequence=first)


def _remaining(route: Route) -> QuerySet[Visit]:
    return Visit.objects.filter(route=route, state__in=REMAINING)


def _open_drops(route: Route) -> QuerySet[Drop]:
    return Drop.objects.filter(visit__route=route, visit__state__in=REMAINING, is_open=True, is_hold=False)


def _sane(at: datetime | None) -> datetime:
    """A phone's clock may be wrong: nothing happens in the future."""
    now = clock.now()
    return now if at is None else min(at, now)


def _possible(route: Route, visit: Visit, at: datetime) -> datetime:
    """Nor may it say that the van stood at a door before it had left the depot, or the door before."""
    return max(moment for moment in (at, route.departed_at, left_last(route), visit.arrived_at) if moment is not None)
