"""Positions on their way into the rows: coalesced per sender in this process, written together.

A sender's first position is written within GATHER_SECONDS; what follows within GAP_SECONDS goes with the next write.
Losing the process without a warning loses half a second of positions, never a fact.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from time import monotonic, sleep

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from apps.core.errors import DoorstepError
from apps.drivers.inputs import MOST_FIXES, fields_from, fixes_of
from apps.drivers.senders import Sender, still_known
from apps.fleet.services import Fix, Van, record_batch
from apps.routing.models import Route
from apps.routing.services.roll_forward import roll_many_forward_soon

log = logging.getLogger(__name__)

GATHER_SECONDS, GAP_SECONDS = 0.03, 0.5
# A van that sends every second has its times rolled on this often; the next position takes up what is left out.
ROLL_SECONDS = 4.0
_VANS_TOGETHER = 200
_IDLE_SECONDS, _LONGEST_PAUSE = 5.0, 2.0


def record(batch: Mapping[Sender, list[Fix]]) -> set[Sender]:
    """Writes what the senders measured and rolls their routes' times on; the senders that are no longer known.

    Whether a token still lives is asked here once more, so nothing of a revoked phone is ever written.
    """
    known = still_known(list(batch))
    vans: dict[Van, list[Fix]] = defaultdict(list)
    for sender in batch:
        if sender in known:
            vans[sender.van] += batch[sender]
    believed = record_batch(vans) if vans else {}
    _roll({sender.shift_id for sender in known if believed.get(sender.van.vehicle_id)})
    return set(batch) - known


_rolled: dict[int, float] = {}
_waiting: set[int] = set()


def _roll(shift_ids: set[int]) -> None:
    """Of many vans some send at any moment, so they are rolled together; one or two are rolled at once."""
    now = monotonic()
    _waiting.update(shift for shift in shift_ids if now - _rolled.get(shift, -ROLL_SECONDS) >= ROLL_SECONDS)
    pause = min(1.0, len(_rolled) / _VANS_TOGETHER)
    if not _waiting or now - max(_rolled.values(), default=-ROLL_SECONDS) < pause:
        return
    due = list(_waiting)
    _waiting.clear()
    under_way = Route.objects.filter(shift__in=due, departed_at__isnull=False, finished_at=None)
    # One commit for all of them.
    with transaction.atomic():
        roll_many_forward_soon(route_ids=under_way.values_list("pk", flat=True))
    _rolled.update(dict.fromkeys(due, now))


class Inbox:
    """Filled from any thread, emptied by one of its own that starts with the first position and ends with the last."""

    def __init__(self, on_unknown: Callable[[set[Sender]], None] = lambda senders: None) -> None:
        self._on_unknown = on_unknown
        self._lock, self._writing, self._bell = threading.Lock(), threading.Lock(), threading.Event()
        self._fixes: dict[Sender, list[Fix]] = {}
        # The newest body of a sender that sends too often, not even read yet.
        self._unread: dict[Sender, bytes] = {}
        self._written: dict[Sender, float] = {}
        self._thread: threading.Thread | None = None

    def put(self, sender: Sender, fixes: list[Fix]) -> None:
        with self._lock:
            waiting = self._fixes.setdefault(sender, [])
            waiting += fixes
            del waiting[:-MOST_FIXES]
            self._wake()

    def put_unread(self, sender: Sender, body: bytes) -> None:
        """Keeps the newest only: it is read when its turn comes."""
        with self._lock:
            self._unread[sender] = body
            self._wake()

    def flush(self, *, everything: bool = False) -> int:
        """Writes what is due now, in the calling thread; how many senders' positions that were."""
        with self._writing:
            batch = self._take(everything)
            if batch:
                self._write(batch)
            return len(batch)

    def close(self) -> None:
        """Writes all there is and ends the thread: nothing that was answered for is lost by an orderly stop."""
        self.flush(everything=True)
        with self._lock:
            thread, self._thread = self._thread, None
        self._bell.set()
        if thread is not None:
            thread.join(_LONGEST_PAUSE * 2)

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="position-writer", daemon=True)
            self._thread.start()
        self._bell.set()

    def _take(self, everything: bool) -> dict[Sender, list[Fix]]:
        now = monotonic()
        with self._lock:
            self._written = {sender: at for sender, at in self._written.items() if now - at < GAP_SECONDS}
            waiting = self._fixes.keys() | self._unread.keys()
            due = waiting if everything else waiting - self._written.keys()
            taken = {sender: self._fixes.pop(sender, []) for sender in due}
            unread = {sender: body for sender in due if (body := self._unread.pop(sender, None)) is not None}
            self._written |= dict.fromkeys(due, now)
        for sender, body in unread.items():
            taken[sender] += _read(body)
        return {sender: fixes for sender, fixes in taken.items() if fixes}

    def _write(self, batch: dict[Sender, list[Fix]]) -> None:
        try:
            self._on_unknown(record(batch))
        except (OperationalError, InterfaceError):
            with self._lock:
                for sender, fixes in batch.items():
                    self._fixes[sender] = (fixes + self._fixes.get(sender, []))[-MOST_FIXES:]
            raise
        except DatabaseError:
            # A van that was deleted meanwhile must not take the others' positions with it.
            log.exception("A batch of positions was refused by the database.")
            if len(batch) > 1:
                for sender, fixes in batch.items():
                    self._write({sender: fixes})

    def _run(self) -> None:
        pause = 0.0
        try:
            while self._thread is threading.current_thread():
                if not self._bell.wait(_IDLE_SECONDS):
                    if self._ends():
                        return
                    continue
                self._bell.clear()
                sleep(GATHER_SECONDS)
                try:
                    self.flush()
                    pause = 0.0
                except (OperationalError, InterfaceError):
                    log.warning("Positions wait for the database.", exc_info=pause >= 1)
                    connection.close()
                    pause = min(_LONGEST_PAUSE, max(0.1, pause * 2))
                    sleep(pause)
                if self._fixes or self._unread:
                    self._bell.set()
        finally:
            connection.close()
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _ends(self) -> bool:
        with self._lock:
            if self._fixes or self._unread:
                return False
            self._thread = None
            return True


def _read(body: bytes) -> list[Fix]:
    try:
        return fixes_of(fields_from(body))
    except DoorstepError:
        return []
