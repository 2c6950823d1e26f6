"""Lets go of what people wrote long ago; stars, kinds and outcomes stay, and so do open cases and disputes."""

from datetime import datetime, timedelta

from apps.core import clock
from apps.deliveries.services import bump_pages
from apps.feedback.models import Dispute, ProblemReport, Rating, ThreadMessage
from apps.merchants.models import Policy


def forget_words() -> int:
    """Empties comments, closed cases and decided disputes after Policy.words_days; drops messages, answered or not."""
    now = clock.now()
    return sum(_forget(policy, now - timedelta(days=policy.words_days)) for policy in Policy.objects.all())


def _forget(policy: Policy, before: datetime) -> int:
    mine = {"delivery__merchant": policy.merchant_id}
    ratings = Rating.objects.filter(changed_at__lt=before, **mine).exclude(comment="")
    disputes = Dispute.objects.filter(decided_at__lt=before, **mine).exclude(text="", answer="", reason="")
    closed = ProblemReport.objects.filter(state=ProblemReport.State.CLOSED, closed_at__lt=before, **mine)
    thread = ThreadMessage.objects.filter(sent_at__lt=before, **mine)
    shown = {
        *thread.values_list("delivery", flat=True),
        *ratings.values_list("delivery", flat=True),
        *disputes.values_list("delivery", flat=True),
    }
    count = thread.delete()[0]
    count += (
        ratings.update(comment="")
        + disputes.update(text="", answer="", reason="")
        + closed.exclude(text="").update(text="")
    )
    bump_pages(delivery_ids=shown)
    return count
