"""What others may read of instructions, and where the driver is when it matters."""

from apps.instructions.models import Instruction
from apps.routing.models import Drop, Visit


def instruction_of(delivery_id: int) -> Instruction | None:
    return Instruction.objects.filter(delivery=delivery_id).first()


def is_at_the_door(delivery_id: int) -> bool:
    return Drop.objects.filter(
        delivery=delivery_id, is_open=True, is_hold=False, visit__state=Visit.State.ARRIVED
    ).exists()


def is_drivers_next_stop(delivery_id: int, driver_id: int) -> bool:
    """Whether this driver stands at the delivery's stop or drives to it now."""
    visit = Visit.objects.filter(
        drops__delivery=delivery_id,
        drops__is_open=True,
        drops__is_hold=False,
        state__in=Visit.REMAINING,
        route__shift__driver=driver_id,
        route__departed_at__isnull=False,
    ).first()
    if visit is None:
        return False
    before = Visit.objects.filter(
        route=visit.route_id, state__in=Visit.REMAINING, sequence__lt=visit.sequence, hold_until=None
    )
    return not before.exists()
