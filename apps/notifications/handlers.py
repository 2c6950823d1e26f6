"""What people are told when something happened. Each handler may run twice and late; the message's row is the guard."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Order, Place, Promise, StepUp
from apps.deliveries.selectors import is_same_person, is_whole_order_done, open_promise_of, parts_of_orders, zone_of
from apps.deliveries.services import open_promise
from apps.deliveries.states import ONWARD, OPEN, State
from apps.notifications import rules, services
from apps.notifications.catalogue import Trigger
from apps.notifications.models import Message
from apps.notifications.services.tell import was_told_of
from apps.routing import selectors as routing
from apps.routing.models import Visit

Payload = dict[str, Any]

ON_STATE: dict[str, Trigger] = {State.DELIVERED: Trigger.DELIVERED, State.FAILED: Trigger.FAILED}


def send_message(payload: Payload) -> None:
    services.send_message(message_id=payload["message"])


def on_created(payload: Payload) -> None:
    """Confirms the order and promises the agreed window."""
    _promise_window(payload, Trigger.CONFIRMED)


def on_changed(payload: Payload) -> None:
    """A new window or place: the agreed window is the new promise."""
    _promise_window(payload, Trigger.CHANGED)


def on_state_changed(payload: Payload) -> None:
    if payload["to"] == State.OUT:
        _tell_out_today(payload)
    elif payload["to"] in (State.DELIVERED, State.COLLECTED) and _ends_an_order(payload["delivery"]):
        _tell_all_delivered(payload)
    elif payload["to"] == State.FAILED and _delivery(payload).state == State.OUT:
        # Its van is taking it to another point already; that is what there is to tell.
        return
    elif payload["to"] in ON_STATE:
        _tell(payload, ON_STATE[payload["to"]])


def on_next_stop(payload: Payload) -> None:
    delivery = _delivery(payload)
    # Nobody waits at the door of a pick-up point: they hear when the parcel is ready.
    if delivery.place.kind == Place.Kind.ADDRESS and delivery.state == State.OUT:
        _tell(payload, Trigger.NEXT_STOP)


def on_stop_unserved(payload: Payload) -> None:
    """No van brings it in the agreed time; unless one was found meanwhile."""
    visit = routing.visit_of(payload["delivery"])
    if (visit is None or visit.route_id is None) and _delivery(payload).state in OPEN:
        _tell(payload, Trigger.NOT_AS_AGREED)


def on_stored(payload: Payload) -> None:
    _tell(payload, Trigger.READY_TO_COLLECT)


def on_cancelled(payload: Payload) -> None:
    _tell(payload, Trigger.CANCELLED)


def on_step_up_requested(payload: Payload) -> None:
    """The code itself is made while it is being sent; no row or task ever holds it."""
    step_up = StepUp.objects.get(pk=payload["step_up"])
    services.tell(
        delivery=_delivery(payload),
        trigger=Trigger.CODE,
        event_id=payload["event"],
        step_up_id=step_up.pk,
        channel=step_up.channel,
    )


def on_eta_changed(payload: Payload) -> None:
    """Tells those whose promise no longer holds, and nobody else."""
    for delivery_id in payload["deliveries"]:
        with transaction.atomic():
            delivery = _locked(delivery_id)
            promise = open_promise_of(delivery_id)
            visit = routing.visit_of(delivery_id)
            if delivery.state not in OPEN or promise is None or visit is None or visit.planned_arrival is None:
                continue
            if TimeWindow(promise.earliest, promise.latest).contains(visit.planned_arrival):
                continue
            _open_and_tell(
                delivery, _around_eta(visit, visit.planned_arrival, delivery), Trigger.CHANGED, payload["event"]
            )


def on_night_begun(_payload: Payload) -> None:
    services.forget_attempts()


def _ends_an_order(delivery_id: int) -> bool:
    """The last delivery of an order that came in several; what was called off is not waited for."""
    others = parts_of_orders([delivery_id]).get(delivery_id, [])
    counted = [one for one in others if one.state != State.CANCELLED]
    return bool(counted) and all(one.state in (State.DELIVERED, State.COLLECTED) for one in counted)


def _tell_all_delivered(payload: Payload) -> None:
    """One message for the whole order, in place of the last delivery's own. Two vans may end it in the same second."""
    with transaction.atomic():
        delivery = _locked(payload["delivery"])
        Order.objects.select_for_update().get(pk=delivery.order_id)
        told = Message.objects.filter(trigger=Trigger.ALL_DELIVERED, delivery__order=delivery.order_id)
        people = {person.pk: person for person in (row.recipient for row in told.select_related("recipient"))}
        if not any(is_same_person(person, delivery.recipient) for person in people.values()):
            _tell_last_part(delivery, payload["event"])


