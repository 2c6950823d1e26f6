"""Everything a page is made of, read for many deliveries in a fixed number of queries."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef

from apps.deliveries.models import AccessCode, Attempt, Delivery, Parcel, Promise, Proof
from apps.deliveries.selectors import TimelineEntry, timelines
from apps.deliveries.states import State
from apps.tracking.progress import Progress, progress_of

TIMELINE_LENGTH = 30


@dataclass(slots=True)
class Facts:
    delivery: Delivery
    has_access_code: bool
    progress: Progress | None = None
    promise: Promise | None = None
    proof: Proof | None = None
    failed: Attempt | None = None
    parcels: list[Parcel] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)


def gather(delivery_ids: Collection[int]) -> dict[int, Facts]:
    """By delivery; unknown ids are missing. The delivery's page_version is read first, so it is never too new."""
    has_code = Exists(AccessCode.objects.filter(delivery_id=OuterRef("pk")))
    related = ("merchant__policy", "place", "recipient", "instruction", "collection_code")
    rows = Delivery.objects.filter(pk__in=delivery_ids).select_related(*related).annotate(has_access_code=has_code)
    found = {row.pk: Facts(row, row.has_access_code) for row in rows}
    for parcel in Parcel.objects.filter(delivery_id__in=found).order_by("pk"):
        found[parcel.delivery_id].parcels.append(parcel)
    for promise in Promise.objects.filter(delivery_id__in=found, closed_at=None):
        found[promise.delivery_id].promise = promise
    for proof in Proof.objects.filter(delivery_id__in=found).order_by("pk"):
        found[proof.delivery_id].proof = proof
    for attempt in Attempt.objects.filter(delivery_id__in=found).filter(outcome=State.FAILED).order_by("number"):
        found[attempt.delivery_id].failed = attempt
    for delivery_id, entries in timelines(found).items():
        found[delivery_id].timeline = entries[:TIMELINE_LENGTH]
    for delivery_id, progress in progress_of(found).items():
        found[delivery_id].progress = progress
    return found
