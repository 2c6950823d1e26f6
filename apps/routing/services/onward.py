"""A parcel that could not be handed over and is on board still: to another place on the same round."""

from collections.abc import Callable
from dataclasses import replace

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery
from apps.deliveries.services import move_state
from apps.deliveries.states import ONWARD, State
from apps.routing.models import Drop, Incident, Route, Visit
from apps.routing.services.change_plan import Proposal, commit, with_retries
from apps.routing.services.incidents import note
from apps.routing.services.roll_forward import keep_rolling
from apps.routing.services.subject import Standing, Subject, subject_of
from apps.routing.services.watch_day import keep_watching
from apps.routing.stops import Whereabouts, zone_of


def failed_today(delivery_id: int) -> Visit | None:
    """The stop at which the delivery was not handed over, while the van that has it may still drive today."""
    drops = Drop.objects.filter(
        delivery=delivery_id,
        is_open=False,
        is_hold=False,
        visit__state=Visit.State.FAILED,
        visit__route__departed_at__isnull=False,
        visit__route__shift__ends_at__gt=clock.now(),
        visit__route__shift__broken_down_at=None,
        visit__route__shift__sick_at=None,
    )
    drop = drops.select_related("visit__route", "visit__plan__depot").order_by("-pk").first()
    if drop is None:
        return None
    today = clock.now().astimezone(zone_of(drop.visit.plan.depot)).date()
    return drop.visit if drop.visit.plan.day == today else None


def bring_on(
    *, delivery: Delivery, failed: Visit, place: Whereabouts, window: TimeWindow, write: Callable[[], Delivery]
) -> Delivery:
    """The delivery on its way to that place with the van that has it. Refused when that van cannot.

    `write` changes the delivery in the same transaction.
    """
    assert failed.route is not None
    shift = failed.route.shift_id

    def subject() -> Subject:
        own = (Standing(failed.plan.day, shift, is_hold=False),)
        found = subject_of(delivery, place)
        return replace(found, depot=failed.plan.depot, standing=own, carried_by=shift, returning=None)

    def act(proposal: Proposal) -> Delivery:
        written = write()
        visit = commit(proposal, delivery=written, actor="system")
        if proposal.insertion.merge_into is None:
            Visit.objects.filter(pk=visit).update(place=written.place_id)
        # It may have been the last stop of the round.
        if failed.route is not None and Route.objects.filter(shift=shift, finished_at__isnull=False).update(
            finished_at=None
        ):
            keep_rolling(route_id=failed.route.pk)
            keep_watching(plan_id=failed.plan_id)
        for state in (State.PLANNED, State.OUT):
            move_state(delivery_id=delivery.pk, to=state, actor="system", reason=ONWARD)
        return written

    return with_retries(subject, window, act)


def note_point_full(*, failed: Visit, delivery_id: int, brought_on: bool) -> bool:
    """Writes down that a point had no room for a delivery, and whether another one was found on the way."""
    routes = [failed.route.pk] if failed.route is not None else []
    figures = {"delivery": delivery_id, "brought_on": brought_on}
    kind = Incident.Kind.POINT_FULL
    return note(plan=failed.plan, kind=kind, key=f"full:{delivery_id}", routes=routes, visit=failed, figures=figures)
