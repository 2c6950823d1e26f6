"""Zulip's best idea: whatever a service changes, the pushed page must equal the fetched one (test helper)."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link
from apps.tracking import state
from apps.tracking.entry import Entry
from apps.tracking.hub import Hub, Mailbox
from apps.tracking.selectors import page_document
from apps.tracking.tail import Tail

# On PostgreSQL the feed compares transactions, so what is watched must really be committed.
COMMITS = os.environ.get("TEST_DATABASE") == "postgres"


class Watchers:
    """Open pages of some deliveries, one per tier, without a socket: what the tail would push is kept here."""

    def __init__(self, deliveries: list[Delivery]) -> None:
        self.hub = Hub()
        self.shown: dict[tuple[int, str], dict[str, Any]] = {}
        self.pushes: list[tuple[int, str]] = []
        for delivery in deliveries:
            link = Link.objects.filter(delivery=delivery).first() or make_link(delivery=delivery)
            for tier in state.TIERS:
                self.hub.join(Mailbox(Entry(delivery.pk, (link.pk, link.generation), tier)))
                page_document(delivery, tier)
        self.tail = Tail(self.hub)
        self.tail.start()
        # The welcome: everybody is shown the page as it stands.
        self.receive()
        self.pushes.clear()

    def receive(self) -> None:
        for box, kind, text in self.tail.poll():
            if kind == "page":
                self.shown[box.topic, box.tier] = json.loads(text)["document"]
                self.pushes.append((box.topic, box.tier))


@contextmanager
def verify_change(
    drain: Callable[..., int], *deliveries: Delivery, moves: list[Delivery] | None = None
) -> Iterator[Watchers]:
    """Afterwards every watched page, fetched anew and built anew, equals what its watcher was pushed.

    `moves`: the deliveries whose page must really have been pushed (default: the first).
    """
    watchers = Watchers(list(deliveries))
    yield watchers
    drain()
    watchers.receive()
    for (pk, tier), shown in watchers.shown.items():
        fetched = page_document(Delivery.objects.get(pk=pk), tier)
        assert shown == fetched, {key: (shown[key], fetched[key]) for key in fetched if shown[key] != fetched[key]}
        assert json.loads(json.dumps(state.build(pk, tier))) == fetched
    for delivery in deliveries[:1] if moves is None else moves:
        assert (delivery.pk, "link") in watchers.pushes, f"nothing was pushed for {delivery.pk}"
