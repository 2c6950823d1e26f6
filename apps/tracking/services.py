"""Prepares pages ahead of their readers and tells the live processes which ones moved."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import batched, chain

from django.db import transaction
from django.db.models import F, Min

from apps.core import clock
from apps.core.wakeups import wake
from apps.deliveries.models import Delivery
from apps.deliveries.services import bump_pages
from apps.events.services import react
from apps.tracking import rules
from apps.tracking.extras import extra_turns
from apps.tracking.facts import Facts, gather
from apps.tracking.models import PageChange, PageSnapshot
from apps.tracking.state import TIERS, Document, Tier, document, told_window

_BATCH = 100
# The one timer for pages that change by themselves fires at least this often while any page may (domain seconds).
_LONGEST_SLEEP = timedelta(seconds=60)
_KEEP_CHANGES = timedelta(hours=6)
_TIMER = "tracking.time"

Built = dict[Tier, Document]


def refresh(delivery_ids: Iterable[int]) -> list[int]:
    """Prepares both tiers of these pages anew; the deliveries whose page really moved, which are announced."""
    moved: list[int] = []
    for ids in batched(sorted(set(delivery_ids)), _BATCH):
        moved += _refresh(ids)
    return moved


def refresh_old(delivery_ids: Iterable[int]) -> list[int]:
    """The same for those whose page_version says that they moved; cheap for the others."""
    ids = set(delivery_ids)
    rows = PageSnapshot.objects.filter(delivery_id__in=ids, tier="link", version__gte=F("delivery__page_version"))
    return refresh(ids.difference(rows.values_list("delivery_id", flat=True)))


def refresh_due() -> int:
    """Prepares the pages that have changed by the mere passing of time, and winds the timer for the next."""
    now = clock.now()
    due = PageSnapshot.objects.filter(changes_at__lte=now).values_list("delivery_id", flat=True)[:500]
    moved = refresh(list(due))
    _wind_timer(PageSnapshot.objects.aggregate(next=Min("changes_at"))["next"])
    return len(moved)


def forget_changes() -> int:
    """Deletes what every live process has long read."""
    return PageChange.objects.filter(made_at__lt=clock.now() - _KEEP_CHANGES).delete()[0]


def announce(delivery_ids: Iterable[int]) -> None:
    """Has the live processes look at these pages again, whether or not they moved."""
    versions = Delivery.objects.filter(pk__in=list(delivery_ids)).values_list("pk", "page_version")
    with transaction.atomic():
        _note_moved(dict(versions))


def _refresh(ids: Iterable[int]) -> list[int]:
    now = clock.now()
    facts, (stored, waking) = gather(list(ids)), _stored(ids)
    built = {pk: _documents(facts[pk], now) for pk in facts}
    # Something shown changed, but whoever changed it did not say so; readers compare versions, so say it now.
    silent = [pk for pk, pages in built.items() if _differs_silently(pages, stored.get(pk))]
    if silent:
        bump_pages(delivery_ids=silent)
        facts |= gather(silent)
        built |= {pk: _documents(facts[pk], now) for pk in silent if pk in facts}
    moved = [pk for pk, pages in built.items() if stored.get(pk) != pages]
    turning = {pk: _next_turn(facts[pk], now) for pk in built}
    later = [pk for pk in built if turning[pk] != waking.get(pk)]
    if moved or later:
        _write({pk: built[pk] for pk in sorted({*moved, *later})}, moved, turning)
    if instants := [instant for instant in turning.values() if instant]:
        _wind_timer(min(instants))
    return moved


def _documents(facts: Facts, now: datetime) -> Built:
    return {tier: document(facts, tier, now) for tier in TIERS}


def _stored(ids: Iterable[int]) -> tuple[dict[int, Built], dict[int, datetime | None]]:
    """The pages as they stand, and when each was going to change by itself."""
    pages: dict[int, Built] = {}
    waking: dict[int, datetime | None] = {}
    for row in PageSnapshot.objects.filter(delivery_id__in=list(ids)):
        if text := PageSnapshot.opened(row.tier, row.document):
            pages.setdefault(row.delivery_id, {})[row.tier] = json.loads(text)  # type: ignore[index]
        if row.tier == "link":
            waking[row.delivery_id] = row.changes_at
    return pages, waking


def _differs_silently(pages: Built, before: Built | None) -> bool:
    return any(
        page["version"] == before[tier]["version"] and page != before[tier]
        for tier, page in pages.items()
        if before and tier in before
    )


def _next_turn(facts: Facts, now: datetime) -> datetime | None:
    policy, told = facts.delivery.merchant.policy, told_window(facts).latest
    turns = chain(
        rules.turning_points(facts.delivery.state, facts.progress, policy, told, now),
        extra_turns(facts.delivery, facts.extras),
    )
    # A second later, so that "past" is true when the timer comes.
    return min((turn + timedelta(seconds=1) for turn in turns if turn >= now), default=None)


def _write(built: Mapping[int, Built], moved: list[int], turning: Mapping[int, datetime | None]) -> None:
    """`built` comes in the order of its keys, so that two of these on PostgreSQL never wait for each other."""
    rows = [
        PageSnapshot(
            delivery_id=pk,
            tier=tier,
            version=page["version"],
            document=PageSnapshot.sealed(tier, json.dumps(page, separators=(",", ":"))),
            changes_at=turning[pk] if tier == "link" else None,
        )
        for pk, pages in built.items()
        for tier, page in pages.items()
    ]
    with transaction.atomic():
        PageSnapshot.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["delivery", "tier"],
            update_fields=["version", "document", "changes_at"],
        )
        _note_moved({pk: built[pk]["link"]["version"] for pk in moved})


def _note_moved(versions: Mapping[int, int]) -> None:
    now = clock.now()
    PageChange.objects.bulk_create(
        PageChange(delivery_id=pk, version=version, made_at=now) for pk, version in versions.items()
    )
    if versions:
        wake("pages")


def _wind_timer(earliest: datetime | None) -> None:
    if earliest is None:
        return
    now = clock.now()
    due = max(now + timedelta(seconds=1), min(earliest, now + _LONGEST_SLEEP))
    react("apps.tracking.handlers.on_time_passed", due_at=due, dedupe_key=_TIMER)
