"""What others may read of feedback."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, QuerySet

from apps.deliveries.models import Attempt
from apps.deliveries.states import ENDED, State
from apps.feedback.models import Dispute, ProblemReport, Rating, ThreadMessage


def rating_of(delivery_id: int) -> Rating | None:
    return Rating.objects.filter(delivery_id=delivery_id).first()


def reports_of(delivery_id: int) -> list[ProblemReport]:
    """All cases of a delivery with their photos, newest first."""
    rows = ProblemReport.objects.filter(delivery_id=delivery_id).prefetch_related("photos")
    return list(rows.order_by("-reported_at", "-pk"))


def reports_of_many(delivery_ids: Collection[int]) -> dict[int, list[ProblemReport]]:
    """By delivery, newest first, without their photos; deliveries without a case are missing."""
    found: dict[int, list[ProblemReport]] = {}
    if not delivery_ids:
        return found
    for row in ProblemReport.objects.filter(delivery_id__in=delivery_ids).order_by("-reported_at", "-pk"):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def disputes_of(delivery_id: int) -> list[Dispute]:
    """All disputes of a delivery with their attempts, newest first."""
    return list(Dispute.objects.filter(delivery_id=delivery_id).select_related("attempt").order_by("-raised_at", "-pk"))


def last_failed_attempt(delivery_id: int) -> Attempt | None:
    """The newest attempt that failed, with its dispute joined; None when none did."""
    failed = Attempt.objects.filter(delivery_id=delivery_id, outcome=State.FAILED).select_related("dispute")
    return failed.order_by("-number").first()


def unanswered(rows: QuerySet[ThreadMessage]) -> QuerySet[ThreadMessage]:
    """Among these what people wrote to the desk, which has said nothing since, while it may still be answered."""
    since = ThreadMessage.objects.filter(
        delivery=OuterRef("delivery"), by=ThreadMessage.By.DESK, sent_at__gte=OuterRef("sent_at"), pk__gt=OuterRef("pk")
    )
    asked = rows.filter(by=ThreadMessage.By.SHOPPER, to_driver=False, delivery__merchant__policy__allow_messages=True)
    return asked.exclude(delivery__state__in=ENDED).exclude(Exists(since))


def threads_of(delivery_ids: Collection[int]) -> dict[int, list[ThreadMessage]]:
    """By delivery, oldest first; deliveries without a message are missing."""
    found: dict[int, list[ThreadMessage]] = {}
    if not delivery_ids:
        return found
    for row in ThreadMessage.objects.filter(delivery_id__in=delivery_ids).order_by("sent_at", "pk"):
        found.setdefault(row.delivery_id, []).append(row)
    return found
