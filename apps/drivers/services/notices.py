"""A change to a van under way: its driver is told and must confirm; whoever does not is told of to the dispatcher."""

from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.deliveries.events import STATE_CHANGED
from apps.deliveries.states import State
from apps.drivers import events
from apps.drivers.models import Notice
from apps.events.models import Event
from apps.events.services import emit, react
from apps.instructions.models import Instruction
from apps.routing.models import Drop, Route

ALARM_HANDLER = "apps.drivers.handlers.look_whether_read"
PATIENCE = timedelta(minutes=3)


def notice_change(*, delivery_id: int, kind: str, event: int) -> Notice | None:
    """Tells the driver who has, or had, this delivery on a van under way; None when nobody has. Harmless twice."""
    route_id = _route_of(delivery_id)
    if route_id is None:
        route_id = _route_that_took(delivery_id)
        kind = Notice.Kind.OTHER_DAY if kind == Notice.Kind.WINDOW else kind
    if route_id is None:
        return None
    with transaction.atomic():
        notice, is_new = Notice.objects.get_or_create(
            event=event, delivery_id=delivery_id, defaults={"route_id": route_id, "kind": kind, "made_at": clock.now()}
        )
        if is_new:
            react(ALARM_HANDLER, payload={"notice": notice.pk}, due_at=clock.now() + PATIENCE, delivery_id=delivery_id)
    return notice


def expect_reading(*, delivery_id: int, version: int) -> bool:
    """Looks again in a while whether new instructions were read; False when their van is not under way."""
    under_way = Drop.objects.filter(
        delivery=delivery_id, is_open=True, visit__route__departed_at__isnull=False, visit__route__finished_at=None
    )
    if not under_way.exists():
        return False
    react(
        ALARM_HANDLER,
        payload={"version": version},
        due_at=clock.now() + PATIENCE,
        delivery_id=delivery_id,
        dedupe_key=f"read:{delivery_id}:{version}",
    )
    return True


def alarm(*, delivery_id: int, notice_id: int | None = None, version: int | None = None) -> bool:
    """Announces that a change is unread although its time is over; False when it was read or is no longer needed."""
    with transaction.atomic():
        if notice_id is not None:
            unread = Notice.objects.filter(pk=notice_id, read_at=None, alarmed_at=None, route__finished_at=None)
            is_unread = bool(unread.update(alarmed_at=clock.now()))
        elif version is None:
            is_unread = False
        else:
            instruction = Instruction.objects.filter(delivery=delivery_id, version=version)
            open_drop = Drop.objects.filter(delivery=delivery_id, is_open=True, visit__route__isnull=False)
            is_unread = instruction.exclude(acknowledged_version=version).exists() and open_drop.exists()
        if is_unread:
            emit(events.NOTICE_UNREAD, delivery_id=delivery_id, payload={"notice": notice_id, "version": version})
    return is_unread


def _route_of(delivery_id: int) -> int | None:
    """The route under way that brings it."""
    rows = Drop.objects.filter(
        delivery=delivery_id,
        is_open=True,
        is_hold=False,
        visit__route__departed_at__isnull=False,
        visit__route__finished_at=None,
    )
    return rows.values_list("visit__route", flat=True).first()


def _route_that_took(delivery_id: int) -> int | None:
    """The route under way whose driver left with it: its stop is gone, its parcels lie on the van."""
    left = Event.objects.filter(delivery_id=delivery_id, kind=STATE_CHANGED, payload__to=State.OUT)
    actor = left.order_by("-pk").values_list("actor", flat=True).first() or ""
    kind, _colon, driver = actor.partition(":")
    if kind != "driver" or not driver.isdigit():
        return None
    rows = Route.objects.filter(shift__driver=int(driver), departed_at__isnull=False, finished_at=None)
    return rows.values_list("pk", flat=True).first()
