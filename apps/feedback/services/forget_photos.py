"""Lets go of photos of cases that were closed and are old; the cases themselves stay."""

from datetime import timedelta

from apps.core import clock
from apps.feedback.models import ProblemPhoto, ProblemReport
from apps.merchants.models import Policy


def forget_photos() -> int:
    """Deletes photos of cases that were closed longer than Policy.photo_days ago; how many there were."""
    return sum(_forget(policy) for policy in Policy.objects.all())


def _forget(policy: Policy) -> int:
    old = ProblemPhoto.objects.filter(
        report__delivery__merchant=policy.merchant_id,
        report__state=ProblemReport.State.CLOSED,
        report__closed_at__lt=clock.now() - timedelta(days=policy.photo_days),
    )
    photos = list(old)
    for photo in photos:
        photo.image.delete(save=False)
        photo.delete()
    return len(photos)
