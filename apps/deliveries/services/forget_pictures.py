"""Lets go of pictures of handovers and failed stops that are old; that and when something happened stays."""

from datetime import timedelta
from itertools import batched

from apps.core import clock
from apps.deliveries.models import Proof
from apps.deliveries.services.bump_pages import bump_pages
from apps.merchants.models import Policy

_BATCH = 500


def forget_pictures() -> int:
    """Deletes the files that are older than the merchant's Policy.photo_days; how many there were."""
    return sum(_forget(policy) for policy in Policy.objects.all())


def _forget(policy: Policy) -> int:
    old = Proof.objects.filter(
        delivery__merchant=policy.merchant_id, taken_at__lt=clock.now() - timedelta(days=policy.photo_days)
    )
    proofs = list(old.exclude(image="").order_by("pk"))
    for some in batched(proofs, _BATCH):
        for proof in some:
            # The file first: a row without a file is mended tomorrow, a file without a row never.
            proof.image.delete(save=False)
        Proof.objects.filter(pk__in=[proof.pk for proof in some]).update(image="")
        bump_pages(delivery_ids={proof.delivery_id for proof in some})
    return len(proofs)
