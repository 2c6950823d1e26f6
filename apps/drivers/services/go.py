"""The way: leaving the depot, standing at a door, having read what is new."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotFound, Refused
from apps.deliveries.models import ContactTry
from apps.deliveries.services import record_contact_try
from apps.drivers.models import Notice
from apps.drivers.services.own import actor_of, deliveries_at, own_delivery, own_route, own_visit, tried_for
from apps.drivers.services.rest import rest
from apps.drivers.unread import unread_at
from apps.fleet.models import Driver
from apps.instructions import services as instructions
from apps.routing import services as routing
from apps.routing.models import Visit


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: the same had been said before, nothing was changed."""

    visit: int
    state: str
    again: bool
    left_out: tuple[str, ...] = ()
    """References of what was at the stop, but somebody has touched since the evening: nothing was said of those."""

    def as_answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"visit": self.visit, "state": self.state, "again": self.again}
        if self.left_out:
            answer |= {
                "left_out": self.left_out,
                "message": f"{', '.join(self.left_out)}: {routing.moved_on().message}",
            }
        return answer


def depart(*, driver: Driver, at: datetime | None = None, more: bool = False) -> bool:
    """The van leaves; False when it had left before."""
    return routing.depart(route=own_route(driver, at), actor=actor_of(driver), at=at, more=more)


def arrive(*, driver: Driver, visit_id: int, at: datetime | None = None, more: bool = False) -> Outcome:
    """The van stands at the door. Refused("acknowledge_first") while something new for this stop is unread."""
    visit = own_visit(driver, visit_id, at)
    if at is not None and routing.note_late_arrival(visit=visit, at=at):
        return Outcome(visit.pk, visit.state, again=False)
    if visit.state in (Visit.State.DONE, Visit.State.FAILED):
        raise Refused("stop_closed", _("This stop is closed already."))
    if visit.state == Visit.State.PLANNED and _must_read_first(visit):
        unread = unread_at(visit)
        if unread:
            sentence = _("There is something new for this stop. Read it and confirm, then tap “I am here” again.")
            raise Refused("acknowledge_first", sentence, unread=unread)
    came = routing.arrive(visit=visit, actor=actor_of(driver), at=at, more=more)
    rest(driver=driver, begins=False, at=at)
    return Outcome(visit.pk, Visit.State.ARRIVED, not came)


def _must_read_first(visit: Visit) -> bool:
    return any(delivery.merchant.policy.ask_for_acknowledgement for delivery in deliveries_at(visit))


def acknowledge(*, driver: Driver, delivery: str, version: int, at: datetime | None = None) -> bool:
    """True when the instructions the driver has read are the current ones."""
    row = own_delivery(driver, delivery, at)
    return instructions.acknowledge_instruction(delivery_id=row.pk, version=version, driver_id=driver.pk)


def read_notice(*, driver: Driver, notice_id: int, at: datetime | None = None) -> bool:
    """The driver has read of a change; False when that was known. NotFound for another driver's."""
    mine = Notice.objects.filter(pk=notice_id, route=own_route(driver, at))
    if not mine.exists():
        raise NotFound("notice_not_found", _("That stop is not on your route today."))
    return bool(mine.filter(read_at=None).update(read_at=clock.now()))


def reveal_code(*, driver: Driver, delivery: str) -> str:
    """The door code of the next stop. Every look leaves an event."""
    return instructions.reveal_access_code(delivery=own_delivery(driver, delivery), driver_id=driver.pk)


def contact(*, driver: Driver, delivery: str, channel: str, at: datetime | None = None) -> bool:
    """Notes a call, a text or a ring at the door, for all of that person there; False when it was said before."""
    if channel not in ContactTry.Channel.values:
        raise NotFound("channel_unknown", _("Choose how you tried to reach them."))
    now = clock.now()
    at = min(at or now, now)
    tried, actor = tried_for(driver, delivery, at), actor_of(driver)
    with transaction.atomic():
        new = [record_contact_try(delivery_id=row.pk, channel=channel, at=at, actor=actor) for row in tried]
    return any(new)