def _tell_last_part(delivery: Delivery, event_id: int) -> None:
    """All of a recipient's parts have come; to a buyer that is all of the order only when the others' have come too."""
    recipient, buyer = delivery.recipient, delivery.order.buyer
    if buyer.pk == recipient.pk or is_whole_order_done(delivery.order_id):
        services.tell(delivery=delivery, trigger=Trigger.ALL_DELIVERED, event_id=event_id)
        return
    services.tell(delivery=delivery, trigger=Trigger.ALL_DELIVERED, event_id=event_id, people=[recipient])
    services.tell(delivery=delivery, trigger=Trigger.DELIVERED, event_id=event_id, people=[buyer])


def _tell_out_today(payload: Payload) -> None:
    """The first honest promise of a round: around the ETA, narrower than the agreed window."""
    if payload.get("reason") == ONWARD:
        # The same van goes on with it, to another place: that change has a message of its own.
        return
    with transaction.atomic():
        delivery = _locked(payload["delivery"])
        if delivery.state != State.OUT or was_told_of(payload["event"], delivery.pk, Trigger.OUT_TODAY):
            return
        visit = routing.visit_of(delivery.pk)
        arrival = visit.planned_arrival if visit else None
        window = _around_eta(visit, arrival, delivery) if visit and arrival else delivery.window
        _open_and_tell(delivery, window, Trigger.OUT_TODAY, payload["event"])


def _promise_window(payload: Payload, trigger: Trigger) -> None:
    with transaction.atomic():
        delivery = _locked(payload["delivery"])
        if delivery.state not in OPEN or was_told_of(payload["event"], delivery.pk, trigger):
            return
        # Changed again before the confirmation was made: that change's own message tells the newest.
        if trigger == Trigger.CONFIRMED and Promise.objects.filter(delivery=delivery, version__gt=1).exists():
            return
        _open_and_tell(delivery, delivery.window, trigger, payload["event"])


def _open_and_tell(delivery: Delivery, window: TimeWindow, trigger: Trigger, event_id: int) -> None:
    promise = open_promise(delivery_id=delivery.pk, window=window)
    services.tell(delivery=delivery, trigger=trigger, promise_version=promise.version, event_id=event_id)


def _tell(payload: Payload, trigger: Trigger) -> None:
    """Tells a fact that promises nothing new."""
    with transaction.atomic():
        delivery = _locked(payload["delivery"])
        if was_told_of(payload["event"], delivery.pk, trigger):
            return
        promise = Promise.objects.filter(delivery=delivery).order_by("-version").first()
        version = promise.version if promise else 0
        services.tell(delivery=delivery, trigger=trigger, promise_version=version, event_id=payload["event"])


def _around_eta(visit: Visit, arrival: datetime, delivery: Delivery) -> TimeWindow:
    """What holds 19 times in 20 as a promise: wider than the page's pair, which holds 4 times in 5."""
    earliest = min(visit.sure_earliest or visit.eta_earliest or arrival, arrival)
    latest = max(visit.sure_latest or visit.eta_latest or arrival, arrival)
    return rules.promise_around(TimeWindow(earliest, latest), delivery.window, zone_of(delivery))


def _delivery(payload: Payload) -> Delivery:
    return Delivery.objects.select_related("merchant", "order__buyer", "recipient", "place").get(pk=payload["delivery"])


def _locked(delivery_id: int) -> Delivery:
    """The delivery under its row lock, so that two handlers of one delivery open their promises one after the other."""
    rows = Delivery.objects.select_for_update(of=("self",))
    return rows.select_related("merchant", "order__buyer", "recipient", "place").get(pk=delivery_id)
