"""Wakes a worker now instead of at its next tick. A lost nudge costs a second, never a reaction."""

from datetime import timedelta

from django.db import connection, transaction
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from apps.core import clock

TASK = "apps.events.tasks.dispatch"
# A nudge due within this many seconds of the wanted moment serves as well.
_CLOSE_ENOUGH = timedelta(seconds=0.1)
_LONGEST_DELAY_SECONDS = 30.0


def nudge_after_commit(delay_seconds: float = 0.0) -> None:
    """Asks for one dispatch `delay_seconds` (wall) from now, once the surrounding transaction is in.

    SQLite has one writer, so the nudge can be part of that transaction; on PostgreSQL a nudge that is waiting now may
    be spent before this transaction commits, so it is asked for afterwards.
    """
    if delay_seconds > _LONGEST_DELAY_SECONDS:
        return
    if connection.vendor == "sqlite":
        _ask(delay_seconds)
    else:
        transaction.on_commit(lambda: _ask(delay_seconds), robust=True)


def enqueue(cluster: str = "", delay_seconds: float = 0.0) -> int:
    """Puts one dispatch into django-q2's table (its broker cannot delay) and returns the row's id."""
    name, identity = uuid()
    now = clock.wall()
    task = {"id": identity, "name": name, "func": TASK, "args": (), "kwargs": {}, "started": now, "ack_failure": True}
    row = OrmQ.objects.create(
        key=cluster or Conf.CLUSTER_NAME,
        payload=SignedPackage.dumps(task),
        lock=now + timedelta(seconds=delay_seconds),
    )
    return int(row.pk)


def _ask(delay_seconds: float) -> None:
    wanted = clock.wall() + timedelta(seconds=delay_seconds)
    pending = OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__lte=wanted + _CLOSE_ENOUGH)
    if delay_seconds:
        pending = pending.filter(lock__gte=wanted - _CLOSE_ENOUGH)
    if not pending.exists():
        enqueue(delay_seconds=delay_seconds)
