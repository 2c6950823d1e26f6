"""The driver says that nobody was there, the recipient that they were: asked once per attempt, answered on the page."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import DoorstepError, Refused
from apps.deliveries.access import Access
from apps.deliveries.models import Attempt
from apps.deliveries.words import reason_words
from apps.feedback.rules import LONGEST_COMMENT, may_be_disputed
from apps.feedback.selectors import last_failed_attempt
from apps.feedback.services import dispute_attempt
from apps.tracking.day_words import moment_words
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to


@flow_view
def dispute(request: HttpRequest, access: Access) -> HttpResponse:
    """GET says what the driver said and asks for a word; POST opens the check."""
    attempt = last_failed_attempt(access.delivery.pk)
    if attempt is not None and hasattr(attempt, "dispute"):
        return _done(request, access)
    if request.method == "POST":
        return _raise(request, access, attempt)
    if attempt is None or not may_be_disputed(attempt, clock.now()):
        refused = Refused("not_disputable", _("There is no attempt that could be disputed. Please call us."))
        return flow_page(request, access, "closed", status=refused.status, **error_context(refused))
    return _form(request, access, attempt)


def _raise(request: HttpRequest, access: Access, attempt: Attempt | None) -> HttpResponse:
    text = request.POST.get("text", "")
    try:
        dispute_attempt(access=access, text=text)
    except FOR_THE_GATE:
        raise
    except Refused as refused:
        return flow_page(request, access, "closed", status=refused.status, **error_context(refused))
    except DoorstepError as error:
        if attempt is None:
            raise
        return _form(request, access, attempt, text=text, error=error)
    return goes_to(access, "dispute")


def _form(
    request: HttpRequest, access: Access, attempt: Attempt, *, text: str = "", error: DoorstepError | None = None
) -> HttpResponse:
    context = {
        "said": reason_words(attempt.reason_code),
        "when": moment_words(attempt.ended_at, access.delivery.merchant.time_zone) if attempt.ended_at else "",
        "text": text,
        "longest": LONGEST_COMMENT,
    }
    if error is not None:
        context |= error_context(error)
    return flow_page(request, access, "dispute", status=422 if error else 200, **context)


def _done(request: HttpRequest, access: Access) -> HttpResponse:
    return flow_page(
        request,
        access,
        "result",
        heading=_("Thank you. We are checking it."),
        sentence=_("We compare where the van was and what the driver did. You find the outcome on this page."),
    )
