"""Who may see which van, as the live process remembers it: asked anew when page, route or shift move, or in time."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from apps.tracking.dots import Sight, sights_of
from apps.tracking.feeds import Mark, road_marks

MARKS_EVERY, KEPT_SECONDS = 1.0, 30.0
# So many are asked again in one look, so that a full house does not hold up the next position.
_MOST_AT_ONCE = 200


class Sights:
    """By watched delivery. Only the tail's own thread comes here."""

    def __init__(self) -> None:
        self._sights: dict[int, tuple[float, Sight]] = {}
        self._by_van: dict[int, set[int]] = defaultdict(set)
        self._marks: dict[int, Mark] = {}
        self._moved: set[int] = set()
        self._next_look = 0.0

    def __getitem__(self, topic: int) -> Sight:
        return self._sights[topic][1]

    def __contains__(self, topic: int) -> bool:
        return topic in self._sights

    def of(self, topics: Collection[int], now: float) -> dict[int, Sight]:
        """Of these deliveries; those nobody knows anything about are missing."""
        self._learn([topic for topic in topics if topic not in self._sights], now)
        return {topic: self._sights[topic][1] for topic in topics if topic in self._sights}

    def concerned(
        self, pages: Collection[int], vans: Collection[int], watched: Callable[[], Collection[int]], now: float
    ) -> set[int]:
        """Those among `watched` whose page moved or whose van did, with their sights as of now."""
        for topic in pages:
            self._forget(topic)
        self._moved |= set(vans)
        if (pages or vans) and now >= self._next_look:
            self._look_at_roads()
            self._forget_old(now)
            self._learn([topic for topic in watched() if topic not in self._sights], now)
            # Only now: a look that the database broke off is made again, or what it forgot would not be asked anew.
            self._next_look = now + MARKS_EVERY
        self._learn([topic for topic in pages if topic not in self._sights], now)
        found = {topic for van in vans for topic in self._by_van.get(van, ())} | set(pages)
        return {topic for topic in found if topic in self._sights}

    def keep_only(self, watched: Collection[int]) -> None:
        for topic in self._sights.keys() - set(watched):
            self._forget(topic)

    def _look_at_roads(self) -> None:
        """A driver who rings at a door is hidden from the others within a second, whoever announces it when."""
        watched = {van for van in self._moved if self._by_van.get(van)}
        marks = road_marks(watched) if watched else {}
        self._moved.clear()
        for van in watched:
            if self._marks.get(van) != marks.get(van):
                for topic in list(self._by_van[van]):
                    self._forget(topic)
        self._marks |= marks

    def _forget_old(self, now: float) -> None:
        # In the order in which they were learned.
        old = (topic for topic, (since, _sight) in self._sights.items() if now - since > KEPT_SECONDS)
        for topic in list(islice(old, _MOST_AT_ONCE)):
            self._forget(topic)

    def _learn(self, topics: Iterable[int], now: float) -> None:
        missing = list(topics)
        if not missing:
            return
        for topic, sight in sights_of(missing).items():
            self._sights[topic] = (now, sight)
            if sight.vehicle_id is not None:
                self._by_van[sight.vehicle_id].add(topic)

    def _forget(self, topic: int) -> None:
        _since, sight = self._sights.pop(topic, (0.0, None))
        if sight is not None and sight.vehicle_id is not None:
            self._by_van[sight.vehicle_id].discard(topic)
