"""Opens a case for something that went wrong, and closes it."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, Refused
from apps.core.photos import cleaned_photo
from apps.core.throttles import count_try
from apps.deliveries.access import Access, require_changeable
from apps.deliveries.models import Delivery
from apps.deliveries.services import bump_pages
from apps.events.services import emit
from apps.feedback import events
from apps.feedback.models import ProblemPhoto, ProblemReport
from apps.feedback.rules import LONGEST_TEXT, MOST_OPEN_REPORTS, MOST_PHOTOS, reportable_kinds

# Decoding photos is work: nobody needs more tries than this.
TRIES, TRIES_SECONDS = 10, 3600


def report_problem(
    *, access: Access, kind: str, text: str = "", photos: Sequence[Any] = (), form_key: str
) -> ProblemReport:
    """The case; the same `form_key` again is the same case. Photos are encoded anew, without their metadata.

    Refused when nothing can be reported in this state or too many cases are open; InvalidInput for an unknown kind, no
    words where they are needed, too many photos or one that is none; Throttled after 10 tries in an hour.
    """
    require_changeable(access)
    delivery = access.delivery
    count_try("problem-report", str(delivery.pk), limit=TRIES, seconds=TRIES_SECONDS)
    kinds = reportable_kinds(delivery.state, delivery.merchant.policy)
    if not kinds:
        raise Refused(
            "not_reportable", _("There is nothing to report at the moment. Please call us if something is wrong.")
        )
    text = text.replace("\0", "").strip()
    _check(kind, kinds, text, len(photos))
    standing = ProblemReport.objects.filter(delivery=delivery, form_key=form_key).first()
    if standing is not None:
        return standing
    cleaned = [cleaned_photo(photo, name="problem.jpg") for photo in photos]
    try:
        return _opened(access, kind, text, cleaned, form_key)
    except IntegrityError:
        return ProblemReport.objects.get(delivery=delivery, form_key=form_key)


def take_report(*, report: ProblemReport, actor: str) -> bool:
    """Somebody looks into it; True when it waited until now."""
    with transaction.atomic():
        taken = ProblemReport.objects.filter(pk=report.pk, state=ProblemReport.State.OPEN).update(
            state=ProblemReport.State.TAKEN
        )
        if taken:
            _announce(events.PROBLEM_TAKEN, report, actor)
    return bool(taken)


def close_report(*, report: ProblemReport, actor: str) -> bool:
    """True when it was open until now."""
    with transaction.atomic():
        closed = (
            ProblemReport.objects.filter(pk=report.pk)
            .exclude(state=ProblemReport.State.CLOSED)
            .update(state=ProblemReport.State.CLOSED, closed_at=clock.now())
        )
        if closed:
            _announce(events.PROBLEM_CLOSED, report, actor)
    return bool(closed)


def _check(kind: str, kinds: tuple[str, ...], text: str, photo_count: int) -> None:
    if kind not in kinds:
        raise InvalidInput("kind_unknown", _("Choose what is wrong."))
    if kind == ProblemReport.Kind.OTHER and not text:
        raise InvalidInput("text_missing", _("Please tell us in a few words what is wrong."))
    if len(text) > LONGEST_TEXT:
        raise InvalidInput("text_too_long", _("A report has at most 1000 characters."))
    if photo_count > MOST_PHOTOS:
        raise InvalidInput("too_many_photos", _("Up to four photos, please."))


def _opened(access: Access, kind: str, text: str, photos: list[ContentFile], form_key: str) -> ProblemReport:
    with transaction.atomic():
        # The row lock makes parallel reports count one another.
        Delivery.objects.select_for_update().values_list("pk").get(pk=access.delivery.pk)
        waiting = ProblemReport.objects.filter(delivery=access.delivery).exclude(state=ProblemReport.State.CLOSED)
        if waiting.count() >= MOST_OPEN_REPORTS:
            raise Refused("too_many_reports", _("We are already looking into this delivery. Please call us."))
        report = ProblemReport.objects.create(
            delivery=access.delivery,
            kind=kind,
            text=text,
            is_verified=access.is_verified,
            form_key=form_key,
            reported_at=clock.now(),
        )
        for photo in photos:
            kept = ProblemPhoto(report=report)
            kept.image.save(f"{secrets.token_urlsafe(16)}.jpg", photo, save=True)
        _announce(events.PROBLEM_REPORTED, report, "shopper")
    return report


def _announce(kind: str, report: ProblemReport, actor: str) -> None:
    payload = {"report": report.pk, "problem": report.kind}
    emit(kind, delivery_id=report.delivery_id, payload=payload, actor=actor)
    bump_pages(delivery_ids=[report.delivery_id])
