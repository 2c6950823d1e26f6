"""What a phone kept while it had no signal: told in its order, with its times, each thing once."""

import logging
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import DoorstepError, InvalidInput, Throttled
from apps.drivers.models import PhoneEvent
from apps.drivers.rules import Shown
from apps.drivers.services import give_up, go, hand_over
from apps.drivers.services.go import Outcome
from apps.drivers.services.messages import read_message
from apps.drivers.services.own import actor_of
from apps.drivers.services.rest import rest
from apps.fleet.models import Driver
from apps.routing import services as routing
from apps.routing.models import Route

MOST_EVENTS = 200
_PREPARED = frozenset({"complete", "fail"})
# What one event may break with, for a reason nobody thought of, without taking the others of its batch along.
_SURPRISES = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, struct.error)
# After these the van has another next stop.
_MOVES_ON = frozenset({"depart", "complete", "fail"})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a driver tapped. `id` is the phone's, `at` the domain's instant, `fault` why it could not be read."""

    id: str
    kind: str
    at: datetime
    visit: int = 0
    delivery: str = ""
    version: int = 0
    notice: int = 0
    message: int = 0
    sentence: str = ""
    reason: str = ""
    channel: str = ""
    anyway: str = ""
    begins: bool = False
    shown: Shown = field(default_factory=Shown)
    fault: DoorstepError | None = None


Answer = dict[str, Any]
Prepared = hand_over.Ready | Outcome | ContentFile | DoorstepError | None
logger = logging.getLogger(__name__)


def replay(*, driver: Driver, events: Sequence[Told], more: bool = False) -> list[Answer]:
    """One answer per event, in their order: {"id", "ok", "again", …} or {"id", "ok": False, "code", "message"}.

    What was answered before is answered the same and changes nothing. Everything is one transaction, so whoever hears
    of it sees how it ended, not what was passed through; times, pages and words to the next customer follow once, at
    the end, or with the last batch when `more` batches follow.
    """
    if len(events) > MOST_EVENTS:
        raise InvalidInput("too_many_events", _("That was too much at once."))
    known = _known(driver, events)
    # Pictures are read and codes are tried first: neither may hold a lock, and a wrong code must stay counted.
    ready = {told.id: _prepared(driver, told) for told in events if told.kind in _PREPARED and told.id not in known}
    with transaction.atomic():
        answers = [known.get(told.id) or _once(driver, told, ready) for told in events]
        changed = {answer["kind"] for answer in answers if answer["ok"] and not answer["again"]}
        if changed & {*_MOVES_ON, "arrive"} and not more:
            _catch_up(driver, next_stop=bool(changed & _MOVES_ON))
    return answers


def _known(driver: Driver, events: Sequence[Told]) -> dict[str, Answer]:
    rows = PhoneEvent.objects.filter(driver=driver, client_id__in=[told.id for told in events])
    return {row.client_id: {**row.answer, "again": True} for row in rows}


def _prepared(driver: Driver, told: Told) -> Prepared:
    if told.fault is not None:
        return told.fault
    try:
        if told.kind == "fail":
            return give_up.picture_of(told.shown)
        return hand_over.get_ready(driver=driver, visit_id=told.visit, shown=told.shown, at=told.at)
    except Throttled:
        raise
    except DoorstepError as error:
        return error
    except _SURPRISES:
        return _surprised(told)


def _once(driver: Driver, told: Told, ready: Mapping[str, Prepared]) -> Answer:
    """Does it and keeps the answer; whoever says the same at the same moment waits, and hears the answer."""
    row, is_new = PhoneEvent.objects.get_or_create(
        driver=driver,
        client_id=told.id,
        defaults={"kind": told.kind[:16], "at": told.at, "received_at": clock.now()},
    )
    if not is_new:
        return {**row.answer, "again": True}
    answer: Answer = {"id": told.id, "kind": told.kind, "ok": True, "again": False}
    try:
        with transaction.atomic():
            answer |= _done(driver, told, ready.get(told.id))
    except DoorstepError as error:
        answer |= _refusal(error)
    except _SURPRISES:
        answer |= _refusal(_surprised(told))
    row.answer = answer
    row.save(update_fields=["answer"])
    return answer


def _surprised(told: Told) -> DoorstepError:
    logger.exception("phone event %s (%s) could not be taken", told.id, told.kind)
    return InvalidInput("not_taken", _("The phone sent something that could not be read."))


def _refusal(error: DoorstepError) -> Answer:
    return {"ok": False, "code": error.code, "message": error.message}


def _done(driver: Driver, told: Told, ready: Prepared) -> Answer:
    if told.fault is not None:
        raise told.fault
    if isinstance(ready, DoorstepError):
        raise ready
    if isinstance(ready, hand_over.Ready):
        return hand_over.finish(driver=driver, ready=ready, at=told.at, more=True).as_answer()
    if isinstance(ready, Outcome):
        return ready.as_answer()
    kinds: dict[str, Callable[[], Answer]] = {
        "depart": lambda: {"again": not go.depart(driver=driver, at=told.at, more=True)},
        "arrive": lambda: go.arrive(driver=driver, visit_id=told.visit, at=told.at, more=True).as_answer(),
        "rest": lambda: {"again": not rest(driver=driver, begins=told.begins, at=told.at)},
        "fail": lambda: _failed(driver, told, ready if isinstance(ready, ContentFile) else None).as_answer(),
        "acknowledge": lambda: {
            "current": go.acknowledge(driver=driver, delivery=told.delivery, version=told.version, at=told.at)
        },
        "read": lambda: {"again": not go.read_notice(driver=driver, notice_id=told.notice, at=told.at)},
        "message": lambda: {
            "again": not read_message(driver=driver, message_id=told.message, sentence=told.sentence, at=told.at)
        },
        "contact": lambda: {
            "again": not go.contact(driver=driver, delivery=told.delivery, channel=told.channel, at=told.at)
        },
    }
    if told.kind not in kinds:
        raise InvalidInput("kind_unknown", _("The phone sent something that could not be read."))
    return kinds[told.kind]()


def _failed(driver: Driver, told: Told, photo: ContentFile | None) -> Outcome:
    return give_up.fail(
        driver=driver,
        visit_id=told.visit,
        reason=told.reason,
        shown=told.shown,
        anyway=told.anyway,
        at=told.at,
        more=True,
        photo=photo,
    )


def _catch_up(driver: Driver, *, next_stop: bool) -> None:
    under_way = Route.objects.filter(shift__driver=driver, departed_at__isnull=False, finished_at=None)
    for route_id in under_way.order_by("pk").values_list("pk", flat=True):
        routing.catch_up(route_id=route_id, actor=actor_of(driver), next_stop=next_stop)
