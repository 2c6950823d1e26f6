"""What others may read of feedback."""

from collections.abc import Collection

from apps.feedback.models import ProblemReport, Rating


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
