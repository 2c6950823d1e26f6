"""What a driver has not read yet of changes to the round."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apps.deliveries.models import Place
from apps.drivers.models import Notice
from apps.instructions.models import Instruction
from apps.routing.models import Drop, Route, Visit


@dataclass(frozen=True, slots=True)
class Unread:
    """One change. `delivery` is its public id; `sentence` says what to do about it."""

    notice: int
    kind: str
    delivery: str
    recipient: str
    where: str
    sentence: str
    made_at: datetime


def unread_of(route: Route) -> tuple[Unread, ...]:
    """Unread changes of a route, oldest first."""
    rows = Notice.objects.filter(route=route, read_at=None).select_related("delivery__recipient", "delivery__place")
    return tuple(_line(row) for row in rows.order_by("pk"))


def unread_at(visit: Visit) -> list[str]:
    """What must be read before arriving at a stop: public ids of deliveries with new instructions or changes."""
    here = Drop.objects.filter(visit=visit, is_open=True, is_hold=False).values("delivery")
    told = Instruction.objects.filter(delivery__in=here).select_related("delivery")
    changed = Notice.objects.filter(delivery__in=here, route=visit.route_id, read_at=None).select_related("delivery")
    unread = {row.delivery.public_id for row in told if row.acknowledged_version < row.version}
    return sorted(unread | {row.delivery.public_id for row in changed})


def _line(row: Notice) -> Unread:
    place: Place = row.delivery.place
    return Unread(
        notice=row.pk,
        kind=row.kind,
        delivery=row.delivery.public_id,
        recipient=row.delivery.recipient.name,
        where=f"{place.street} {place.house_number}, {place.town}".replace(" ,", ","),
        sentence=_sentence(row.kind),
        made_at=row.made_at,
    )


def _sentence(kind: str) -> str:
    return {
        Notice.Kind.WINDOW: _("They chose another time today. The order of your stops takes care of it."),
        Notice.Kind.PLACE: _("It goes to another place now. Look at the address again."),
        Notice.Kind.CANCELLED: _("This one was called off. Bring the parcel back to the depot."),
        Notice.Kind.OTHER_DAY: _("This one is not for today any more. Bring the parcel back to the depot."),
    }[Notice.Kind(kind)]
