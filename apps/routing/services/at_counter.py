"""At the counter of a shop: what is collected goes on with the same van, or its people are told."""

from datetime import datetime

from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.deliveries.models import Parcel
from apps.deliveries.services import load_parcel, move_state
from apps.deliveries.states import State
from apps.routing.collecting import open_collection
from apps.routing.models import Drop, Visit
from apps.routing.planner.solution import Reason
from apps.routing.services.leave_behind import leave_behind


def collected_first(visit: Visit) -> None:
    """Refused("not_collected") for a stop whose goods still lie in a shop that the van has not been to."""
    drops = Drop.objects.filter(visit=visit.pk, is_open=True, is_hold=False)
    waiting = open_collection(drops.values_list("delivery_id", flat=True))
    for shop in waiting.values():
        raise Refused("not_collected", _("First collect this at %(place)s.") % {"place": shop.place})


def at_counter(visit: Visit, *, is_done: bool, actor: str, at: datetime, began: datetime) -> list[int]:
    """What the stop at the shop means for its delivery: on board and on its way, or not today; its id.

    Runs inside the caller's transaction, which has claimed the route. `began` is the day's midnight.
    """
    delivery = visit.collects
    assert delivery is not None
    if is_done:
        for parcel in Parcel.objects.filter(delivery=delivery).order_by("pk"):
            load_parcel(parcel_id=parcel.pk, at=at, day_began=began)
        for state in (State.PLANNED, State.LOADED, State.OUT):
            move_state(delivery_id=delivery.pk, to=state, actor=actor, at=at)
    else:
        there = Visit.objects.filter(drops__delivery=delivery, drops__is_open=True, drops__is_hold=False)
        leave_behind(visits=there, deliveries=[delivery.pk], reason=Reason.COLLECTION)
    return [delivery.pk]
