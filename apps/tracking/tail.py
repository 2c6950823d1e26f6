"""One thread per live process reads what moved and hands it to the hub: the loop never waits for the database."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from time import monotonic
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError, connection

from apps.core import clock
from apps.core.wakeups import Ear, Feed
from apps.deliveries import access as gate
from apps.fleet.services import Written, position_bell
from apps.tracking.dots import HIDDEN, Moment, View, dot_message
from apps.tracking.feeds import VanFeed, living_links, overdue_pages, page_feed
from apps.tracking.hub import Hub, Kind, Mailbox
from apps.tracking.selectors import page_texts
from apps.tracking.services import refresh
from apps.tracking.sights import Sights
from apps.tracking.state import view_only

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
VANS_EVERY, LINKS_EVERY, VERIFIED_EVERY = 0.1, 2.0, 10.0
THOROUGH_EVERY, SHORT_OVERLAP_MICROSECONDS = 1.0, 250_000
# A page is overdue when two looks in a row find it older than its delivery. So many are looked at in a row.
OVERDUE_EVERY, OVERDUE_AT_ONCE = 1.0, 400
# After a restart everybody comes at once; they are shown their pages in parties of this size.
PARTY = 200
# With nobody watching the thread ends after a while; the next visitor starts another.
IDLE_SECONDS = 5.0
_LONGEST_PAUSE = 2.0
_HIDDEN = dot_message(HIDDEN)

Delivered = list[tuple[Mailbox, Kind, str]]


class Tail:
    """The reader. `poll()` is one round in the calling thread; `run()` is the thread's loop."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._pages = page_feed()
        self._vans = VanFeed()
        # Topic -> the instant of the fix that was told last, None for hidden.
        self._told: dict[int, str | None] = {}
        self._due: set[int] = set()
        self._overdue: set[int] = set()
        self._due_vans: set[int] = set()
        self._sights = Sights()
        self._next_vans = self._next_links = self._next_verified = self._next_overdue = 0.0
        self._next_pages = self._next_thorough = 0.0
        self._looked_at = 0
        self._was_told = False
        self.is_behind = False

    def start(self) -> None:
        self._pages.start()
        self._vans.moved()

    def told(self, rows: Collection[Written]) -> None:
        """What this process wrote itself needs not be read back; the next round takes it to the pages."""
        self._due_vans |= set(self._vans.told(rows))
        self._was_told = True

    def heard(self, feeds: Collection[Feed]) -> None:
        """Another process wrote to these: the next round reads them, however short ago the last one did."""
        if "pages" in feeds:
            self._next_pages = 0.0
        if "vans" in feeds:
            self._next_vans = 0.0

    def poll(self) -> Delivered:
        """What is to be put into which boxes now."""
        found: Delivered = []
        told: dict[int, str | None] = {}
        now, newcomers = monotonic(), self.hub.newcomers(PARTY)
        self.is_behind = len(newcomers) == PARTY
        if now >= self._next_pages or not self._was_told:
            self._next_pages = now + POLL_SECONDS
            self._due |= {topic for topic in self._pages.moved() if topic in self.hub}
        if self._due:
            boxes = self.hub.boxes(self._due)
            found += self._close_dead(boxes) + self._page_messages(boxes)
        if self._due or now >= self._next_vans:
            self._next_vans = now + VANS_EVERY
            self._due_vans |= self._moved_vans(now)
        if self._due or self._due_vans:
            found += self._dot_messages(self._due, self._due_vans, now, told)
        if now >= self._next_overdue:
            self._next_overdue = now + OVERDUE_EVERY
            self._mend_overdue()
        if newcomers:
            # Their state is read after they joined and after the position was taken: nothing falls in between.
            found += self._page_messages(newcomers) + self._first_dots(newcomers, now)
        if now >= self._next_links:
            self._next_links = now + LINKS_EVERY
            self._told = {topic: at for topic, at in self._told.items() if topic in self.hub}
            self._sights.keep_only(self.hub.topics())
            found += self._close_dead(self.hub.boxes(self.hub.topics()), but_verified=now < self._next_verified)
            if now >= self._next_verified:
                self._next_verified = now + VERIFIED_EVERY
        # Only now: a round that the database broke off is made again, with all that it was to tell.
        self._told |= told
        self.hub.welcomed(newcomers)
        self._due, self._due_vans, self._was_told = set(), set(), False
        return found

    def _moved_vans(self, now: float) -> set[int]:
        """All of the overlap is read once a second; the rows of a late commit may wait so long."""
        if now < self._next_thorough:
            return set(self._vans.moved(SHORT_OVERLAP_MICROSECONDS))
        self._next_thorough = now + THOROUGH_EVERY
        return set(self._vans.moved())

    def _mend_overdue(self) -> None:
        """Prepares watched pages that no worker has prepared in time: open pages stay true when workers are late."""
        watched = self.hub.topics()
        if len(watched) > OVERDUE_AT_ONCE:
            self._looked_at = (self._looked_at + OVERDUE_AT_ONCE) % len(watched)
            watched = (watched + watched)[self._looked_at : self._looked_at + OVERDUE_AT_ONCE]
        overdue = overdue_pages({*watched, *self._overdue})
        refresh(overdue & self._overdue)
        self._overdue = overdue

    def _page_messages(self, boxes: Collection[Mailbox]) -> Delivered:
        texts = page_texts({box.topic for box in boxes}, {box.tier for box in boxes})
        return [
            (box, "page", page_message(texts[box.topic][box.tier], box))
            for box in boxes
            if box.tier in texts.get(box.topic, {})
        ]

    def _first_dots(self, boxes: Collection[Mailbox], now: float) -> Delivered:
        moment, sights = Moment(self._vans.steps, clock.now()), self._sights.of({box.topic for box in boxes}, now)
        return [(box, "dot", _message(moment.view(sights.get(box.topic)))) for box in boxes]

    def _dot_messages(
        self, pages: Collection[int], vans: set[int], now: float, told: dict[int, str | None]
    ) -> Delivered:
        """What was told already (the same fix, a van that stays hidden) is not told again; `told` takes up the rest."""
        moment, found = Moment(self._vans.steps, clock.now()), Delivered()
        for topic in self._sights.concerned(pages, vans, self.hub.topics, now):
            view = moment.view(self._sights[topic])
            at = view.at if view else None
            if self._told.get(topic, ...) != at:
                told[topic] = at
                text = _message(view)
                found += [(box, "dot", text) for box in self.hub.boxes_of(topic)]
        return found

    def _close_dead(self, boxes: list[Mailbox], *, but_verified: bool = False) -> Delivered:
        alive = living_links({box.link[0] for box in boxes}) if boxes else ()
        return [
            (box, "close", "") for box in boxes if box.link not in alive or not (but_verified or _still_verified(box))
        ]


