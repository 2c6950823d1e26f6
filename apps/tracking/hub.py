"""Who holds which page open in this process: topics are deliveries, and every socket has a box that never grows."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Literal

from apps.tracking.entry import Entry

Kind = Literal["page", "dot", "close"]

# One address may be a whole company or a proxy; one link is a household.
MOST_PER_ADDRESS, MOST_PER_LINK, MOST = 2_500, 60, 20_000


class Mailbox:
    """One socket's place in the hub. A slow reader misses steps in between, never the newest.

    `say` writes a message at once, or answers False. Else `ring` is called, on the loop, when something lies in an
    empty box; whoever hears it takes what there is.
    """

    __slots__ = ("_slots", "access", "address", "cookie", "link", "ring", "say", "tier", "topic", "view_only")

    def __init__(
        self, entry: Entry, *, address: str = "", cookie: str = "", ring: Callable[[], object] = lambda: None
    ) -> None:
        self.topic, self.link, self.tier, self.view_only, self.access = entry
        self.address = address
        self.cookie = cookie if entry.access is not None else ""
        self.ring = ring
        self.say: Callable[[str], bool] | None = None
        self._slots: dict[Kind, str] | None = None

    def put(self, kind: Kind, message: str) -> None:
        if self._slots is not None:
            self._slots[kind] = message
            return
        if self.say is not None and kind != "close" and self.say(message):
            return
        self._slots = {kind: message}
        self.ring()

    def take(self) -> dict[Kind, str]:
        """The newest of each kind since the last time."""
        taken, self._slots = self._slots, None
        return taken or {}


class Hub:
    """Joined, left and posted to on the event loop's thread; `in` may be asked from any thread."""

    def __init__(self) -> None:
        self._topics: dict[int, set[Mailbox]] = {}
        self._addresses: Counter[str] = Counter()
        self._size = 0
        self._newcomers: dict[Mailbox, None] = {}

    def __contains__(self, topic: int) -> bool:
        return topic in self._topics

    def __len__(self) -> int:
        return self._size

    def join(self, box: Mailbox) -> bool:
        """False, and nothing done, when the house is full."""
        waiting = self._topics.get(box.topic, set())
        same_link = sum(1 for other in waiting if other.link == box.link)
        if self._size >= MOST or same_link >= MOST_PER_LINK or self._addresses[box.address] >= MOST_PER_ADDRESS:
            return False
        self._topics.setdefault(box.topic, set()).add(box)
        self._newcomers[box] = None
        self._addresses[box.address] += 1
        self._size += 1
        return True

    def leave(self, box: Mailbox) -> None:
        waiting = self._topics.get(box.topic)
        if waiting is None or box not in waiting:
            return
        waiting.discard(box)
        self._newcomers.pop(box, None)
        if not waiting:
            del self._topics[box.topic]
        self._size -= 1
        self._addresses[box.address] -= 1
        if not self._addresses[box.address]:
            del self._addresses[box.address]

    def topics(self) -> list[int]:
        # list() of a dict is one step for other threads.
        return list(self._topics)

    def boxes(self, topics: Iterable[int]) -> list[Mailbox]:
        found: list[Mailbox] = []
        for topic in topics:
            found += self.boxes_of(topic)
        return found

    def boxes_of(self, topic: int) -> Collection[Mailbox]:
        waiting = self._topics.get(topic)
        # copy() is one step too: the loop may add to the set meanwhile.
        return waiting.copy() if waiting else ()

    def newcomers(self, most: int) -> list[Mailbox]:
        """Those who have not been shown anything yet, the longest waiting first."""
        return list(self._newcomers.copy())[:most]

    def welcomed(self, boxes: Iterable[Mailbox]) -> None:
        for box in boxes:
            self._newcomers.pop(box, None)
