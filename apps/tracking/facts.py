"""Everything a page is made of, read for many deliveries in a fixed number of queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef

from apps.deliveries.models import AccessCode, Attempt, Delivery, Parcel, Promise, Proof
from apps.deliveries.selectors import TimelineEntry, parts_of_orders, timelines
from apps.deliveries.states import State
from apps.tracking.dots import Fix, is_at_depot, newest_fixes
from apps.tracking.extras import Extras, annotations, extras_of
from apps.tracking.progress import Progress, progress_of

TIMELINE_LENGTH = 30


@dataclass(slots=True)
class Facts:
    delivery: Delivery
    has_access_code: bool
    progress: Progress | None = None
    promise: Promise | None = None
    proofs: list[Proof] = field(default_factory=list)
    failure_photo: Proof | None = None
    failed: Attempt | None = None
    driver_note: str = ""
    parcels: list[Parcel] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    # The other deliveries of the same order to the same person, oldest first.
    siblings: list["Facts"] = field(default_factory=list)
    # About how far the van still drives; None where its driver is not on the road.
    metres: float | None = None
    extras: Extras | None = None


def gather(delivery_ids: Collection[int]) -> dict[int, Facts]:
    """By delivery; unknown ids are missing. The delivery's page_version is read first, so it is never too new."""
    has_code = Exists(AccessCode.objects.filter(delivery_id=OuterRef("pk")))
    related = ("merchant__policy", "place", "recipient", "instruction", "collection_code", "rating")
    rows = (
        Delivery.objects.filter(pk__in=delivery_ids)
        .select_related(*related)
        .annotate(has_access_code=has_code, **annotations())
    )
    found = {row.pk: Facts(row, row.has_access_code) for row in rows}
    parts = _add_siblings(found)
    everybody = found | parts
    for parcel in Parcel.objects.filter(delivery_id__in=everybody).order_by("pk"):
        everybody[parcel.delivery_id].parcels.append(parcel)
    for delivery_id, progress in progress_of(everybody).items():
        everybody[delivery_id].progress = progress
    for promise in Promise.objects.filter(delivery_id__in=found, closed_at=None):
        found[promise.delivery_id].promise = promise
    _add_proofs(found)
    ended = Attempt.objects.filter(delivery_id__in=found, ended_at__isnull=False).select_related("dispute")
    for attempt in ended.order_by("number"):
        found[attempt.delivery_id].driver_note = attempt.recipient_note
        if attempt.outcome == State.FAILED:
            found[attempt.delivery_id].failed = attempt
    for delivery_id, entries in timelines(found).items():
        found[delivery_id].timeline = entries[:TIMELINE_LENGTH]
    for delivery_id, extras in extras_of(facts.delivery for facts in found.values()).items():
        extras.failed = found[delivery_id].failed
        found[delivery_id].extras = extras
    _add_metres(everybody.values())
    return found


def _add_siblings(found: dict[int, Facts]) -> dict[int, Facts]:
    """Those that are not asked for themselves, by delivery."""
    parts: dict[int, Facts] = {}
    for delivery_id, others in parts_of_orders(found).items():
        for row in others:
            known = found.get(row.pk) or parts.setdefault(row.pk, Facts(row, has_access_code=False))
            found[delivery_id].siblings.append(known)
    return parts


def _add_proofs(found: dict[int, Facts]) -> None:
    for proof in Proof.objects.filter(delivery_id__in=found).order_by("taken_at", "pk"):
        if proof.kind in Proof.OF_HANDOVER:
            found[proof.delivery_id].proofs.append(proof)
        elif proof.kind == Proof.Kind.FAILURE and proof.image:
            found[proof.delivery_id].failure_photo = proof


def _add_metres(everybody: Iterable[Facts]) -> None:
    driven = {facts.progress.vehicle_id: facts for facts in everybody if _is_out(facts) and facts.progress}
    fixes = newest_fixes([vehicle for vehicle in driven if vehicle is not None]) if driven else {}
    for facts in everybody:
        progress = facts.progress
        fix: Fix | None = fixes.get(progress.vehicle_id or 0) if progress else None
        if progress and fix and _is_out(facts) and not is_at_depot(fix, progress):
            facts.metres = progress.metres_from(fix.point)


def _is_out(facts: Facts) -> bool:
    return facts.delivery.state == State.OUT and facts.progress is not None and facts.progress.is_under_way