def _still_verified(box: Mailbox) -> bool:
    if box.access is None:
        return True
    # Asked as if the page were opened anew: tier_from only ever raises a tier.
    return gate.tier_from(replace(box.access, tier="link"), box.cookie).is_verified


def page_message(text: str, box: Mailbox) -> str:
    if box.view_only:
        text = json.dumps(view_only(json.loads(text)), separators=(",", ":"))
    return f'{{"type":"page","document":{text}}}'


def _message(view: View | None) -> str:
    return view.message if view else _HIDDEN


class Live:
    """The hub of an event loop and the thread that feeds it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.hub = Hub()
        self._loop = loop
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Sees to it that the thread runs: whoever has joined the hub is shown page and dot, and all that follows."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="page-tail", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        tail, pause, started, idle_since = Tail(self.hub), POLL_SECONDS, False, monotonic()
        bell = position_bell()
        ear = Ear(bell.set)
        try:
            ear.listen()
            while True:
                try:
                    if not started:
                        tail.start()
                        started = True
                    self._deliver(tail.poll())
                    pause = POLL_SECONDS
                except (DatabaseError, InterfaceError):
                    # The position is kept; what was committed meanwhile is read when the database is back.
                    log.warning("The live tail lost its database and tries again.", exc_info=pause >= 1)
                    connection.close()
                    pause = min(_LONGEST_PAUSE, max(0.1, pause * 2))
                if bell.wait(0.001 if tail.is_behind else pause):
                    tail.told(bell.take())
                    tail.heard(ear.take())
                if self._loop.is_closed():
                    return
                if len(self.hub):
                    idle_since = monotonic()
                elif monotonic() - idle_since > IDLE_SECONDS and self._ends():
                    return
        except _LoopIsGone:
            return
        finally:
            ear.end()
            connection.close()
            self._thread_ended()

    def _ends(self) -> bool:
        with self._lock:
            if len(self.hub):
                return False
            self._thread = None
            return True

    def _thread_ended(self) -> None:
        """After an error nobody foresaw, pages are sent away: they come back, and with them a new thread."""
        with self._lock:
            if self._thread is not threading.current_thread():
                return
            self._thread = None
        if not self._loop.is_closed():
            self._deliver([(box, "close", "") for box in self.hub.boxes(self.hub.topics())])

    def _deliver(self, messages: Delivered) -> None:
        if messages:
            self._on_loop(_put, messages)

    def _on_loop[*A](self, call: Callable[[*A], object], *arguments: *A) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError as error:
            raise _LoopIsGone from error


def _put(messages: Delivered) -> None:
    for box, kind, text in messages:
        box.put(kind, text)


class _LoopIsGone(Exception):
    """The process is stopping."""


_lives: WeakKeyDictionary[asyncio.AbstractEventLoop, Live] = WeakKeyDictionary()


def live() -> Live:
    """This event loop's hub; the thread is started by the first who calls `wake()`."""
    loop = asyncio.get_running_loop()
    if loop not in _lives:
        _lives[loop] = Live(loop)
    return _lives[loop]
