"""Hands a delivery out at the counter of a point, against its code."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotAllowed
from apps.deliveries.models import Delivery, Proof
from apps.deliveries.services import move_state, record_proof, try_collection_code, use_collection_code
from apps.deliveries.states import State
from apps.events.services import emit
from apps.redirection import events
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.services.store_at_point import stop_waiting


def hand_out(*, point: PickupPoint, code: str, delivery_id: int | None = None, barcode: str = "") -> Delivery:
    """The collected delivery, named by id or by one of its barcodes.

    NotAllowed("code_wrong") for a wrong code and for whatever does not wait here; Refused("code_locked") after five
    tries. Call it outside a transaction: a wrong try must be counted.
    """
    waiting = Delivery.objects.filter(reservations__point=point, reservations__state=Reservation.State.STORED)
    if delivery_id is not None:
        waiting = waiting.filter(pk=delivery_id)
    else:
        waiting = waiting.filter(parcels__barcode=barcode.strip().replace("\0", "")[:40])
    delivery = waiting.first()
    typed = "".join(code[:40].split())
    if delivery is None or not try_collection_code(delivery_id=delivery.pk, code=typed):
        raise _wrong()
    actor = f"point:{point.pk}"
    with transaction.atomic():
        if not use_collection_code(delivery_id=delivery.pk):
            raise _wrong()
        Reservation.objects.filter(delivery=delivery, state=Reservation.State.STORED).update(
            state=Reservation.State.COLLECTED, ended_at=clock.now()
        )
        if not move_state(delivery_id=delivery.pk, to=State.COLLECTED, actor=actor):
            raise _wrong()
        record_proof(delivery=delivery, kind=Proof.Kind.HANDOUT, taken_at=clock.now())
        stop_waiting(delivery.pk)
        emit(events.HANDED_OUT, delivery_id=delivery.pk, payload={"point": point.pk}, actor=actor)
    delivery.refresh_from_db()
    return delivery


def _wrong() -> NotAllowed:
    return NotAllowed("code_wrong", _("That code does not belong to a parcel that waits here."))
