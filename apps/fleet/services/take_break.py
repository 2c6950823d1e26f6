"""A driver's break: the van is on nobody's map until it is over."""

from django.db import transaction

from apps.core import clock
from apps.events.services import emit
from apps.fleet import events
from apps.fleet.models import Shift


def begin_break(*, shift_id: int, actor: str) -> bool:
    """True when the break begins now; False when it had begun. Arriving at the next door ends it as well."""
    with transaction.atomic():
        begun = Shift.objects.filter(pk=shift_id, break_began_at=None).update(break_began_at=clock.now())
        if begun:
            emit(events.BREAK_CHANGED, payload={"shift": shift_id, "began": True}, actor=actor)
    return bool(begun)


def end_break(*, shift_id: int, actor: str) -> bool:
    """True when a break ends now."""
    with transaction.atomic():
        ended = Shift.objects.filter(pk=shift_id).exclude(break_began_at=None).update(break_began_at=None)
        if ended:
            emit(events.BREAK_CHANGED, payload={"shift": shift_id, "began": False}, actor=actor)
    return bool(ended)
