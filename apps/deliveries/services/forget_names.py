"""Lets go of who took a parcel, where exactly, and what the driver noted; that and when it happened stays."""

from datetime import datetime, timedelta

from django.db.models import Q

from apps.core import clock
from apps.deliveries.models import Attempt, Proof
from apps.deliveries.services.bump_pages import bump_pages
from apps.merchants.models import Policy


def forget_names() -> int:
    """Empties names, measured points, notes and why no code was shown after Policy.words_days; how many rows."""
    now = clock.now()
    return sum(_forget(policy, now - timedelta(days=policy.words_days)) for policy in Policy.objects.all())


def _forget(policy: Policy, before: datetime) -> int:
    told = ~Q(received_by="") | Q(latitude__isnull=False) | Q(details__has_key="reason")
    proofs = Proof.objects.filter(told, delivery__merchant=policy.merchant_id, taken_at__lt=before)
    noted = ~Q(staff_note="") | ~Q(recipient_note="")
    attempts = Attempt.objects.filter(noted, delivery__merchant=policy.merchant_id, ended_at__lt=before)
    shown = {*proofs.values_list("delivery", flat=True), *attempts.values_list("delivery", flat=True)}
    explained = list(proofs.filter(details__has_key="reason").values_list("pk", "details"))
    count = proofs.update(received_by="", latitude=None, longitude=None)
    for pk, details in explained:
        kept = {key: said for key, said in details.items() if key != "reason"}
        Proof.objects.filter(pk=pk).update(details=kept)
    count += attempts.update(staff_note="", recipient_note="")
    bump_pages(delivery_ids=shown)
    return count
