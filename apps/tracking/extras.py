"""What stands around the delivery on its page: rating, reports, disputes, the calendar entry, the merchant's blocks."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce

from apps.core.sealed_ids import sealed_id
from apps.deliveries.models import Attempt, Delivery, Promise
from apps.deliveries.states import ENDED, State
from apps.feedback import rules as feedback_rules
from apps.feedback.models import Dispute, ProblemReport, Rating, ThreadMessage
from apps.feedback.selectors import reports_of_many, threads_of
from apps.tracking.models import ContentBlock

Document = dict[str, Any]
# Nobody who waits for a parcel that went wrong wants an advert.
BLOCK_STATES = frozenset(
    {
        State.CREATED,
        State.PLANNED,
        State.ARRIVED,
        State.LOADED,
        State.OUT,
        State.AT_POINT,
        State.DELIVERED,
        State.COLLECTED,
    }
)
# It does not come (any more): calendars take the entry out.
CALLED_OFF = frozenset({State.CANCELLED, State.RETURNED})


@dataclass(slots=True)
class Extras:
    rating: Rating | None = None
    reports: list[ProblemReport] = field(default_factory=list)
    thread: list[ThreadMessage] = field(default_factory=list)
    blocks: list[ContentBlock] = field(default_factory=list)
    """All of the merchant's that are switched on, whatever their time and segment."""
    promise_turns: int = 0
    """How often a told time was opened or closed."""
    failed: Attempt | None = None
    """The last attempt that failed, with its dispute joined."""

    @property
    def dispute(self) -> Dispute | None:
        return getattr(self.failed, "dispute", None)


def annotations() -> dict[str, Any]:
    """For the query that reads the deliveries, so that a page without any of this costs no further one."""
    promises = Promise.objects.filter(delivery=OuterRef("pk")).order_by().values("delivery")
    turns = promises.annotate(turns=Count("pk") + Count("closed_at")).values("turns")
    return {
        "has_reports": Exists(ProblemReport.objects.filter(delivery=OuterRef("pk"))),
        "has_thread": Exists(ThreadMessage.objects.filter(delivery=OuterRef("pk"))),
        "has_blocks": Exists(ContentBlock.objects.filter(merchant=OuterRef("merchant"), is_active=True)),
        "promise_turns": Coalesce(Subquery(turns), 0),
    }


def extras_of(deliveries: Iterable[Any]) -> dict[int, Extras]:
    """By delivery; they come with `annotations()` and their rating joined."""
    rows = list(deliveries)
    reports = reports_of_many([row.pk for row in rows if row.has_reports])
    threads = threads_of([row.pk for row in rows if row.has_thread])
    blocks = _blocks_of({row.merchant_id for row in rows if row.has_blocks})
    return {
        row.pk: Extras(
            rating=getattr(row, "rating", None),
            reports=reports.get(row.pk, []),
            thread=threads.get(row.pk, []),
            blocks=blocks.get(row.merchant_id, []),
            promise_turns=row.promise_turns,
        )
        for row in rows
    }


def extra_keys(delivery: Delivery, extras: Extras | None, *, is_verified: bool, now: datetime) -> Document:
    """The document's keys `rating`, `problem`, `dispute`, `calendar` and `blocks`."""
    extras = extras or Extras()
    return {
        "rating": _rating(delivery, extras.rating, is_verified, now),
        "problem": _problem(delivery, extras.reports),
        "dispute": _dispute(delivery, extras, is_verified, now),
        "calendar": _sequence(delivery, extras),
        "blocks": [sealed_id("block", block.pk) for block in shown_blocks(delivery.state, extras, now)],
    }


def extras_to_look_at(full: Mapping[str, Any]) -> Document:
    """The same keys for a share link: nothing to rate, nothing to report, nobody's messages."""
    rating = full.get("rating")
    looked_at = {**rating, "open": False, "comment": None} if rating else None
    return {"rating": looked_at, "problem": None, "dispute": None, "thread": None}


def extra_turns(delivery: Delivery, extras: Extras | None) -> Iterator[datetime]:
    """Instants at which the page changes by itself for one of these."""
    if extras is None:
        return
    if extras.rating is not None:
        yield feedback_rules.editable_until(extras.rating.rated_at, delivery.merchant.policy)
    if extras.failed is not None and extras.failed.ended_at is not None and extras.dispute is None:
        yield extras.failed.ended_at + feedback_rules.DISPUTABLE_FOR
    if delivery.state in BLOCK_STATES:
        for block in extras.blocks:
            yield from (instant for instant in (block.shows_from, block.shows_until) if instant)


def shown_blocks(state: str, extras: Extras, now: datetime) -> list[ContentBlock]:
    """None on a failure, none while somebody waits for an answer about a problem."""
    waits = extras.dispute is not None and extras.dispute.state == Dispute.State.OPEN
    if waits or state not in BLOCK_STATES or any(feedback_rules.is_open(report.state) for report in extras.reports):
        return []
    return [block for block in extras.blocks if block.is_due(now) and (not block.segment or state in block.segment)]


def _rating(delivery: Delivery, rating: Rating | None, is_verified: bool, now: datetime) -> Document | None:
    policy = delivery.merchant.policy
    if not feedback_rules.may_be_rated(delivery.state, policy):
        return None
    if rating is None:
        return {"open": True, "stars": None, "comment": None, "until": None}
    until = feedback_rules.editable_until(rating.rated_at, policy)
    # What somebody wrote may name people, and a link is easily passed on.
    comment = rating.comment if is_verified else None
    return {"open": now < until, "stars": rating.stars, "comment": comment, "until": until.isoformat()}


def _problem(delivery: Delivery, reports: list[ProblemReport]) -> Document:
    """Numbers and states only: what was written and photographed is for staff."""
    return {
        "open": bool(feedback_rules.reportable_kinds(delivery.state, delivery.merchant.policy)),
        "cases": [
            {"number": report.number, "state": report.state, "at": report.reported_at.isoformat()} for report in reports
        ],
    }


def _dispute(delivery: Delivery, extras: Extras, is_verified: bool, now: datetime) -> Document | None:
    """Whether the last failed attempt may be disputed, or how that stands; the answer is for its owner's eyes."""
    failed, dispute = extras.failed, extras.dispute
    if dispute is None:
        can = failed is not None and delivery.state not in ENDED and feedback_rules.may_be_disputed(failed, now)
        return {"open": True, "state": None, "at": None, "answer": None} if can else None
    at = dispute.decided_at or dispute.raised_at
    answer = dispute.answer or None if is_verified else None
    return {"open": False, "state": dispute.state, "at": at.isoformat(), "answer": answer}


def _sequence(delivery: Delivery, extras: Extras) -> int:
    """Never falls, and rises with all that the calendar entry says: agreed and told times, place, called off."""
    return delivery.revision - 1 + extras.promise_turns + (1 if delivery.state in CALLED_OFF else 0)


def _blocks_of(merchant_ids: Collection[int]) -> dict[int, list[ContentBlock]]:
    found: dict[int, list[ContentBlock]] = {}
    if not merchant_ids:
        return found
    for block in ContentBlock.objects.filter(merchant_id__in=merchant_ids, is_active=True).order_by("position", "pk"):
        found.setdefault(block.merchant_id, []).append(block)
    return found
