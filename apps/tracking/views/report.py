"""Something is wrong: what, in words, with photos; answered with the number of a case and nothing of what was said."""

import re
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError, NotFound, Refused
from apps.deliveries.access import Access
from apps.feedback.models import ProblemReport
from apps.feedback.rules import LONGEST_TEXT, MOST_PHOTOS, reportable_kinds
from apps.feedback.services import report_problem
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to

_KEY = re.compile(r"[0-9a-f]{32}")


@flow_view
def report(request: HttpRequest, access: Access) -> HttpResponse:
    """GET asks what is wrong, POST opens a case."""
    if "done" in request.GET:
        return _done(request, access, request.GET["done"])
    if request.method == "POST":
        return _report(request, access)
    if not reportable_kinds(access.delivery.state, access.delivery.merchant.policy):
        refused = Refused("not_reportable", _("Nothing can be reported at the moment. Please call us."))
        return flow_page(request, access, "closed", status=refused.status, **error_context(refused))
    return _form(request, access, key=secrets.token_hex(16))


def _report(request: HttpRequest, access: Access) -> HttpResponse:
    sent = request.POST.get("key", "")
    key = sent if _KEY.fullmatch(sent) else secrets.token_hex(16)
    kind, text = request.POST.get("kind", ""), request.POST.get("text", "")
    # Browsers send an empty part when no file was chosen.
    photos = [photo for photo in request.FILES.getlist("photos") if photo.size]
    try:
        opened = report_problem(access=access, kind=kind, text=text, photos=photos, form_key=key)
    except FOR_THE_GATE:
        raise
    except Refused as refused:
        return flow_page(request, access, "closed", status=refused.status, **error_context(refused))
    except DoorstepError as error:
        return _form(request, access, key=key, kind=kind, text=text, error=error, had_photos=bool(photos))
    return goes_to(access, "report", f"done={opened.number}")


def _form(
    request: HttpRequest,
    access: Access,
    *,
    key: str,
    kind: str = "",
    text: str = "",
    error: DoorstepError | None = None,
    had_photos: bool = False,
) -> HttpResponse:
    labels = dict(ProblemReport.Kind.choices)
    kinds = reportable_kinds(access.delivery.state, access.delivery.merchant.policy)
    context: dict[str, Any] = {
        "key": key,
        "kinds": [(code, labels[code]) for code in kinds],
        "chosen": kind,
        "text": text,
        "longest": LONGEST_TEXT,
        "most_photos": MOST_PHOTOS,
        "had_photos": had_photos,
    }
    if error is not None:
        context |= error_context(error)
    return flow_page(request, access, "report", status=422 if error else 200, **context)


def _done(request: HttpRequest, access: Access, number: str) -> HttpResponse:
    found = ProblemReport.objects.filter(delivery=access.delivery, number=number.replace("\0", "")[:12]).first()
    if found is None:
        raise NotFound("report_not_found")
    return flow_page(
        request,
        access,
        "result",
        heading=_("Thank you. We look into it."),
        sentence=_("Your case number is %(number)s. %(name)s will be in touch with you.")
        % {"number": found.number, "name": access.delivery.merchant.name},
    )
